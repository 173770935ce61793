"""The machine that the tests run on: its packages, a place to keep things, an unprivileged user."""

import os
import shutil
import subprocess
from pathlib import Path

UNPRIVILEGED = 65534  # nobody


class Unavailable(Exception):
    """Something that a test needs cannot be had on this machine; says what and why."""


def cache_directory(name: str) -> Path:
    """A directory outside the repository that later runs find again."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "source-linear" / name
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def install(*packages: str, provides: Path) -> None:
    """Install Debian packages, unless the file that they provide is there.

    Raises:
        Unavailable: this is no Debian, not root, or the packages cannot be had.
    """
    if provides.exists():
        return
    wanted = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable(f"{provides} is missing, and {wanted} can only be installed by root on Debian")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"apt-get {command[0]} of {wanted} failed: {done.stderr.strip()[-300:]}")
    if not provides.exists():
        raise Unavailable(f"{wanted} did not bring {provides}")


def as_unprivileged() -> None:
    """Give up root, in a child process before it becomes another program."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(UNPRIVILEGED)
        os.setuid(UNPRIVILEGED)
