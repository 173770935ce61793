"""Compare Linear's API with docs/linear-api.md, claim by claim.

Reads only: at most 200 requests and 300,000 points. Credentials come from LINEAR_API_KEY or from the
connector's configuration; LINEAR_API_URL names a proxy or a simulator.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.errors import LinearError
from source_linear.sync.lister import Lister
from source_linear.sync.workspace import questions, workspace_of
from tools.schemas import streams
from tools.verify.asking import BoundReached, Linear, NotSeen
from tools.verify.claim import Claim, Findings, Outcome, Verdict, unseen
from tools.verify.claims import CLAIMS
from tools.verify.report import beforehand, conclusion, document, line
from tools.verify.settings import address, api_of, configuration, stranger
from tools.verify.watch import TITLE, Event, watch
from tools.verify.watch import claims as watched

HOLDS, DIFFERS, FAILED, INTERRUPTED = 0, 1, 2, 130


def look(linear: Linear, claims: Iterable[Claim] = CLAIMS) -> Iterator[Outcome]:
    """Look at the claims, one after the other."""
    for claim in claims:
        yield Outcome(claim, _findings(linear, claim))


def _findings(linear: Linear, claim: Claim) -> Findings:
    try:
        return claim.look(linear)
    except (NotSeen, BoundReached) as reason:
        return unseen(str(reason))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        return unseen(f"an answer is not of the form that Linear's schema says ({type(error).__name__})")


def main(arguments: Sequence[str] | None = None, say: Callable[[str], None] = print) -> int:
    """Verify; returns 0 if all that could be seen holds, 1 if something differs, 2 if nothing was seen."""
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=__doc__)
    parser.add_argument("--config", help="the connector's configuration, for its credentials")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON as well")
    parser.add_argument("--watch", action="store_true", help="follow an issue that you change by hand")
    parser.add_argument("--title", default=TITLE, help=f"the title of that issue; default: {TITLE}")
    options = parser.parse_args(arguments)
    logging.getLogger("airbyte").setLevel(logging.CRITICAL)  # it would repeat Linear's texts
    try:
        config = configuration(options.config, os.environ)
        api = api_of(config, options.config)
    except AirbyteTracedException as error:
        print(error.message, file=sys.stderr)
        return FAILED
    auth_type = config.credentials["auth_type"]
    known = {one.name: one for one in streams()}
    linear = Linear(api, known, auth_type != "API Key", stranger=stranger(config))
    say(beforehand(address(config), options.watch) + "\n")
    started = time.monotonic()
    try:
        workspace_of(Lister(api).ask(questions(())), ())
    except LinearError as error:
        print(error, file=sys.stderr)
        return FAILED
    outcomes: list[Outcome] = []
    events: list[Event] = []
    code = HOLDS
    try:
        for event in watch(linear, options.title, say) if options.watch else ():
            events.append(event)
        for outcome in () if options.watch else look(linear):
            outcomes.append(outcome)
            say(line(outcome))
    except KeyboardInterrupt:
        code = HOLDS if options.watch else INTERRUPTED
    except NotSeen as reason:
        print(f"{reason}", file=sys.stderr)
        return FAILED
    for outcome in look(linear, watched(events)) if options.watch else ():
        outcomes.append(outcome)
        say(line(outcome))
    seconds = time.monotonic() - started
    say(conclusion(outcomes, linear.meter, seconds))
    if options.json:
        report = document(outcomes, linear.meter, seconds, address(config), auth_type)
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        say(f"Written: {options.json}")
    verdicts = {one.findings.verdict for one in outcomes}
    if Verdict.DIFFERS in verdicts:
        return code or DIFFERS
    return code or (HOLDS if Verdict.HOLDS in verdicts else FAILED)


if __name__ == "__main__":
    sys.exit(main())
