"""The parts that a fault strikes, each a process of its own: started, killed by SIGKILL, started again."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from postgres import Postgres

from infra.prefect_server import configure
from infra.settings import load_settings
from infra.web import free_port

ROOT = Path(__file__).parents[2]


class Part(Protocol):
    """A server that runs need."""

    def start(self) -> None:
        """Start it; returns when it answers."""
        ...

    def kill(self) -> None:
        """End it at once, as a crash of the machine would."""
        ...


class Server:
    """A Python program that serves on one port, from one start to the next."""

    def __init__(self, command: Callable[[int], list[str]], health: str, folder: Path, name: str, **given: str) -> None:
        self.port = free_port()
        self._command, self._health = command(self.port), f"http://127.0.0.1:{self.port}{health}"
        self._log, self._environment = folder / f"{name}.log", given
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        environment = environment_of(**self._environment)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=ROOT, env=environment
            )
        until(lambda: answers(self._health), 120, f"{self._command} did not start, see {self._log}")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


class Team(Postgres):
    """PostgreSQL, which has to end before it can be started again."""

    def start(self) -> None:
        for _ in range(60):
            try:
                super().start()
            except AssertionError:  # processes of the one that was killed have not ended yet
                time.sleep(0.25)
            else:
                return
        super().start()


class Worker:
    """A worker of Prefect's, which starts a process for each flow run; killed alone, its flow runs go on."""

    def __init__(self, folder: Path, environment: Callable[[], dict[str, str]]) -> None:
        self._log, self._environment = folder / "worker.log", environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        told = self._told()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flows", "worker"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=self._environment(),
            )
        until(lambda: self._told() > told, 180, f"the worker did not start, see {self._log}")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _told(self) -> int:
        return self._log.read_text().count(" started!") if self._log.exists() else 0


def way_to(port: int, health: str, folder: Path) -> Server:
    """The way to a server: see pipe.py."""
    script = str(Path(__file__).parent / "pipe.py")
    return Server(lambda own: [sys.executable, script, str(own), str(port)], health, folder, "pipe")


def engine_of(flow_run: str) -> int:
    """The process at work on a flow run that a worker has started; 0 where there is none."""
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"PREFECT__FLOW_RUN_ID={flow_run}".encode() in environ.read_bytes() and lives(int(environ.parent.name)):
                return int(environ.parent.name)
        except OSError:
            continue
    return 0


def endpoint(folder: Path, log: Path, delay: float) -> Server:
    """A scripted model; it writes a line for each request that it answers."""

    def command(port: int) -> list[str]:
        script = str(ROOT / "tests" / "scripted.py")
        return [sys.executable, script, "--port", str(port), "--log", str(log), "--delay", str(delay)]

    return Server(command, "/v1/models", folder, "endpoint")


def prefect(home: Path, folder: Path) -> Server:
    """A Prefect server that outlives the runs."""
    settings = load_settings(home=home)
    before = dict(os.environ)
    configure(settings)
    given = {name: value for name, value in os.environ.items() if name.startswith(("PREFECT_", "DO_NOT"))}
    os.environ.clear()
    os.environ.update(before)
    return Server(
        lambda port: [sys.executable, "-m", "infra.prefect_server", str(port)],
        "/api/health",
        folder,
        "prefect",
        **given,
    )


def environment_of(**given: str) -> dict[str, str]:
    """That of a process of the test's own: nothing of the machine's settings, and this tree's code."""
    ours = ("EVERSPRING_", "OPENAI_", "PREFECT_", "MLFLOW_", "AWS_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return clean | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | given


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def until(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: where it is not, in time.
    """
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(told[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *children_of(child)]
    return found


def lives(pid: int) -> bool:
    """Whether a process is there, and no mere exit code of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def strike(pid: int) -> None:
    """Kill a process of ours that may have ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
