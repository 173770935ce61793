"""The simulator of Linear's API in a process of its own, and the connector against it."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.process import server
from integration_tests.connector import Connector, Output
from tools.simulator import MODULE, Simulator

_NO_LIMIT = 10**9


class SimulatedWorkspace(AbstractContextManager["SimulatedWorkspace"]):
    """A workspace, and a connector that reads all of it."""

    def __init__(self, issues: int, directory: Path) -> None:
        self._server = server("-m", MODULE, "--issues", str(issues), "--seed", "1")
        self._directory = directory

    def __enter__(self) -> "SimulatedWorkspace":
        self._simulator = Simulator(self._server.__enter__())
        self.connector = Connector(self._directory, self._simulator.config)
        self.catalog = self.connector.catalog()
        self.control("limits", requests=_NO_LIMIT, points=_NO_LIMIT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def sync(self, state: Any = None, catalog: Any = None) -> Output:
        """Read all streams, or those of a catalog; forgets the requests of before."""
        self.control("clear_requests")
        output = self.connector.read(catalog or self.catalog, state)
        if output.exit_code:
            raise RuntimeError("\n".join(output.logs[-20:]))
        return output

    def requests(self) -> list[dict[str, Any]]:
        """The requests of the last sync."""
        log: list[dict[str, Any]] = self.control("requests")
        return log

    def control(self, operation: str, **options: Any) -> Any:
        """Carry out an operation of the simulator's control channel."""
        return self._simulator.order(operation, **options)
