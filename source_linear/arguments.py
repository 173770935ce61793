"""The command line: which commands there are, and what each of them is given. Knows nothing of the CDK."""

import argparse
from typing import Any, NoReturn

_HELP = {
    "spec": "print which configuration the connector takes",
    "check": "try the configuration; the answer is the message CONNECTION_STATUS, not the exit code",
    "discover": "print the streams and their columns",
    "read": "print the rows of the streams, and the states to continue from",
}


class _Version(argparse.Action):
    """Prints the version; what knows it takes longer to import than `spec` takes to answer."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"source-linear {version('source-linear')}")
        parser.exit()


def parse(arguments: list[str]) -> argparse.Namespace:
    """What the command is told to do: `command`, `debug`, and the files of that command.

    For `--help` and `--version` it prints the answer and exits with 0; arguments that are not understood
    are named on stderr, with the exit code 2.
    """
    parser = argparse.ArgumentParser(
        prog="source-linear", description="Copy a Linear workspace: an Airbyte source connector."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, text in _HELP.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument("--debug", action="store_true", help="log what is asked of Linear, too")
        if name != "spec":
            command.add_argument("--config", required=True, metavar="FILE", help="the configuration")
        if name == "read":
            command.add_argument(
                "--catalog", required=True, metavar="FILE", help="the configured catalog: what to read"
            )
            command.add_argument("--state", metavar="FILE", help="the last state of each stream")
    return parser.parse_args(arguments)
