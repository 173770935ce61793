"""What is released of a commit: wheel, sdist, image, bill of materials, notes and checksums, in dist/.

    python -m tools.release [--publish]

`make release` runs it. Everything is made of what is committed, whatever lies about, and has the time of the
commit. So wheel, sdist, bill of materials, notes and the files in the image are the same wherever they are
made; the image's id is not: the engine writes into it when it was built, and gives that time to four folders.
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.engine import Engine, EngineError, docker_engine
from tools.machine import Unavailable

ROOT = Path(__file__).resolve().parent.parent
NAME = "source-linear"
_BILL = "/opt/source-linear/sbom.cdx.json"  # in the image: of what is installed there


class ReleaseError(Exception):
    """There is no release; says why, and what to do."""


@dataclass(frozen=True)
class Commit:
    """What is released.

    Attributes:
        source: a folder that holds what is committed, and nothing else.
        version: of the package in it.
        page: the address of its documentation.
        revision: the commit.
        made: when it was committed, in seconds since 1970.
    """

    source: Path
    version: str
    page: str
    revision: str
    made: str


def exported(root: Path, folder: Path) -> Commit:
    """The commit that a repository is at, its files written into a folder.

    Raises:
        ReleaseError: something is not committed.
    """
    changes = _run(["git", "status", "--porcelain", "--untracked-files=no"], root)
    if changes.strip():
        raise ReleaseError(
            f"These changes are not committed: commit them first, or take them back.\n{changes}"
        )
    archive = folder.with_suffix(".tar")
    _run(["git", "-c", "tar.umask=0022", "archive", "--output", str(archive), "HEAD"], root)
    folder.mkdir()
    # Not by `tarfile`: a safe `extractall` came with Python 3.11.4, and Debian has 3.11.2.
    _run(["tar", "--extract", "--no-same-owner", "--file", str(archive), "--directory", str(folder)], root)
    archive.unlink()
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    revision, made = _run(["git", "log", "-1", "--format=%H %ct"], root).split()
    return Commit(folder, project["version"], project["urls"]["Documentation"], revision, made)


def refuse_another_place(commit: Commit, environment: Mapping[str, str]) -> None:
    """Make sure that what a public host builds is named after that host's repository and tag.

    Raises:
        ReleaseError: the tag is of another version, or the documentation is at another address.
    """
    tag = environment.get("GITHUB_REF_NAME")
    if environment.get("GITHUB_REF_TYPE") == "tag" and tag != f"v{commit.version}":
        raise ReleaseError(
            f"The tag is {tag}, but pyproject.toml says version {commit.version}: tag v{commit.version}."
        )
    if repository := environment.get("GITHUB_REPOSITORY"):
        home = f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}/"
        if not commit.page.startswith(home):
            raise ReleaseError(
                f"This repository is {home}, but the documentation is said to be at {commit.page}: write its "
                "address into pyproject.toml, metadata.yaml, manifest.yaml and the Dockerfile."
            )


def notes(changelog: str, version: str) -> str:
    """What the changelog says of a version.

    Raises:
        ReleaseError: nothing.
    """
    found = re.search(rf"^## {re.escape(version)}\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if not found or not found[1].strip():
        raise ReleaseError(f"docs/CHANGELOG.md says nothing of {version}: give it a section `## {version}`.")
    return f"{found[1].strip()}\n"


def build_packages(commit: Commit, to: Path) -> None:
    """Build the sdist, and the wheel from that."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": commit.made}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(to)]
    _run(command, commit.source, environment)


def build_image(commit: Commit, engine: Engine, to: Path) -> None:
    """Build the image; write its archive, its bill of materials, and what it is: id, layers, base, labels."""
    tag, stem = f"{NAME}:{commit.version}", f"{NAME}-{commit.version}"
    labels = {"org.opencontainers.image.revision": commit.revision}
    engine.build(commit.source, tag, *_labelled(labels), made=commit.made)
    archive = to / f"{stem}.image.tar"
    engine.must("save", "--output", archive, tag)
    # Level 9 takes three times as long, for less than 1 % of the size.
    with (
        archive.open("rb") as raw,
        gzip.GzipFile(f"{archive}.gz", "wb", compresslevel=6, mtime=int(commit.made)) as packed,
    ):
        shutil.copyfileobj(raw, packed)
    archive.unlink()
    printed = engine.must("run", "--rm", "--network", "none", "--entrypoint", "cat", tag, _BILL)
    (to / f"{stem}.sbom.cdx.json").write_text(printed, "utf-8")
    (inspected,) = json.loads(engine.must("image", "inspect", tag))
    about = {
        "reference": tag,
        "id": inspected["Id"],
        "base": engine.base_image or _base(commit.source),
        "layers": inspected["RootFS"]["Layers"],
        "labels": inspected["Config"]["Labels"],
        "architecture": f"{inspected['Os']}/{inspected['Architecture']}",
    }
    _write_json(to / f"{stem}.image.json", about)


def sum_up(folder: Path) -> None:
    """Write SHA256SUMS of the files in a folder, for `sha256sum --check`."""
    lines = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8")


def publish(commit: Commit, folder: Path) -> None:
    """Make a release on GitHub of the files in a folder, with its own program and the token in GH_TOKEN.

    Raises:
        ReleaseError: it is refused.
    """
    tag, files = f"v{commit.version}", sorted(path for path in folder.iterdir() if path.name != "notes.md")
    command = ["gh", "release", "create", tag, "--verify-tag", "--title", f"{NAME} {commit.version}"]
    _run([*command, "--notes-file", str(folder / "notes.md"), *map(str, files)], ROOT)


def release(
    root: Path,
    folder: Path,
    publishes: bool = False,
    engines: Callable[[], AbstractContextManager[Engine]] = docker_engine,
) -> None:
    """Make a release.

    Args:
        root: the repository; what it is at is released.
        folder: holds the release and nothing else then.
        publishes: whether a release on GitHub is made of it.
        engines: gives the Docker engine that builds the image.

    Raises:
        ReleaseError: there is something in the way.
    """
    with tempfile.TemporaryDirectory(prefix="source-linear-") as scratch:
        commit = exported(root, Path(scratch) / "source")
        refuse_another_place(commit, os.environ)
        said = notes((commit.source / "docs" / "CHANGELOG.md").read_text("utf-8"), commit.version)
        made = Path(scratch) / "dist"
        made.mkdir()
        (made / "notes.md").write_text(said, "utf-8")
        build_packages(commit, made)
        try:
            with engines() as engine:
                build_image(commit, engine, made)
        except Unavailable as reason:
            raise ReleaseError(
                f"The image needs a Docker engine, and none can be started here: {reason}."
            ) from None
        if engine.base_image:
            print(
                f"NOT FOR OTHERS: {_base(commit.source)} cannot be had here; the image stands on a stand-in."
            )
            if publishes:
                raise ReleaseError(
                    "It is not published: release where a Docker engine runs and reaches its registry."
                )
        sum_up(made)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
        if publishes:
            publish(commit, folder)


def _labelled(labels: Mapping[str, str]) -> list[str]:
    return [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]


def _base(source: Path) -> str:
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", (source / "Dockerfile").read_text("utf-8"), re.M)
    assert found
    return found[1]


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is missing: install it.") from None
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout)[-2000:].strip()}")
    return done.stdout


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.release")
    parser.add_argument("--publish", action="store_true", help="make a release on GitHub of it")
    options = parser.parse_args()
    folder = ROOT / "dist"
    try:
        release(ROOT, folder, options.publish)
    except (ReleaseError, EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
