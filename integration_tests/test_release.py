"""What `make release` makes of one commit is the same each time."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from integration_tests.figures import note
from tools.engine import Engine
from tools.release import ROOT, build_packages, exported, release

pytestmark = pytest.mark.slow


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with what is here now, all of it committed."""
    folder = tmp_path / "repository"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All of it"]):
        subprocess.run(["git", *who, *command], cwd=folder, check=True)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_wheel_and_sdist_are_the_same_byte_by_byte(repository: Path, tmp_path: Path) -> None:
    built = []
    for number in ("first", "second"):
        # At another time, in another folder, with other permissions.
        commit = exported(repository, tmp_path / number)
        for path in commit.source.rglob("*") if number == "second" else ():
            path.chmod(path.stat().st_mode | 0o020)
        (tmp_path / f"dist-{number}").mkdir()
        build_packages(commit, tmp_path / f"dist-{number}")
        built.append(contents(tmp_path / f"dist-{number}"))
    first, second = built
    assert sorted(name.rpartition("-")[2] for name in first) == [f"{commit.version}.tar.gz", "any.whl"]
    assert first == second


def files(engine: Engine, tag: str, folder: Path) -> dict[str, tuple[object, ...]]:
    """What an image's layers hold, but for the times of folders: those are the engine's."""
    archive, found = folder / "image.tar", {}
    engine.must("save", "--output", archive, tag)
    with tarfile.open(archive) as saved:
        manifest = saved.extractfile("manifest.json")
        assert manifest
        for number, layer in enumerate(json.load(manifest)[0]["Layers"]):
            with tarfile.open(fileobj=saved.extractfile(layer)) as entries:
                for entry in entries:
                    content = entries.extractfile(entry) if entry.isfile() else None
                    about = (entry.type, entry.mode, entry.uid, entry.gid, entry.linkname)
                    time = None if entry.isdir() else entry.mtime
                    digest = hashlib.file_digest(content, "sha256").hexdigest() if content else ""
                    found[f"{number} {entry.name}"] = (*about, time, digest)
    archive.unlink()
    return found


@pytest.mark.image_tests
@pytest.mark.timeout(1800)
def test_a_release_is_whole_and_its_files_come_out_the_same(
    repository: Path, engine: Engine, tmp_path: Path
) -> None:
    dist = tmp_path / "dist"
    release(repository, dist, engines=lambda: nullcontext(engine))
    version = exported(repository, tmp_path / "source").version
    stem = f"source-linear-{version}"
    assert {path.name for path in dist.iterdir()} == {
        f"source_linear-{version}-py3-none-any.whl",
        f"source_linear-{version}.tar.gz",
        *(f"{stem}.{kind}" for kind in ("image.tar.gz", "image.json", "sbom.cdx.json")),
        *("notes.md", "SHA256SUMS"),
    }
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=dist, check=True)
    about = json.loads((dist / f"{stem}.image.json").read_text())
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True)
    assert about["labels"]["org.opencontainers.image.revision"] == revision.stdout.strip()
    assert about["labels"]["org.opencontainers.image.version"] == version
    assert json.loads((dist / f"{stem}.sbom.cdx.json").read_text())["bomFormat"] == "CycloneDX"

    engine.must("image", "rm", f"source-linear:{version}")
    loaded = engine.must("load", "--input", dist / f"{stem}.image.tar.gz")
    assert f"source-linear:{version}" in loaded
    (inspected,) = json.loads(engine.must("image", "inspect", f"source-linear:{version}"))
    assert inspected["Id"] == about["id"]

    made = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=repository, capture_output=True, text=True
    )
    arguments = ["--no-cache", "--build-arg", f"SOURCE_DATE_EPOCH={made.stdout.strip()}"]
    if engine.base_image:
        arguments += ["--build-arg", f"BASE_IMAGE={engine.base_image}"]
    engine.must("build", "--network", "host", *arguments, "--tag", "again", tmp_path / "source", timeout=900)
    first, again = (files(engine, tag, tmp_path) for tag in (f"source-linear:{version}", "again"))
    assert len(first) > 5000
    assert {name for name in first | again if first.get(name) != again.get(name)} == set()
    packed = (dist / f"{stem}.image.tar.gz").stat().st_size
    note(f"release of {version}: image {packed / 1e6:.0f} MB packed, {len(first):,} files the same again")
