"""Where a new refresh token goes."""

import json
from threading import Thread

import pytest
from airbyte_cdk.logger import PRINT_BUFFER

from source_linear import token_store
from source_linear.token_store import hand_back

CONFIG = {"credentials": {"auth_type": "OAuth2.0", "refresh_token": "refresh-0"}, "start_date": "2024-01-01"}
NEW = {"auth_type": "OAuth2.0", "refresh_token": "refresh-1", "access_token": "access-1"}


@pytest.fixture(autouse=True)
def outside_airbyte(monkeypatch):
    for name in token_store._IN_AIRBYTE:
        monkeypatch.delenv(name, raising=False)


def controls(capsys):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["control"]["connectorConfig"]["config"] for line in lines if line["type"] == "CONTROL"]


def test_it_leaves_at_once_as_a_control_message(capsys):
    hand_back(CONFIG, None, NEW)
    assert controls(capsys) == [{**CONFIG, "credentials": NEW}]


def test_outside_airbyte_the_configuration_file_is_kept_up_to_date(tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    path.chmod(0o600)
    hand_back(CONFIG, str(path), NEW)
    assert json.loads(path.read_text()) == controls(capsys)[0]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["WORKER_JOB_ID", "DEPLOYMENT_MODE"])
def test_inside_airbyte_the_file_is_left_alone(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    path = tmp_path / "config.json"
    path.write_text("{}")
    hand_back(CONFIG, str(path), NEW)
    assert path.read_text() == "{}"
    assert len(controls(capsys)) == 1


def test_a_file_that_cannot_be_written_is_a_warning_without_the_token(tmp_path, capsys, caplog):
    hand_back(CONFIG, str(tmp_path), NEW)  # a directory
    assert len(controls(capsys)) == 1
    (warning,) = caplog.messages
    assert "CONTROL" in warning and "refresh-" not in warning


def test_nothing_ends_the_process_while_the_file_is_written(tmp_path, capsys, monkeypatch):
    """The end by a signal waits for the lock, in a thread of its own."""
    free = []

    def look():
        free.append(PRINT_BUFFER.lock.acquire(blocking=False))
        if free[-1]:
            PRINT_BUFFER.lock.release()

    def write(path, *_):
        other = Thread(target=look)
        other.start()
        other.join()

    monkeypatch.setattr(token_store.Path, "write_text", write)
    hand_back(CONFIG, str(tmp_path / "config.json"), NEW)
    assert free == [False]
