"""The command `source-linear`. Imports wait for the signals to be heeded: those of the CDK take a second."""

import ctypes
import gc
import json
import os
import sys
from contextlib import suppress

from source_linear.arguments import parse
from source_linear.cdk import without_docs
from source_linear.ending import ENDING

_M_ARENA_MAX = -8  # of glibc's malloc.h


def main(arguments: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages as JSON lines on stdout.

    Exits with 0, with 1 if the command failed, and with 2 if it was not understood. SIGTERM and Ctrl-C end
    it within two seconds by the signal itself, or as PID 1 with 143 and 130. It takes over the signals of
    the process, so it is called in the main thread of one of its own.
    """
    with ENDING:
        try:
            try:
                _main(sys.argv[1:] if arguments is None else arguments)
            finally:
                sys.stdout.flush()  # while a signal still ends it: Python's own flush it would not
        except BrokenPipeError:  # whoever read the output has enough
            os._exit(1)


def _main(arguments: list[str]) -> None:
    if arguments[:1] == ["--"]:  # which ends options of `docker run` that are none, as some clients write it
        arguments = arguments[1:]
    parsed = parse(arguments)
    if parsed.command == "spec" and not parsed.debug:
        from source_linear.packaged import manifest

        declared = manifest()["spec"]
        specification = {
            "documentationUrl": declared["documentation_url"],
            "connectionSpecification": declared["connection_specification"],
            "supportsNormalization": False,
            "supportsDBT": False,
            "advanced_auth": declared["advanced_auth"],
        }
        print(json.dumps({"type": "SPEC", "spec": specification}, separators=(",", ":")))
        return
    share_one_heap()
    gc.disable()  # importing leaves nothing to collect, and takes a sixth less without looking for it
    try:
        with without_docs():
            from source_linear.command import run
    finally:
        gc.enable()
    run(parsed)


def share_one_heap() -> None:
    """Let all threads take memory from one heap: each worker's own would keep what its pages have freed."""
    with suppress(AttributeError, OSError, TypeError):  # another libc than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


if __name__ == "__main__":
    main()
