"""The machine that tests and releases run on: its packages, a place to keep things, an unprivileged user."""

import os
import shutil
import subprocess
from glob import glob
from pathlib import Path
from typing import Any

_NOBODY = 65534


class Unavailable(Exception):
    """Something that is needed cannot be had on this machine; says what and why."""


def cache_directory(name: str) -> Path:
    """A directory outside the repository that later runs find again."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "source-linear" / name
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def install(*packages: str, provides: str) -> Path:
    """Install Debian packages, unless what they provide (a path, * allowed) is there; returns its path.

    Raises:
        Unavailable: this is no Debian, not root, or the packages cannot be had.
    """
    if found := glob(provides):
        return Path(max(found))
    wanted = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable(f"{provides} is missing, and {wanted} can only be installed by root on Debian")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"apt-get {command[0]} for {wanted} failed: {done.stderr.strip()[-300:]}")
    if found := glob(provides):
        return Path(max(found))
    raise Unavailable(f"{wanted} did not bring {provides}")


def unprivileged() -> dict[str, Any]:
    """Arguments of `subprocess.run` that let root start a program as nobody."""
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
