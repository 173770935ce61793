"""Build and test the dbt package on the demo's database, filled first where it is not there.

    python -m tools.models [--directory FOLDER]

`make models` runs it. It ends with 1 when a model or a test fails. Relations whose row is missing only warn.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tools.dbt import Dbt, DbtFailed
from tools.demo.__main__ import main as demo


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.models")
    parser.add_argument("--directory", type=Path, default=Path(".demo"), help="default: .demo")
    directory: Path = parser.parse_args().directory
    database = directory / "linear.duckdb"
    if not database.exists() and (code := demo(["--directory", str(directory), "--no-report"])):
        return code
    dbt = Dbt.duckdb(database, directory / "dbt", linear_relation_severity="warn")
    try:
        dbt.run("build")
    except DbtFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    statuses = Counter(dbt.results().values())
    for name, status in dbt.results().items():
        if status == "warn":
            print(f"warning: {name}")
    print(f"{database}: {statuses['success']} models built, {statuses['pass']} tests passed, ", end="")
    print(f"{statuses['warn']} warned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
