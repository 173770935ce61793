"""What the connector touches of airbyte-cdk's private parts: each has its effect, or is loud."""

import subprocess
import sys
from operator import attrgetter
from types import SimpleNamespace

import pytest
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

AFTER = """
import sys
import attributes_doc, inspect
reading = attributes_doc.get_attributes_doc
inspect.findsource = lambda of: exit("doc strings were read")
"""


def said(script):
    """What a new process says: serpyco-rs takes the function once, when it is first imported."""
    done = subprocess.run([sys.executable, "-c", AFTER + script], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_command_imports_the_cdk_without_reading_doc_strings():
    said_then = said("""
from source_linear.run import main
main(["discover", "--config", "none.json"])
""")
    assert "doc strings were read" not in said_then and "none.json" in said_then


def test_without_it_they_are_read():
    assert "doc strings were read" in said("import airbyte_cdk.entrypoint"), "without_docs can go"


def test_afterwards_they_are_read_again():
    assert "the same" in said("""
from source_linear.cdk import without_docs
with without_docs():
    assert attributes_doc.get_attributes_doc is not reading
print("the same" if attributes_doc.get_attributes_doc is reading else "another")
""")


@pytest.mark.parametrize(
    "missing", ["del attributes_doc.get_attributes_doc", "sys.modules['attributes_doc'] = None"]
)
def test_where_there_is_nothing_to_switch_off_nothing_is_changed(missing):
    assert "went on" in said(f"""
{missing}
from source_linear.cdk import without_docs
with without_docs():
    print("went on")
""")
