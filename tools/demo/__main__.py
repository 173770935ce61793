"""Sync a Linear workspace into DuckDB and look at it.

Reads a simulator of Linear's API that runs on this machine, or, with LINEAR_API_KEY in the
environment, the workspace of that key. Run it again, and it reads what changed since.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb

from tools.demo.connector import Connector
from tools.demo.destination import DuckDBDestination
from tools.demo.errors import DemoError, sentence
from tools.demo.models import make_report, show_picture
from tools.demo.processes import KEY_VARIABLE
from tools.demo.screen import Screen
from tools.demo.summary import answer_questions, conclude, show_tables
from tools.demo.sync import Sync, refuse_another_workspace, sync, write_down
from tools.demo.workspace import Directory, make_room_for_own, own_workspace, simulated_workspace

_FEWEST_ISSUES = 20
_INTERRUPTED = 130  # exit code, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(".demo"), help="default: .demo")
    parser.add_argument("--issues", type=int, default=2000, help="issues in the simulated workspace")
    parser.add_argument("--fresh", action="store_true", help="start over")
    parser.add_argument("--no-report", action="store_true", help="without the models of dbt and the report")
    parser.add_argument("--api-url", help="Linear's GraphQL endpoint, if it is behind a proxy")
    options = parser.parse_args(arguments)
    if options.issues < _FEWEST_ISSUES:
        parser.error(f"--issues: at least {_FEWEST_ISSUES}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    screen = Screen()
    try:
        _demo(options, screen)
    except (DemoError, OSError, duckdb.Error) as error:
        screen.error(sentence(error, options.directory))
        return 1
    except KeyboardInterrupt:
        screen.error("Stopped. What was stored is kept; the next run goes on from there.")
        return _INTERRUPTED
    return 0


def _interrupt(*_: object) -> None:
    """End in order, and let no second Ctrl-C disturb that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _demo(options: argparse.Namespace, screen: Screen) -> None:
    directory = Directory(options.directory)
    if options.fresh:
        directory.clear()
    screen.title("From Linear to DuckDB")
    with ExitStack() as stack:
        if key := os.environ.get(KEY_VARIABLE):
            workspace = own_workspace(key, options.api_url)
            screen.text(f"Reading your workspace, with the key in {KEY_VARIABLE}.")
        else:
            context = simulated_workspace(options.issues, directory, screen)
            workspace = stack.enter_context(context)
        connector = stack.enter_context(Connector(workspace.config))

        with screen.step("spec") as step:
            settings = connector.spec()["connectionSpecification"]
            needed = ", ".join(settings["required"])
            step.result = f"{len(settings['properties'])} settings, of which it needs {needed}"
        with screen.step("check") as step:
            step.result = connector.check()
        with screen.step("discover") as step:
            streams = connector.discover()
            columns = sum(len(stream["json_schema"]["properties"]) for stream in streams)
            step.result = f"{len(streams)} streams with {columns:,} columns"

        if not workspace.simulator:
            make_room_for_own(directory)
        destination = stack.enter_context(DuckDBDestination(directory.database))
        destination.prepare(streams)
        if not workspace.simulator:
            refuse_another_workspace(connector, destination, streams)
        with screen.step("read") as step:

            def report(done: Sync) -> None:
                step.result = f"{done.records.total():,} rows, {len(done.complete)} of {len(streams)} streams"
                step.update(len(done.complete), len(streams))

            done = sync(connector, destination, streams, report)
            step.failed = bool(done.failed)

        if workspace.simulator:
            done.requests = workspace.simulator.requests()
        syncs = write_down(destination, done)
        answer_questions(screen, destination)
        show_tables(screen, destination, streams, done)
    report = None
    if not options.no_report:
        screen.title("Models")
        source = "your workspace" if workspace.simulator is None else "a simulated workspace"
        report = make_report(screen, directory.database, f"From {source}.")
    conclude(screen, directory.database, syncs, done.warnings)
    if report:
        show_picture(screen, report)
    if done.failure:
        raise done.failure


if __name__ == "__main__":
    sys.exit(main())
