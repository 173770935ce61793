"""A Docker engine, and the stand-in for Airbyte's base image where that cannot be pulled."""

import ast
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tools.machine import Unavailable, cache_directory, install

_BASE = "source-linear-standin-base"
_BASE_PACKAGES = "python3,python3-venv,ca-certificates"
_PIP_SETTINGS = ("index-url", "proxy", "timeout", "trusted-host")
_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class EngineError(Exception):
    """The engine refused something; says what, and what it printed."""


@dataclass
class Engine:
    """A running engine.

    Attributes:
        environment: what `docker` and whatever calls it have to find in their environment.
        base_image: the base to build on; None for the Dockerfile's own.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    base_image: str | None = None

    def docker(self, *arguments: str | Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run `docker` with these arguments."""
        command = ["docker", *map(str, arguments)]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)

    def must(self, *arguments: str | Path, timeout: float = 600) -> str:
        """Run `docker` with these arguments; returns what it printed.

        Raises:
            EngineError: it did not succeed.
        """
        done = self.docker(*arguments, timeout=timeout)
        if done.returncode:
            said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            raise EngineError(f"docker {' '.join(map(str, arguments))}:\n{said}")
        return done.stdout

    def build(self, context: Path, tag: str, *options: str, made: str = "0") -> None:
        """Build the Dockerfile of a directory, each stage under a tag so that its layers are kept.

        Args:
            context: the directory.
            tag: of the image.
            options: further ones of `docker build` for the image.
            made: the time that its files are to have, in seconds since 1970.
        """
        arguments = ["--build-arg", f"SOURCE_DATE_EPOCH={made}"]
        if self.base_image:
            arguments += ["--build-arg", f"BASE_IMAGE={self.base_image}"]
        for stage in (["--target", "build", "--tag", f"{tag}-build"], ["--tag", tag, *options]):
            self.must("build", "--network", "host", *arguments, *stage, context)
        if self.base_image:  # the engine is ours
            self.must("image", "prune", "--force")


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """The engine that is there, or one of our own with a stand-in for the base image.

    Raises:
        Unavailable: there is none, and none can be started here.
    """
    if shutil.which("docker") and Engine().docker("version").returncode == 0:
        yield Engine()
        return
    install("docker.io", provides="/usr/sbin/dockerd")
    home = cache_directory("docker")
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one engine at a time on these directories
        with _running(home) as engine:
            if engine.docker("image", "inspect", _BASE).returncode:
                _make_base(engine)
            engine.base_image = _BASE
            yield engine


@contextmanager
def _running(home: Path) -> Iterator[Engine]:
    socket = f"unix://{home}/socket"
    engine = Engine({"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "0"})
    command = ["dockerd", "--host", socket, "--data-root", str(home / "data")]
    command += ["--exec-root", str(home / "exec"), "--pidfile", str(home / "pid")]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    _end_what_a_killed_run_left(home)
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while engine.docker("version").returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"dockerd does not start: {log.read_text()[-500:]}")
            time.sleep(0.2)
        yield engine
    finally:
        process.terminate()
        process.wait(timeout=60)
        # The engine leaves it mounted, and then its directory could not be removed.
        subprocess.run(["umount", home / "exec" / "netns" / "default"], capture_output=True)


def _end_what_a_killed_run_left(home: Path) -> None:
    """End an engine on these directories, which nobody uses any more: their lock is ours."""
    with suppress(OSError, ValueError):
        pid = int((home / "pid").read_text())
        while str(home) in Path(f"/proc/{pid}/cmdline").read_text():
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.5)


def _make_base(engine: Engine) -> None:
    """Import a minimal Debian that has what Airbyte's base image has: python and the user airbyte."""
    install("mmdebstrap", provides="/usr/bin/mmdebstrap")
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
        pip_conf = Path(scratch) / "pip.conf"
        pip_conf.write_text(_pip_conf(), "utf-8")
        archive = Path(scratch) / "base.tar"
        hooks = [
            f"upload {_CA_BUNDLE} {_CA_BUNDLE}",
            f"upload {pip_conf} /etc/pip.conf",
            'ln -s /usr/bin/python3 "$1/usr/local/bin/python"',
            'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
            'chroot "$1" useradd --uid 1000 --user-group --no-create-home airbyte',
            'install -d -o 1000 -g 1000 "$1/airbyte"',
        ]
        done = subprocess.run(
            ["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", f"--include={_BASE_PACKAGES}"]
            + [f"--customize-hook={hook}" for hook in hooks]
            + ["bookworm", str(archive)],
            env={**os.environ, "TMPDIR": scratch},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Unavailable(f"mmdebstrap failed: {done.stderr.strip()[-500:]}")
        engine.must("import", archive, _BASE)


def _pip_conf() -> str:
    """How this machine's pip reaches its index, for pip inside a build."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    lines = ["[global]", f"cert = {_CA_BUNDLE}"]
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        setting = name.rpartition(".")[2]
        if setting in _PIP_SETTINGS:
            lines.append(f"{setting} = {ast.literal_eval(value)}")
    return "\n".join(lines) + "\n"
