"""`python -m integration_tests.linear_api`: serve a generated workspace until stopped."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import threading

from . import Clock, LinearApi
from .cost import BILLINGS, FORMULA
from .late import Late


def main() -> None:
    """Print one JSON line with the addresses and the key, then serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m integration_tests.linear_api")
    parser.add_argument("--issues", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--now", help="stop the clock at this moment, which rows are made for")
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--rate-limit-requests", type=int)
    parser.add_argument("--rate-limit-points", type=int)
    parser.add_argument("--rate-limit-window", type=float, help="seconds, 3600 by default")
    parser.add_argument("--billing", choices=BILLINGS, default=FORMULA, help="how a query is billed")
    parser.add_argument("--late", action="store_true", help="commit rows 0.02 to 30 s after their stamps")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    api = LinearApi(
        issues=options.issues,
        seed=options.seed,
        clock=Clock(options.now),
        port=options.port,
        latency=options.latency_ms / 1000,
    )
    api.limits.set(
        requests=options.rate_limit_requests,
        points=options.rate_limit_points,
        window=options.rate_limit_window,
    )
    api.limits.billing = options.billing
    if options.late:
        api.workspace.late = Late(options.seed)
    gc.collect()
    gc.freeze()  # the collector would walk the workspace again and again
    with api:
        line = {
            "url": api.url,
            "api_key": api.api_key,
            "token_url": api.token_url,
            "control_url": api.control_url,
            "client_id": api.auth.client_id,
            "client_secret": api.auth.client_secret,
            "refresh_token": api.auth.refresh_token,
        }
        print(json.dumps(line), flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
