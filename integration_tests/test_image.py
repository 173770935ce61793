"""The image as `docker build .` makes it, run as Airbyte and people run it."""

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.streams import catalog as load_catalog
from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.figures import note
from integration_tests.image import Engine
from integration_tests.linear_api import LinearApi
from integration_tests.processes import HANG
from tools.schemas import streams

pytestmark = [pytest.mark.processes, pytest.mark.image_tests, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent
STREAMS = {stream.name: stream for stream in streams()}
HARDENED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "12345:0"]
MEGABYTE = 1_000_000
MOST_MEGABYTES = 260  # that the image adds to its base
HOME = "/opt/source-linear"

MakeContainer = Callable[..., Connector]


@pytest.fixture
def in_container(image: str, tmp_path: Path) -> MakeContainer:
    """A factory of connectors in a container: a simulator, options of `docker run`, configuration."""
    tmp_path.chmod(0o777)  # the container's user is not the one of the test

    def make(api: LinearApi, *options: str, **config: Any) -> Connector:
        connector = Connector.of(api, tmp_path, **config)
        connector.command = ["docker", "run", "--rm", "--network", "host"]
        connector.command += ["--volume", f"{tmp_path}:{tmp_path}", *options, image]
        return connector

    return make


@pytest.fixture
def shell(engine: Engine, image: str) -> Callable[[str], str]:
    """Runs a shell script in the image."""

    def run(script: str) -> str:
        return _shell(engine, image, script)

    return run


def read_everything(api: LinearApi, connector: Connector) -> Output:
    """One incremental read of every stream, which must bring every row of the workspace."""
    api.clock.advance(2)
    output = connector.read(connector.catalog())
    assert output.exit_code == 0, output.stderr or output.errors
    for name, stream in STREAMS.items():
        assert {record["id"]: record for record in output.records[name]} == records(api.workspace, stream)
    return output


def test_spec_is_printed_without_network(image: str, tmp_path: Path) -> None:
    command = ["docker", "run", "--rm", "--network", "none", image]
    output = Connector(tmp_path, {}, command).spec()
    assert output.exit_code == 0
    assert output.one("SPEC")["spec"]["connectionSpecification"]["required"] == ["credentials"]


def test_check_succeeds_and_a_refused_key_fails_it_with_exit_code_0(
    linear_api: LinearApi, in_container: MakeContainer
) -> None:
    good = in_container(linear_api).check()
    assert (good.exit_code, _status(good)) == (0, "SUCCEEDED")
    credentials = {"auth_type": "API Key", "api_key": "lin_api_wrong"}
    bad = in_container(linear_api, credentials=credentials).check()
    assert (bad.exit_code, _status(bad)) == (0, "FAILED")


def test_a_read_that_fails_ends_with_exit_code_1_and_a_trace(
    linear_api: LinearApi, in_container: MakeContainer
) -> None:
    credentials = {"auth_type": "API Key", "api_key": "lin_api_wrong"}
    connector = in_container(linear_api, credentials=credentials)
    output = connector.read(connector.catalog(["users"]))
    assert output.exit_code == 1
    assert [error["failure_type"] for error in output.errors] == ["config_error"]
    assert "lin_api_wrong" not in json.dumps(output.messages) + output.stderr


def test_arguments_that_are_not_understood_end_with_exit_code_2(
    linear_api: LinearApi, in_container: MakeContainer
) -> None:
    assert in_container(linear_api).run("write").exit_code == 2


def test_every_stream_is_read_and_then_only_what_changed(
    linear_api: LinearApi, in_container: MakeContainer
) -> None:
    connector = in_container(linear_api)
    first = read_everything(linear_api, connector)
    assert set(first.states) == set(STREAMS)

    linear_api.clock.advance(60)
    workspace = linear_api.workspace
    changed, archived = workspace.ids("Issue", archived=False)[:2]
    workspace.update("Issue", changed, title="Changed")
    workspace.archive("Issue", archived)
    linear_api.clock.advance(60)
    catalog = connector.catalog(["issues", "users"])
    second = connector.read(catalog, first.last_states)
    assert second.exit_code == 0
    brought = {record["id"]: record for record in second.records["issues"]}
    assert brought[changed]["title"] == "Changed"
    assert brought[archived]["isArchived"] is True
    assert len(brought) < len(first.records["issues"])
    assert second.cursor("issues") > first.cursor("issues")  # type: ignore[operator]


def test_it_reads_everything_hardened(linear_api: LinearApi, in_container: MakeContainer) -> None:
    connector = in_container(linear_api, *HARDENED)
    assert connector.spec().exit_code == 0
    assert _status(connector.check()) == "SUCCEEDED"
    read_everything(linear_api, connector)


def test_a_flat_key_in_a_file_that_cannot_be_written_is_accepted(
    linear_api: LinearApi, in_container: MakeContainer, tmp_path: Path
) -> None:
    connector = in_container(linear_api, *HARDENED)
    connector.config = {"api_key": linear_api.api_key, "api_url": linear_api.url}
    output = connector.check()
    assert (tmp_path / "config.json").stat().st_mode & 0o002 == 0
    assert (output.exit_code, _status(output)) == (0, "SUCCEEDED")


def test_sigterm_ends_it_at_once_and_its_states_are_good(
    make_linear_api: Callable[..., LinearApi], in_container: MakeContainer, engine: Engine
) -> None:
    api = make_linear_api(issues=3000, seed=4)
    api.clock.advance(2)
    connector = in_container(api, "--name", "source-linear-sigterm")
    connector.config = {**connector.config, "num_workers": 2}  # so that windows close one after another
    catalog = in_container(api).catalog(["users", "teams", "issues"])
    (organization,) = (
        api.workspace.expected("Organization", one) for one in api.workspace.ids("Organization")
    )
    api.latency = 0.3
    arguments = ["read", "--config", connector._file("config", connector.config)]
    arguments += ["--catalog", connector._file("catalog", catalog)]
    process = subprocess.Popen([*connector.command, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"STATE"' in line and '"name":"issues"' in line:
            state = json.loads(line)["state"]["stream"]["stream_state"]
            if state["updatedAt"] > organization["createdAt"]:
                break
    engine.must("kill", "--signal", "TERM", "source-linear-sigterm")
    lines += process.stdout.readlines()
    assert process.wait(timeout=HANG) == 143
    cut = Output(143, [json.loads(line) for line in lines], "")
    assert "COMPLETE" not in cut.statuses["issues"]

    api.latency = 0
    rest = in_container(api).read(catalog, cut.last_states)
    assert rest.exit_code == 0
    brought = {record["id"]: record for record in cut.records["issues"] + rest.records["issues"]}
    assert brought == records(api.workspace, STREAMS["issues"])
    assert len(rest.records["issues"]) < len(brought)


def test_256_megabytes_are_enough_for_100_000_issues(
    image: str, in_container: MakeContainer, linear_api: LinearApi
) -> None:
    connector = in_container(linear_api, "--memory", "256m", "--memory-swap", "256m")
    with _LoadServer() as url:
        connector.config = {**connector.config, "api_url": f"{url}/issues/100000/latency/100/graphql"}
        config = connector._file("config", connector.config)
        peak = "cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes /sys/fs/cgroup/memory.peak 2>/dev/null"
        script = f'{HOME}/bin/source-linear "$@"; code=$?; ({peak}) >&2; exit $code'
        command = [*connector.command[:-1], "--entrypoint", "sh", image, "-c", script, "sh", "read"]
        command += ["--config", config, "--catalog", connector._file("catalog", load_catalog("issues"))]
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout and process.stderr
        count = sum(line.startswith('{"type":"RECORD"') for line in process.stdout)
        seconds = time.monotonic() - begun
        peaks = [int(line) for line in process.stderr.read().split() if line.isdecimal()]
        assert process.wait(timeout=60) == 0
    assert count == 100_000
    megabytes = max(peaks) / MEGABYTE if peaks else None
    note(f"100,000 issues in {seconds:.0f} s with {megabytes:.0f} MB" if megabytes else "no peak known")


def test_the_image_is_small_and_adds_nothing_but_the_connector(
    engine: Engine, image: str, shell: Callable[[str], str]
) -> None:
    history = engine.must(
        "history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", image
    )
    own = history.splitlines()[: _number_of_own_layers(history)]
    added = sum(int(line.split()[0]) for line in own) / MEGABYTE
    note(f"image adds {added:.0f} MB to its base")
    assert 0 < added < MOST_MEGABYTES
    listing = "find / -xdev -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o -print"
    base = engine.base_image or _base_of_dockerfile()
    new = set(_shell(engine, image, listing, user="0").splitlines())
    new -= set(_shell(engine, base, listing, user="0").splitlines())
    assert {path for path in new if not path.startswith(HOME)} <= {"/airbyte/integration_code", "/opt"}


def test_the_image_holds_no_secret_test_or_cache(
    engine: Engine, image: str, shell: Callable[[str], str]
) -> None:
    paths = [Path(path) for path in shell(f"find {HOME}").splitlines()]
    names = {path.name for path in paths}
    assert not names & {"tests", "unit_tests", "integration_tests", ".git", ".cache", "pip", "hatchling"}
    (package,) = (path for path in paths if path.name == "source_linear" and path.suffix == "")
    own = {path.relative_to(package).parts[0] for path in paths if package in path.parents}
    source = {path.name for path in (ROOT / "source_linear").iterdir()} - {"__pycache__"}
    assert own - {"__pycache__"} == source | {"manifest.yaml", "schemas"}
    assert shell("ls -A /airbyte/integration_code /tmp /var/tmp | grep -v -e : -e '^$' || true") == ""
    assert shell(f"grep -rIlE 'lin_[a-z]+_[A-Za-z0-9]' {package} || true") == ""
    assert "lin_api" not in engine.must("history", "--no-trunc", image)


def test_the_image_holds_what_is_locked_and_lists_it(shell: Callable[[str], str]) -> None:
    script = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    installed = {
        str(canonicalize_name(name)): version
        for name, version in json.loads(shell(f'{HOME}/bin/python -c "{script}"')).items()
    }
    assert installed.pop("source-linear") == _version()
    python = shell(f"{HOME}/bin/python -c 'import platform; print(platform.python_version())'").strip()
    assert installed == _locked(python)
    bill = json.loads(shell(f"cat {HOME}/sbom.cdx.json"))
    listed = {str(canonicalize_name(item["name"])): item["version"] for item in bill["components"]}
    listed.pop("source-linear", None)
    assert listed == installed
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "source-linear")
    note(f"SBOM of {len(listed)} packages, Python {python}")


def test_the_platform_finds_its_entrypoint_labels_and_a_user_that_is_not_root(
    engine: Engine, image: str, shell: Callable[[str], str]
) -> None:
    (inspected,) = json.loads(engine.must("image", "inspect", image))
    config = inspected["Config"]
    labels = {name: config["Labels"][f"io.airbyte.{name}"] for name in ("name", "version")}
    assert labels == {"name": "source-linear", "version": _version()}
    assert config["User"] == "1000:1000"
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    assert config["Entrypoint"] == [environment["AIRBYTE_ENTRYPOINT"]]
    # as the platform calls it
    assert '"type":"SPEC"' in shell('(eval "$AIRBYTE_ENTRYPOINT spec")')


def _shell(engine: Engine, image: str, script: str, user: str = "1000") -> str:
    options = ("--rm", "--network", "none", "--user", user, "--entrypoint", "sh")
    return engine.must("run", *options, image, "-c", script)


def _status(output: Output) -> str:
    return str(output.one("CONNECTION_STATUS")["connectionStatus"]["status"])


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _locked(python: str) -> dict[str, str]:
    """The versions of requirements/run.txt that are for this Python on Linux."""
    environment = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
    }
    lines = (ROOT / "requirements" / "run.txt").read_text("utf-8").splitlines()
    wanted = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {
        str(canonicalize_name(one.name)): next(iter(one.specifier)).version
        for one in wanted
        if not one.marker or one.marker.evaluate(environment)
    }


def _number_of_own_layers(history: str) -> int:
    """The layers from the top down to the COPY that begins our part of the last stage."""
    lines = history.splitlines()
    return next(number for number, line in enumerate(lines, 1) if HOME in line and "COPY" in line)


def _base_of_dockerfile() -> str:
    line = next(
        line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line.startswith("ARG BASE_")
    )
    return line.partition("=")[2]


class _LoadServer:
    """The benchmarks' server of pre-serialised pages, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.load_server"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout
        return str(json.loads(self._process.stdout.readline())["url"])

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
