"""Every configuration that is printed somewhere is one that Airbyte's platform saves, and does what it says.

The platform validates with formats asserted, as jsonschema does not by itself.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from source_linear.config import Config, unknown_options
from source_linear.packaged import manifest
from tools.schemas import ROOT

SPECIFICATION = manifest()["spec"]["connection_specification"]
OPTIONS = SPECIFICATION["properties"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FILES = sorted((ROOT / "integration_tests" / "configs").glob("*.json"))

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """Whether text is a date-time of RFC 3339, as networknt asserts it."""
    text = str(value)
    datetime.fromisoformat(text)
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text))


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    return bool(urlsplit(str(value)).scheme)


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """The configurations in a document."""
    if isinstance(value, dict):
        if "credentials" in value:
            yield value
        else:
            for item in value.values():
                yield from inside(item)
    elif isinstance(value, list):
        for item in value:
            yield from inside(item)


def printed(text: str) -> Iterator[dict[str, Any]]:
    """The configurations on a page: in JSON wherever it stands, and in blocks of YAML."""
    end = 0
    for brace in re.finditer(r"\{", text):
        if brace.start() >= end:
            try:
                document, end = json.JSONDecoder().raw_decode(text, brace.start())
            except ValueError:
                continue
            yield from inside(document)
    for block in re.findall(r"```yaml\n(.+?)```", text, re.S):
        yield from inside(yaml.safe_load(block))


FOUND = [
    pytest.param(config, id=f"{path.name}-{number}")
    for path in [*PAGES, *FILES]
    for number, config in enumerate(printed(path.read_text("utf-8")), start=1)
]


def errors(config: Any, schema: Any = SPECIFICATION) -> list[str]:
    """What Airbyte's platform finds wrong with a configuration."""
    return [
        error.message
        for error in jsonschema.Draft7Validator(schema, format_checker=FORMATS).iter_errors(config)
    ]


def filled_in(value: Any) -> Any:
    """A configuration with a key in the place of each placeholder."""
    if isinstance(value, dict):
        return {name: filled_in(item) for name, item in value.items()}
    return "a-key" if value in ("YOUR_API_KEY", "$LINEAR_API_KEY", "…") else value


@pytest.mark.parametrize("config", FOUND)
def test_a_printed_configuration_is_taken_by_airbytes_platform_and_by_the_connector(
    config: dict[str, Any],
) -> None:
    assert errors(config) == []
    assert unknown_options(config, SPECIFICATION) == []
    Config.of(filled_in(config), SPECIFICATION)


def test_configurations_are_found_on_each_page_that_has_one() -> None:
    pages = {path.name for path in PAGES if re.search(r"auth_type\W+API Key", path.read_text("utf-8"))}
    assert {"README.md", "clients.md", "linear.md"} <= pages
    assert {str(one.id).rpartition("-")[0] for one in FOUND} >= pages


# Values that a page names to say that they are gone.
GONE = {("archived_rows", "exclude"), ("archived_rows", "exclude is gone")}
NAMED = {
    (name, value)
    for path in PAGES
    for name, value in re.findall(r"`(\w+): ([^`…]+)`", path.read_text("utf-8"))
    if name in ("start_date", "archived_rows", "detect_deletions") and (name, value) not in GONE
}


@pytest.mark.parametrize(("name", "value"), sorted(NAMED))
def test_a_value_that_is_named_on_a_page_is_one_of_its_option(name: str, value: str) -> None:
    assert errors(value, OPTIONS[name]) == []


@pytest.mark.parametrize("page", [one for one in PAGES if one.name not in ("CHANGELOG.md", "migrating.md")])
def test_an_option_that_is_gone_is_named_where_one_migrates_and_nowhere_else(page: Path) -> None:
    assert "reconcile_archived" not in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "example"), [(name, one) for name in OPTIONS for one in OPTIONS[name].get("examples", ())]
)
def test_an_example_of_the_spec_is_valid(name: str, example: Any) -> None:
    assert errors(example, OPTIONS[name]) == []


def test_what_the_form_saves_with_nothing_but_a_key_filled_in_is_valid() -> None:
    defaults = {name: one["default"] for name, one in OPTIONS.items() if "default" in one}
    config = {"credentials": {"auth_type": "API Key", "api_key": "a-key"}}
    assert errors({**defaults, **config}) == []
    assert Config.of({**defaults, **config}, SPECIFICATION) == Config.of(config, SPECIFICATION)


@pytest.mark.parametrize("kind", [one["title"] for one in OPTIONS["credentials"]["oneOf"]])
def test_each_kind_of_credentials_is_one_of_the_choices_and_no_other(kind: str) -> None:
    (option,) = [one for one in OPTIONS["credentials"]["oneOf"] if one["title"] == kind]
    values = {name: one.get("const", "a-value") for name, one in option["properties"].items()}
    if "token_expiry_date" in values:
        assert errors({"credentials": {**values, "token_expiry_date": "2026-01-01"}})  # formats are asserted
        values["token_expiry_date"] = "2026-01-01T00:00:00.000Z"
    assert errors({"credentials": values}) == []


def test_every_format_of_the_spec_is_asserted_here() -> None:
    assert set(re.findall(r"'format': '([^']+)'", str(SPECIFICATION))) == set(FORMATS.checkers)


@pytest.mark.parametrize("start_date", ["2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z"])
def test_each_form_of_start_date_is_taken_by_airbytes_platform(start_date: str) -> None:
    config = {"credentials": {"auth_type": "API Key", "api_key": "a-key"}, "start_date": start_date}
    assert errors(config) == []


def titled(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in schema["properties"].items():
        yield f"{place}{name}", one
        for choice in one.get("oneOf", ()):
            yield f"{place}{name}", choice
            yield from titled(choice, f"{name}.")


@pytest.mark.parametrize(("place", "schema"), [one for one in titled(SPECIFICATION) if "const" not in one[1]])
def test_the_form_says_what_is_wanted_in_few_words(place: str, schema: dict[str, Any]) -> None:
    assert len(schema["title"]) <= 45
    assert len(schema.get("description", "").split()) <= 50


def test_what_the_last_release_took_is_taken_but_for_what_the_migration_names() -> None:
    # Airbyte's own comparison of specs is waived for 0.3.0 (acceptance-test-config.yml).
    path = ROOT / "integration_tests" / "released_spec.json"
    before = json.loads(path.read_text("utf-8"))["spec"]["connectionSpecification"]
    assert set(SPECIFICATION["required"]) <= set(before["required"])
    assert before["properties"].keys() - OPTIONS.keys() == {"reconcile_archived"}
    assert unknown_options({"reconcile_archived": True}, SPECIFICATION) == []
    gone = {
        (name, choice)
        for name, option in before["properties"].items()
        for choice in option.get("enum") or [one.get("const") for one in option.get("oneOf", ())]
        if choice and choice not in json.dumps(OPTIONS.get(name))
    }
    assert gone == {("archived_rows", "exclude")}
