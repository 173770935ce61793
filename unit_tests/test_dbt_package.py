"""The dbt package's generated part is of the manifest and the contract."""

import re
import tomllib
from pathlib import Path

import yaml

from tools.dbt_package import PACKAGE, RELATIONS, STAGING, TOMBSTONE, column_type, files, snake_case
from tools.demo import report
from tools.relations import relations
from tools.schemas import ROOT, contract, schema_of, streams


def test_the_committed_files_are_the_generated_ones() -> None:
    made = files()
    for path, text in made.items():
        assert path.exists() and path.read_text("utf-8") == text, f"{path.relative_to(ROOT)}: run `make docs`"
    left = {*STAGING.glob("*"), *RELATIONS.glob("*")} - set(made)
    assert not left, "of streams that are gone: run `make docs`"


def test_the_sources_describe_every_column_of_every_stream() -> None:
    (source,) = yaml.safe_load((PACKAGE / "models" / "linear_sources.yml").read_text("utf-8"))["sources"]
    described = {
        table["name"]: {column["name"]: column["description"] for column in table["columns"]}
        for table in source["tables"]
    }
    linear = contract()
    assert {name: set(columns) for name, columns in described.items()} == {
        stream.name: set(schema_of(stream, linear)["properties"]) for stream in streams()
    }
    assert all(text.endswith(".") for columns in described.values() for text in columns.values())
    assert described["issues"]["assigneeId"] == "The id of a row of `users`."
    assert described["issues"]["labelIds"] == "The ids of rows of `issue_labels`, complete."
    assert "`AgentActivitySignal`: auth, continue" in described["agent_activities"]["signal"]


def test_two_columns_of_a_stream_never_get_one_name() -> None:
    for stream in streams():
        names = [snake_case(name) for name in stream.column_names]
        assert len(names) == len(set(names)), stream.name


def test_a_tombstones_column_does_not_come_into_staging() -> None:
    for path in STAGING.glob("*.sql"):
        assert f"'{TOMBSTONE}'" not in path.read_text("utf-8")


def test_every_relation_is_tested_but_those_to_rows_that_linear_does_not_list() -> None:
    for relation in relations(streams(), contract()):
        text = (RELATIONS / f"linear_relations_of_{relation.stream}.sql").read_text("utf-8")
        line = f"'{snake_case(relation.column)}': ref('stg_linear__{relation.target}'),"
        assert (line in text) == (relation.target not in ("templates",)), relation


def test_the_package_has_the_version_of_the_connector() -> None:
    project = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text("utf-8"))
    connector = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == connector["version"]
    assert f"revision: v{connector['version']} " in (ROOT / "docs" / "dbt.md").read_text("utf-8")


def test_every_model_has_a_contract_and_every_column_a_type_and_a_description() -> None:
    project = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text("utf-8"))
    assert project["models"]["linear"]["marts"]["+contract"] == {"enforced": True}
    models = yaml.safe_load((PACKAGE / "models" / "marts" / "linear_models.yml").read_text("utf-8"))["models"]
    assert {model["name"] for model in models} == {
        path.stem for path in (PACKAGE / "models" / "marts").glob("*.sql")
    }
    for model in models:
        for column in model["columns"]:
            assert column["data_type"] and column["description"].endswith("."), (
                model["name"],
                column["name"],
            )


def test_every_column_of_staging_is_described() -> None:
    models = yaml.safe_load((STAGING / "stg_linear__staging.yml").read_text("utf-8"))["models"]
    assert len(models) == len(streams())
    for model in models:
        described = {column["name"]: column["description"] for column in model["columns"]}
        text = (STAGING / f"{model['name']}.sql").read_text("utf-8")
        made = set(re.findall(r"': \('(\w+)', '", text)) | {"is_archived"}
        assert set(described) == made | ({"is_deleted"} if "has_trash" in text else set()), model["name"]
        assert all(words.endswith(".") for words in described.values())


def test_every_model_has_a_unit_test_of_dbts_own() -> None:
    marts = PACKAGE / "models" / "marts"
    tests = yaml.safe_load((marts / "linear_unit_tests.yml").read_text("utf-8"))["unit_tests"]
    # The progress of a project counts issues of today, and has no rule of its own.
    assert {test["model"] for test in tests} == {path.stem for path in marts.glob("*.sql")} - {
        "linear_project_progress"
    }
    assert max(len(test["name"]) for test in tests) <= 63, "a relation's name, which PostgreSQL would cut"


def test_the_exposure_names_the_models_that_the_report_asks() -> None:
    path = PACKAGE / "models" / "marts" / "linear_exposures.yml"
    (exposure,) = yaml.safe_load(path.read_text("utf-8"))["exposures"]
    asked = set(re.findall(r"models\.(linear_\w+)", Path(report.__file__).read_text("utf-8")))
    assert set(exposure["depends_on"]) == {f"ref('{name}')" for name in asked}


def test_names_and_types_of_columns() -> None:
    assert snake_case("uncompletedIssueIdsUponClose") == "uncompleted_issue_ids_upon_close"
    assert column_type({"type": ["null", "string"], "format": "date-time"}) == "timestamp"
    assert column_type({"type": ["null", "number"]}) == "number"
    assert column_type({"type": ["null", "array"]}) == "json"


def test_dbt_opens_the_demos_database_with_the_demos_duckdb() -> None:
    versions = {
        re.search(r"^duckdb==(\S+)", (ROOT / "requirements" / lock).read_text("utf-8"), re.M)[1]  # type: ignore[index]
        for lock in ("test.txt", "dbt.txt")
    }
    assert len(versions) == 1
