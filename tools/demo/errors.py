"""What ends the demo early, in a sentence."""

import errno
from pathlib import Path


class DemoError(Exception):
    """A step failed; the message is for the person at the terminal."""


def sentence(error: BaseException, directory: Path) -> str:
    """Why the demo ended, for the person at the terminal.

    Args:
        error: what ended it.
        directory: where it leaves its files.
    """
    while not isinstance(error, DemoError) and error.__context__:
        error = error.__context__  # a transaction that cannot be taken back hides what went wrong in it
    text = str(error)
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left on device" in text or "Disk quota exceeded" in text:
        return (
            f"The disk is full: the demo needs about 50 MB for {directory} and the folder for temporary "
            "files. Free some and run it again; it goes on from what was stored."
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next((path for path in (directory, *directory.parents) if path.is_file()), error.filename)
        return (
            f"{file} is a file, and the demo keeps its tables in a folder of that name. Move the file, or "
            "name another folder: .venv/bin/python -m tools.demo --directory FOLDER"
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return text
