"""Child processes that never outlive the demo."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY_VARIABLE = "LINEAR_API_KEY"
_PATIENCE = 5.0  # seconds between asking a process to end and ending it
_TAIL = 10  # lines


class Child:
    """A Python module of this repository, running as a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: Path) -> None:
        self._process = process
        self._stderr = stderr

    def lines(self) -> Iterator[bytes]:
        """Its standard output, line by line, as it comes."""
        assert self._process.stdout is not None
        yield from self._process.stdout

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        return self._process.wait()

    def complaint(self) -> str:
        """The last lines that it wrote to standard error."""
        return "\n".join(self._stderr.read_text("utf-8", "replace").splitlines()[-_TAIL:])


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Child]:
    """Run `python -m module`; when the block is left, however that happens, it has ended."""
    environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
    with tempfile.TemporaryDirectory(prefix="linear-demo-") as folder:
        stderr = Path(folder) / "stderr"
        with stderr.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                start_new_session=True,  # Ctrl-C is the demo's; it ends its children in order
            )
        try:
            yield Child(process, stderr)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
