"""Values whose form is not that of their column."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from source_linear.sync.forms import Forms, warning

TYPES = {"context": "array", "source": "object", "templateData": "string"}
EXAMPLES = {"array": [], "boolean": False, "number": 0, "object": {}, "string": ""}


def test_values_of_the_declared_form_are_no_deviation():
    page = [
        {"id": "t1", "context": [], "source": {}, "templateData": "{}"},
        {"id": "t2", "context": [{"type": "issue"}], "source": {"a": 1}, "templateData": ""},
    ]
    assert Forms(TYPES).deviations(page) == {}


@pytest.mark.parametrize("expected", EXAMPLES)
@pytest.mark.parametrize("seen", EXAMPLES)
def test_a_value_of_any_other_form_is_named_with_what_was_expected_and_seen(expected, seen):
    decoded = json.loads(json.dumps(EXAMPLES[seen]))
    found = Forms({"value": expected}).deviations([{"value": decoded}])
    assert found == ({} if seen == expected else {"value": (expected, seen)})


@pytest.mark.parametrize("value", [7, -31, 0.5])
def test_a_number_may_be_whole_or_not(value):
    assert Forms({"value": "number"}).deviations([{"value": value}]) == {}


def test_null_and_a_column_that_is_not_there_are_of_any_form():
    assert Forms(TYPES).deviations([{"context": None, "templateData": None}, {}]) == {}


def test_the_first_deviation_of_a_column_counts_wherever_it_is_in_a_page():
    page = [{"source": {}}, {"source": None}, {"source": []}, {"source": "text"}]
    assert Forms(TYPES).deviations(page) == {"source": ("object", "array")}


def test_a_column_is_reported_once_and_the_others_are_still_watched():
    forms = Forms(TYPES)
    assert forms.deviations([{"source": []}]) == {"source": ("object", "array")}
    assert forms.deviations([{"source": "text", "context": {}}]) == {"context": ("array", "object")}
    assert forms.deviations([{"source": [], "context": {}}]) == {}


def test_a_record_is_left_as_it_came():
    record = {"id": "t1", "templateData": {"title": "A bug"}, "context": "[]"}
    before = json.dumps(record)
    Forms(TYPES).deviations([record])
    assert json.dumps(record) == before


def test_of_many_threads_one_reports_a_column():
    forms, together = Forms({"source": "object"}), Barrier(8)

    class Seen(dict):
        """A record that all threads look at before any of them reports."""

        def get(self, column):
            together.wait(60)
            return super().get(column)

    with ThreadPoolExecutor(8) as pool:
        assert sum(map(len, pool.map(forms.deviations, [[Seen(source=[])]] * 8))) == 1


def test_a_type_that_json_does_not_have_is_an_error():
    with pytest.raises(KeyError, match="list"):
        Forms({"source": "list"})


def test_the_warning_names_stream_column_and_both_forms():
    assert warning("templates", "templateData", "string", "object") == (
        "Stream templates: templateData is an object, but its column is declared as a string; the "
        "value is sent unchanged, and a typed destination may write null. Please report it, or update "
        "source-linear."
    )
