"""The command `source-linear`. The CDK is imported where it is needed: that takes a second."""

import gc
import json
import sys

from source_linear.ending import ENDING
from source_linear.packaged import manifest


def main(arguments: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages as JSON lines on stdout.

    Exits with 0, with 1 if the command failed, and with 2 if it was not understood. SIGTERM and Ctrl-C end
    it by the signal itself, or as PID 1 with 143 and 130.
    """
    ENDING.heed()
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["spec"]:
        declared = manifest()["spec"]
        specification = {
            "connectionSpecification": declared["connection_specification"],
            "supportsNormalization": False,
            "supportsDBT": False,
            "advanced_auth": declared["advanced_auth"],
        }
        print(json.dumps({"type": "SPEC", "spec": specification}, separators=(",", ":")))
        return
    gc.disable()  # importing leaves nothing to collect, and takes a sixth less without looking for it
    try:
        from source_linear.command import run
    finally:
        gc.enable()
    run(arguments)


if __name__ == "__main__":
    main()
