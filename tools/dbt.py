"""dbt, on the package in `dbt/`: a process of the environment `.cache/dbt`."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.demo.processes import KEY_VARIABLE, ROOT

PACKAGE = ROOT / "dbt"
PROGRAM = ROOT / ".cache" / "dbt" / "bin" / "dbt"
MODELS = "+path:models/marts"  # the models, and the staging that they read


class DbtFailed(Exception):
    """dbt ended with an error; the text is what it printed."""


@dataclass(frozen=True)
class Dbt:
    """dbt with one database.

    Attributes:
        output: the folder of what it writes: compiled SQL, logs, results.
        target: of dbt/profiles.yml.
        settings: environment variables that the profile reads.
        variables: of the package.
        project: the folder of the project; the package itself, by default.
    """

    output: Path
    target: str
    settings: Mapping[str, str]
    variables: Mapping[str, Any] = field(default_factory=dict)
    project: Path = PACKAGE

    @classmethod
    def duckdb(cls, database: Path, output: Path, **variables: Any) -> "Dbt":
        """With a DuckDB file whose schema main holds the tables; the models go to the schema models."""
        settings = {"LINEAR_DUCKDB": str(database.resolve())}
        return cls(output, "duckdb", settings, {"linear_schema": "main", **variables})

    def run(self, command: str, *arguments: str) -> str:
        """Run a command, for example `build`; returns what it printed.

        Raises:
            DbtFailed: it failed.
        """
        line = [PROGRAM, "--no-use-colors", command, "--project-dir", self.project, "--profiles-dir", PACKAGE]
        line += ["--target", self.target, "--vars", json.dumps(self.variables), *arguments]
        environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
        written = str(self.output.resolve())
        environment |= {"DBT_TARGET_PATH": written, "DBT_LOG_PATH": written}
        done = subprocess.run(
            list(map(str, line)),
            env={**environment, **self.settings, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DbtFailed(f"{done.stdout.strip()}\n{done.stderr.strip()}".strip())
        return done.stdout

    def results(self) -> dict[str, str]:
        """How each model and test of the last run ended, by name: success, pass, warn, fail …"""
        found = json.loads((self.output / "run_results.json").read_text("utf-8"))["results"]
        return {result["unique_id"].split(".")[2]: result["status"] for result in found}
