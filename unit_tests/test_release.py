"""`make release` releases what is committed under its own name, or says in a sentence why not."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tools.engine import Engine
from tools.machine import Unavailable
from tools.release import (
    ROOT,
    Commit,
    ReleaseError,
    exported,
    notes,
    publish,
    refuse_another_place,
    release,
    sum_up,
)

CHANGELOG = "# Changelog\n\n## 0.2.0\n\n- New.\n- Newer.\n\n## 0.1.0\n\nThe first version.\n"
COMMIT = Commit(Path("/nowhere"), "0.2.0", "https://host/us/ours/page", "abc", "1000000000")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository with one commit."""
    folder = tmp_path / "repository"
    (folder / "docs").mkdir(parents=True)
    page = 'urls = {Documentation = "https://host/page"}'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nversion = "0.2.0"\n{page}\n')
    (folder / "docs" / "CHANGELOG.md").write_text(CHANGELOG)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin", "--date", "2026-01-01T00:00:00Z")
    return folder


def test_the_notes_are_the_versions_section_of_the_changelog() -> None:
    assert notes(CHANGELOG, "0.2.0") == "- New.\n- Newer.\n"
    assert notes(CHANGELOG, "0.1.0") == "The first version.\n"


@pytest.mark.parametrize(
    "changelog", ["# Changelog\n", "## 0.2.0\n\n## 0.1.0\n\nThe first.\n", "## 0.2.01\n\nNo.\n"]
)
def test_a_version_that_the_changelog_says_nothing_of_is_not_released(changelog: str) -> None:
    with pytest.raises(ReleaseError, match=r"says nothing of 0\.2\.0: give it a section"):
        notes(changelog, "0.2.0")


def test_what_is_committed_is_released_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    (repository / "untracked").write_text("")
    commit = exported(repository, tmp_path / "source")
    assert {path.name for path in commit.source.iterdir()} == {"pyproject.toml", "docs"}
    assert (commit.version, commit.page) == ("0.2.0", "https://host/page")
    assert len(commit.revision) == 40 and int(commit.made) > 1_700_000_000


def test_changes_that_are_not_committed_are_named(repository: Path, tmp_path: Path) -> None:
    (repository / "pyproject.toml").write_text("")
    with pytest.raises(ReleaseError, match=r"not committed: .*\n M pyproject\.toml"):
        exported(repository, tmp_path / "source")


def test_a_tag_of_another_version_is_refused() -> None:
    refuse_another_place(COMMIT, {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v0.2.0"})
    refuse_another_place(COMMIT, {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"})
    with pytest.raises(ReleaseError, match=r"The tag is v0\.3\.0, but pyproject\.toml says version 0\.2\.0"):
        refuse_another_place(COMMIT, {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v0.3.0"})


def test_a_release_never_leads_to_the_page_of_another_repository() -> None:
    host = {"GITHUB_SERVER_URL": "https://host"}
    refuse_another_place(COMMIT, {**host, "GITHUB_REPOSITORY": "us/ours"})
    with pytest.raises(ReleaseError, match="but the documentation is said to be at https://host/us/ours/"):
        refuse_another_place(COMMIT, {**host, "GITHUB_REPOSITORY": "us/our"})


def test_without_a_docker_engine_there_is_no_release_and_a_sentence(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def none() -> Iterator[Engine]:
        raise Unavailable("dockerd is missing, and docker.io can only be installed by root on Debian")
        yield

    monkeypatch.setattr("tools.release.build_packages", lambda commit, to: None)
    with pytest.raises(
        ReleaseError, match="The image needs a Docker engine, and none can be started here: dockerd"
    ):
        release(repository, tmp_path / "dist", engines=none)
    assert not (tmp_path / "dist").exists()


def test_the_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    sum_up(tmp_path)
    expected = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in "ab"]
    assert (tmp_path / "SHA256SUMS").read_text().splitlines() == expected
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True
    )


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GitHub's program, which writes down how it was called; returns where."""
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(f"""#!/bin/sh
printf '%s\\n' "$@" >{tmp_path}/called
[ -z "$REFUSED" ] || {{ echo "$REFUSED" >&2; exit 1; }}
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "called"


def test_a_release_is_published_with_its_notes_and_files(
    gh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in ("notes.md", "SHA256SUMS", "x.whl"):
        (dist / name).write_text(name)
    publish(COMMIT, dist)
    assert gh.read_text().splitlines() == [
        *("release", "create", "v0.2.0", "--verify-tag", "--title", "source-linear 0.2.0"),
        *("--notes-file", str(dist / "notes.md"), str(dist / "SHA256SUMS"), str(dist / "x.whl")),
    ]  # fmt: skip
    monkeypatch.setenv("REFUSED", "HTTP 401: Bad credentials")
    with pytest.raises(ReleaseError, match=r"v0\.2\.0 failed:\nHTTP 401: Bad credentials"):
        publish(COMMIT, dist)


@pytest.mark.parametrize(("name", "command"), [("ci", ".ci/run"), ("release", "make release PUBLISH=1")])
def test_a_workflow_fetches_the_commit_runs_one_command_and_uses_nothing_of_others(
    name: str, command: str
) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))
    [job] = workflow["jobs"].values()
    fetch, run = job["steps"]
    assert not any("uses" in step for step in job["steps"])
    assert [line.split()[0] for line in fetch["run"].splitlines()] == ["git"] * 3
    assert run["run"] == command
    assert (ROOT / command.split()[0]).exists() or command.startswith("make release")
    assert workflow["permissions"] == {}, "each job says what it needs"
