"""The command, before and after the CDK is imported."""

import json
import subprocess
import sys
from itertools import chain

import orjson
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, AirbyteRecordMessage, Type

from source_linear.command import _plain
from source_linear.components.pages import folded, unfolded
from source_linear.queries import MAX_PAGE_SIZE
from source_linear.run import main
from source_linear.source import SourceLinear


def test_spec_is_the_one_that_the_cdk_makes_of_the_manifest(capsys):
    main(["spec"])
    theirs = AirbyteMessage(type=Type.SPEC, spec=SourceLinear().spec(None))
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(orjson.dumps(AirbyteMessageSerializer.dump(theirs)))


def test_spec_does_without_the_cdk():
    command = "import sys; from source_linear.run import main; main(['spec'])"
    script = f"{command}; sys.exit('airbyte_cdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_record_is_printed_as_the_cdk_would_print_it():
    data = {"id": "a", "title": None, "labelIds": ["b"], "reactions": [{"emoji": None}]}
    record = AirbyteRecordMessage(stream="issues", data=data, emitted_at=1)
    message = AirbyteMessage(type=Type.RECORD, record=record)
    assert _plain(message) == AirbyteMessageSerializer.dump(message)


def test_rows_that_went_through_the_cdk_as_one_record_come_out_one_by_one():
    rows = [{"id": "a", "updatedAt": "2"}, {"id": "b", "updatedAt": "3"}, {"id": "c", "updatedAt": "1"}]
    (page,) = folded(rows, "updatedAt")
    assert page["updatedAt"] == "3"
    record = AirbyteRecordMessage(stream="issues", data=page, emitted_at=7)
    log = AirbyteMessage(type=Type.LOG)
    *records, last = unfolded([AirbyteMessage(type=Type.RECORD, record=record), log])
    assert [message.record.data for message in records] == rows
    assert {(message.record.stream, message.record.emitted_at) for message in records} == {("issues", 7)}
    assert last is log


def test_more_rows_than_a_page_has_become_several_records():
    rows = [{"id": number, "updatedAt": "1"} for number in range(2 * MAX_PAGE_SIZE + 1)]
    pages = [page["rows"] for page in folded(rows, "updatedAt")]
    assert [len(page) for page in pages] == [MAX_PAGE_SIZE, MAX_PAGE_SIZE, 1]
    assert list(chain.from_iterable(pages)) == rows
    assert list(folded([], "updatedAt")) == []
