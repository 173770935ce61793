"""The demo runs the connector as Airbyte does, and repeats in its words what went wrong."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tools.connector import configured
from tools.demo import connector as module
from tools.demo.connector import Connector
from tools.demo.errors import DemoError
from tools.demo.processes import KEY_VARIABLE, running

KEY = "lin_api_secret"
STREAM = {
    "name": "issues",
    "supported_sync_modes": ["full_refresh", "incremental"],
    "default_cursor_field": ["updatedAt"],
    "source_defined_primary_key": [["id"]],
}
RECORD = {"type": "RECORD", "record": {"stream": "issues", "data": {"id": "a"}}}


def log(message: str) -> dict[str, Any]:
    return {"type": "LOG", "log": {"level": "INFO", "message": message}}


def error(message: str) -> dict[str, Any]:
    return {"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": message}}}


class Process:
    """A connector process that answers what it was told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any] | str] = []
        self.code = 0
        self.stderr = ""
        self.arguments: dict[str, Any] = {}
        self.modes: set[int] = set()

    @contextmanager
    def run(self, module: str, command: str, *arguments: str) -> Iterator["Process"]:
        assert module == "source_linear.run"
        for option, path in zip(arguments[::2], arguments[1::2], strict=True):
            self.arguments[option] = json.loads(Path(path).read_text())
            self.modes.add(stat.S_IMODE(os.stat(path).st_mode))
        yield self

    def lines(self) -> Iterator[bytes]:
        for answer in self.answers:
            yield (answer if isinstance(answer, str) else json.dumps(answer)).encode() + b"\n"

    def wait(self) -> int:
        return self.code

    def complaint(self) -> str:
        return self.stderr


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    made = Process()
    monkeypatch.setattr(module, "running", made.run)
    return made


@pytest.fixture
def connector() -> Iterator[Connector]:
    with Connector({"credentials": {"api_key": KEY}}) as made:
        yield made


def test_a_check_says_what_the_connector_says_of_the_workspace(
    process: Process, connector: Connector
) -> None:
    status = {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}
    process.answers = [log("Connected to Acme."), log("Check succeeded"), status]

    assert connector.check() == "Connected to Acme."


def test_a_check_that_fails_fails_with_the_connectors_reason(process: Process, connector: Connector) -> None:
    status = {"status": "FAILED", "message": "The key is not valid."}
    process.answers = [{"type": "CONNECTION_STATUS", "connectionStatus": status}]

    with pytest.raises(DemoError, match=r"^The key is not valid\.$"):
        connector.check()


def test_a_check_without_an_answer_fails(process: Process, connector: Connector) -> None:
    with pytest.raises(DemoError, match="did not say"):
        connector.check()


def test_the_configuration_is_for_this_user_alone_and_gone_afterwards(process: Process) -> None:
    with Connector({"credentials": {"api_key": KEY}}) as connector:
        list(connector.read([STREAM], [{"type": "STREAM"}]))
        folder = Path(connector._folder.name)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert process.arguments["--config"] == {"credentials": {"api_key": KEY}}
    assert process.arguments["--state"] == [{"type": "STREAM"}]
    assert process.modes == {0o600}
    assert not folder.exists()


def test_the_configuration_is_gone_after_a_failure_too(process: Process) -> None:
    with pytest.raises(DemoError), Connector({}) as connector:
        folder = Path(connector._folder.name)
        connector.check()

    assert not folder.exists()


def test_the_first_read_has_no_state(process: Process, connector: Connector) -> None:
    list(connector.read([STREAM]))

    assert set(process.arguments) == {"--config", "--catalog"}


def test_streams_are_read_incrementally_and_deduplicated() -> None:
    assert configured(STREAM) == {
        "stream": STREAM,
        "sync_mode": "incremental",
        "destination_sync_mode": "append_dedup",
        "cursor_field": ["updatedAt"],
        "primary_key": [["id"]],
    }


def test_a_stream_that_knows_only_full_refresh_is_read_so() -> None:
    stream = {"name": "x", "supported_sync_modes": ["full_refresh"]}

    assert configured(stream)["sync_mode"] == "full_refresh"


def test_lines_that_are_no_messages_are_passed_over(process: Process, connector: Connector) -> None:
    process.answers = ["a library prints", RECORD]

    assert list(connector.read([STREAM])) == [RECORD]


def test_a_read_that_fails_gives_its_records_first_then_the_connectors_last_word(
    process: Process, connector: Connector
) -> None:
    process.answers = [error("issues: refused"), RECORD, error("1 of 2 streams failed.")]
    process.code = 1
    messages = connector.read([STREAM])
    seen = []

    with pytest.raises(DemoError, match=r"^1 of 2 streams failed\.$"):
        for message in messages:
            seen.append(message["type"])

    assert seen == ["TRACE", "RECORD", "TRACE"]


@pytest.mark.parametrize(
    ("stderr", "said"),
    [("No module named x", "No module named x"), ("", "read ended with exit code 1.")],
)
def test_a_connector_that_dies_without_a_word_is_reported_by_its_stderr(
    process: Process, connector: Connector, stderr: str, said: str
) -> None:
    process.code, process.stderr = 1, stderr

    with pytest.raises(DemoError) as caught:
        list(connector.read([STREAM]))

    assert str(caught.value) == said


def test_a_child_process_does_not_inherit_the_key_and_ends_with_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)

    with running("timeit", "-n", "1", "import os; print(sorted(os.environ))") as child:
        variables = b"".join(child.lines()).decode()
        assert child.wait() == 0
    assert "PATH" in variables and KEY_VARIABLE not in variables

    with running("http.server", "0") as child:
        pass
    assert child.wait() < 0
