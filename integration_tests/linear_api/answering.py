"""How a request is answered: faults, limits, execution, in this order."""

from __future__ import annotations

from typing import Any

from graphql import ExecutionResult
from graphql.execution import Executor

from .auth import Identity
from .cost import FORMULA
from .damage import damaged
from .errors import NotInSimulator, Rejected
from .execution import Execution, RowExecutor
from .failures import INSTEAD, altered, failure, is_larger
from .kinds import LATER, Fault, Request
from .log import Record
from .parts import Parts
from .responses import Response, formatted, html, invalid, refusal, wrong_variables
from .spoiling import spoil
from .text import stringify
from .watching import struck, unreadable, watched


class Answering:
    """Answers the requests to a simulator."""

    def __init__(self, api: Parts, execution: Execution) -> None:
        self._api = api
        self._execution = execution

    def answer(
        self, request: Request, authorization: str | None, faults: list[Fault], record: Record
    ) -> Response | None:
        """The answer with its faults; the record learns which of them struck."""
        record.faults = [fault.kind for fault in faults if fault.kind not in LATER]
        slow = sum(fault.options["seconds"] for fault in faults if fault.kind == "slow")
        self._wait(record, self._api.latency + slow)
        response: Response | None = None
        for fault in faults:
            if fault.kind == "reset":
                return None
            if response is None:
                response = self._instead(fault, request, record)
        if response is None:
            try:
                response = self._executed(request, authorization, faults, record)
            except Rejected as rejection:
                record.code = rejection.errors[0]["extensions"]["code"]
                response = refusal(rejection.status, rejection.errors, rejection.headers)
        for fault in faults:
            response = altered(response, fault)
        return response

    def _instead(self, fault: Fault, request: Request, record: Record) -> Response | None:
        """What a fault answers before anything is executed; None where it does not."""
        options = fault.options
        if fault.kind in INSTEAD:
            record.code = options.get("code")
            return failure(fault, request, self._api.clock, self._api.limits)
        if fault.kind == "larger_than" and is_larger(fault, request):
            record.faults.append(fault.kind)
            if options["how"] == "hang":
                self._wait(record, options["seconds"])
            return html(options["status"])
        return None

    def _executed(
        self, request: Request, authorization: str | None, faults: list[Fault], record: Record
    ) -> Response:
        identity = self._api.auth.authenticate(authorization)
        removed = self._api.removed.union(
            *(fault.options["what"] for fault in faults if fault.kind == "removed")
        )
        document = self._execution.document(request.query, removed)
        if document.errors:
            raise invalid(document.errors)
        executor = self._execution.prepare(document, request.variables, request.operation, identity)
        if isinstance(executor, list):
            if not document.has(request.operation):
                raise invalid(executor)
            raise wrong_variables(executor, request.variables)
        assert isinstance(executor, RowExecutor)
        executor.watched = watched(faults)
        try:
            self._api.limits.check_size(executor.context_value.price)
        except Rejected:
            if self._api.limits.bills_refusals:
                self._api.limits.spend(identity, executor.context_value.cost)
            raise
        result, headers = self._billed(executor, identity, request, record)
        for error in result.errors or ():
            if isinstance(error.original_error, NotInSimulator):
                message = f"Not in the simulator: {error.original_error}"
                raise Rejected(500, "INTERNAL_SERVER_ERROR", message)
        broken = struck(faults, executor.met, request)
        if broken is not None:
            return self._unreadable(*broken, headers, record)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error) for error in result.errors]
            record.code = body["errors"][0]["extensions"]["code"]
        body["data"] = result.data
        return self._spoilt(body, faults, request, headers)

    def _billed(
        self, executor: Executor[Any], identity: Identity, request: Request, record: Record
    ) -> tuple[ExecutionResult, dict[str, str]]:
        """Execute and bill; by the formula it is billed first, as a refused request is not executed."""
        price, executed = executor.context_value.price, None
        if self._api.limits.billing != FORMULA:
            executed = self._execution.execute(executor)
        points = self._api.limits.bill(price, executed and executed.data)
        headers = self._api.limits.spend(identity, points, request.roots)
        record.complexity = points
        return executed or self._execution.execute(executor), headers

    def _unreadable(
        self, fault: Fault, place: list[Any], headers: dict[str, str], record: Record
    ) -> Response:
        record.faults.append(fault.kind)
        if fault.options["how"] == "hang":
            self._wait(record, fault.options["seconds"])
        response = unreadable(fault, place)
        if fault.options["how"] == "error":
            response.headers |= headers
            record.code = fault.options["code"] or "INPUT_ERROR"
        return response

    def _spoilt(
        self, body: dict[str, Any], faults: list[Fault], request: Request, headers: dict[str, str]
    ) -> Response:
        status, body = spoil(body, faults, request)
        sent = stringify(body)
        for fault in faults:
            if fault.kind == "damage":
                status, sent = damaged(body, fault, request)
        return Response(status, sent, headers)

    def _wait(self, record: Record, seconds: float) -> None:
        if record.told is not None:
            record.told += seconds
        elif seconds:
            self._api.stopped.wait(seconds)
