"""What the connector touches of airbyte-cdk's private parts: each has its effect, or is loud."""

import subprocess
import sys
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType, SimpleNamespace

import pytest
import serpyco_rs
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from source_linear import cdk
from source_linear.components.retriever import LinearRetriever
from source_linear.packaged import manifest
from source_linear.source import SourceLinear

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}


@pytest.fixture(scope="module")
def source():
    return SourceLinear(config=CONFIG)


def of(*names):
    made = manifest()
    made["streams"] = [one for one in made["streams"] if one["$parameters"]["name"] in names]
    return made


def streams(source, *names):
    cdk.use_manifest(source, of(*names))
    return ConcurrentDeclarativeSource.streams(source, CONFIG)


def test_the_streams_are_those_of_the_manifest_in_use(source):
    assert [stream.name for stream in streams(source, "users")] == ["users"]
    assert [stream.name for stream in streams(source, "teams", "issues")] == ["issues", "teams"]


def test_a_manifest_that_is_in_use_is_not_changed(source):
    made = of("users")
    before = of("users")
    cdk.use_manifest(source, made)
    assert made == before


def test_the_retriever_of_a_stream_knows_what_the_manifest_declares_of_it(source):
    (stream,) = streams(source, "users")
    retriever = cdk.retriever_of(stream)
    assert isinstance(retriever, LinearRetriever)
    assert (retriever.stream.name, retriever.stream.kind, retriever.page_size) == ("users", "swept", 250)


def touched(source):
    (stream,) = streams(source, "users")
    return SimpleNamespace(source=source, stream=stream, entrypoint=AirbyteEntrypoint(source))


@pytest.mark.parametrize(
    ("function", "owner", "name"),
    [
        ("use_manifest", "source", "_pre_process_manifest"),
        ("use_manifest", "source", "_source_config"),
        ("retriever_of", "stream", "_stream_partition_generator"),
        ("retriever_of", "stream._stream_partition_generator", "_partition_factory"),
        ("retriever_of", "stream._stream_partition_generator._partition_factory", "_retriever"),
        ("memory_monitor_of", "entrypoint", "_memory_monitor"),
    ],
)
def test_what_the_cdk_no_longer_has_is_named(monkeypatch, source, function, owner, name):
    of_source = touched(source)
    arguments = {
        "use_manifest": (source, of("users")),
        "retriever_of": (of_source.stream,),
        "memory_monitor_of": (of_source.entrypoint,),
    }
    getattr(cdk, function)(*arguments[function])
    without = attrgetter(owner)(of_source)
    kind = type(without)
    holder = without if name in vars(without) else next(one for one in kind.__mro__ if name in vars(one))
    monkeypatch.delattr(holder, name)
    with pytest.raises(AttributeError) as caught:
        getattr(cdk, function)(*arguments[function])
    assert str(caught.value) == (
        f"airbyte-cdk has no {kind.__name__}.{name} any more: this connector needs version 7.39. "
        "Install the locked requirements, or adapt source_linear/cdk.py."
    )


# What only makes it faster

DESCRIBE = "serpyco_rs._describe"


@dataclass
class Documented:
    one: int
    """The first."""


def described():
    return str(serpyco_rs.Serializer(Documented).get_json_schema())


def test_serializers_are_made_without_reading_doc_strings_and_then_with_them_again():
    with cdk.without_docs():
        assert "The first." not in described() and "'one'" in described()
    assert "The first." in described(), "serpyco-rs reads them otherwise now: without_docs can go"


def test_where_there_is_nothing_to_switch_off_they_are_made_all_the_same(monkeypatch):
    monkeypatch.setitem(sys.modules, DESCRIBE, ModuleType(DESCRIBE))
    with cdk.without_docs():
        assert "'one'" in described()
    assert vars(sys.modules[DESCRIBE]).keys() == vars(ModuleType(DESCRIBE)).keys()


def test_the_command_imports_the_cdk_without_reading_doc_strings():
    script = """
import serpyco_rs._describe as describe
describe.get_attributes_doc = lambda of: exit("doc strings were read")
from source_linear.run import main
main(["discover", "--config", "none.json"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "doc strings were read" not in done.stdout + done.stderr
    assert "none.json" in done.stdout
