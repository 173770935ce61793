"""Debian's PostgreSQL on loopback, started for the tests with a data directory of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from integration_tests.figures import note
from integration_tests.image import Unavailable, install, unprivileged

_INITDB = "/usr/lib/postgresql/*/bin/initdb"


@dataclass(frozen=True)
class Postgres:
    """Where the server is; anyone on this machine may be its superuser."""

    port: int
    host: str = "127.0.0.1"
    user: str = "postgres"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection that commits every statement."""
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, dbname=database, autocommit=True
        )

    def create(self, database: str) -> str:
        """Make an empty database; returns its name."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return database


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run a server.

    Raises:
        Unavailable: there is none here and none can be installed, or it does not start.
    """
    programs = install("postgresql", provides=_INITDB).parent
    home = Path(tempfile.mkdtemp(prefix="source-linear-postgres-"))
    identity = unprivileged()
    if identity:
        os.chown(home, identity["user"], identity["group"])
    data, server = home / "data", Postgres(_free_port())
    try:
        initdb = [
            str(programs / "initdb"),
            "--pgdata",
            str(data),
            "--username",
            server.user,
            "--auth",
            "trust",
        ]
        initdb += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, cwd=home, **identity)
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.strip()[-300:]}")
        options = {"listen_addresses": server.host, "unix_socket_directories": str(home), "fsync": "off"}
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(server.port)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        log = home / "log"
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=home, **identity)
        try:
            _wait(server, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server; where there can be none its tests are skipped."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server())
        except Unavailable as reason:
            note(f"SKIPPED: no PostgreSQL here, nothing was loaded into one: {reason}")
            warnings.warn(f"No PostgreSQL: {reason}", stacklevel=1)
            pytest.skip(f"no PostgreSQL: {reason}")
        yield server


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL does not start: {log.read_text()[-500:]}") from None
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
