"""The docs say what manifest, contract and code say."""

import json
import re

import jsonschema
import pytest

from source_linear.packaged import manifest
from tools.diagram import drawn, layout, routes
from tools.docs import REASONS, SECRETS, blocks, filled, left_out, requests_for, streams_picture
from tools.relations import AREAS, relations, unexplained
from tools.schemas import ROOT, contract, streams

LINEAR = contract()
STREAMS = streams()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGE = (ROOT / "docs" / "linear.md").read_text("utf-8")
SPEC = manifest()["spec"]["connection_specification"]["properties"]


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- What is generated ----------------------------------------------------------------------------


def test_the_generated_parts_are_what_manifest_and_contract_make_of_them():
    for name, parts in blocks().items():
        text = (ROOT / name).read_text("utf-8")
        assert text == filled(text, parts), f"{name}: run: make docs"


def test_the_picture_is_what_manifest_and_contract_make_of_it():
    assert (ROOT / "docs" / "streams.svg").read_text("utf-8") == streams_picture(), "run: make docs"


def test_every_stream_has_an_area_and_a_phrase():
    named = [name for members in AREAS.values() for name in members]
    assert sorted(named) == sorted(stream.name for stream in STREAMS), "see AREAS in tools/relations.py"


def test_a_part_without_its_markers_is_an_error():
    with pytest.raises(ValueError, match="streams"):
        filled("no markers here", {"streams": "text"})


# --- What is left out -----------------------------------------------------------------------------


def test_every_field_that_no_column_comes_from_has_a_reason_and_every_reason_is_needed():
    reasons = {
        f"{stream.entity}.{name}": reason
        for stream in STREAMS
        for name, reason in left_out(stream, STREAMS, LINEAR).items()
    }
    unknown = [where for where, reason in reasons.items() if reason is None]
    assert unknown == [], "query it, or give a reason in REASONS of tools/docs.py"
    assert set(REASONS) | set(SECRETS) <= set(reasons)


def test_no_query_names_a_secret():
    secret = {where.partition(".")[2] for where in SECRETS}
    for stream in STREAMS:
        assert not secret & set(re.findall(r"\w+", stream.query)), stream.name


# --- Relations and picture ------------------------------------------------------------------------


def test_every_column_of_ids_leads_somewhere_or_is_known_to_lead_nowhere():
    assert unexplained(STREAMS, LINEAR) == [], "see _TARGETS and _NO_ROWS in tools/relations.py"


def test_a_relation_is_found_by_type_by_parent_and_by_copy():
    found = {(one.stream, one.column): one.target for one in relations(STREAMS, LINEAR)}
    assert found["issues", "assigneeId"] == "users"
    assert found["issues", "labelIds"] == "issue_labels"
    assert found["issues", "milestoneId"] == "project_milestones"
    assert found["issue_history", "issueId"] == "issues"
    assert found["issue_history", "fromStateId"] == "workflow_states"
    assert ("issues", "slugId") not in found


def test_no_box_of_the_picture_covers_another_and_no_line_runs_through_one():
    made = layout()
    entities = {stream.name: stream.entity for stream in STREAMS}
    boxes = made.boxes.items()
    for name, box in boxes:
        assert not [
            other for other, beside in boxes if other != name and beside.holds((box.x, box.y), around=1)
        ]
    ways = routes(made, drawn(relations(STREAMS, LINEAR), entities))
    for (stream, target), way in ways.items():
        assert made.boxes[stream].holds(way[0]) and made.boxes[target].holds(way[-1])
        assert not [name for name, box in boxes for point in way[1:-1] if box.holds(point)]


# --- What is written by hand ----------------------------------------------------------------------


def test_every_link_inside_the_repository_leads_somewhere():
    for path in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists(), f"{path.name}: {link}"
            assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{path.name}: {link}"


def test_the_record_in_the_readme_is_a_record_of_the_stream():
    (example,) = [
        json.loads(block)
        for block in re.findall(r"```json\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
        if '"identifier"' in block
    ]
    schema = json.loads((ROOT / "schemas" / "issues.json").read_text("utf-8"))
    jsonschema.validate(example, {**schema, "additionalProperties": False})


def test_the_configuration_in_the_readme_has_only_options_of_the_spec():
    (example, *_) = re.findall(r"```json\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert json.loads(example).keys() <= SPEC.keys()


def test_the_messages_in_the_page_are_messages_of_the_code():
    files = sorted((ROOT / "source_linear").rglob("*.py"))
    code = "".join(path.read_text("utf-8") for path in files)
    code = re.sub(r'"\s*f?"', "", code)
    table = PAGE.partition("Errors of the input:")[2].partition("Other things")[0]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    assert len(messages) >= 8
    for message in messages:
        for part in re.split(r"…|credentials|--config|start_date|auth_type", message):
            assert part.strip(" :.") in code, message


def test_the_map_of_the_house_names_every_module():
    house = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    package = ROOT / "source_linear"
    for path in package.rglob("*.py"):
        if path.name != "__init__.py":
            assert f"`{path.relative_to(package)}`" in house, "add it to the table in CONTRIBUTING.md"


def test_a_thousand_issues_are_five_requests_and_few_more_for_lists_that_must_be_read_on():
    issues = next(stream for stream in STREAMS if stream.name == "issues")
    least, most = requests_for(issues, 1000)
    assert least == 5
    assert least < most <= 9
    assert requests_for(issues, 1000, windows=10)[0] == 10
