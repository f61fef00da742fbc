"""Services: programs that a supervisor starts side by side, watches, starts again when they die, and ends with itself.

What runs is written to the home folder. A process is known by its id and the moment it began: an id alone may be
another program's by now.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from infra.child import Child
from infra.errors import Failure, Refusal
from infra.settings import Settings
from infra.web import healthy

START_SECONDS = 180.0
UNWELL_SECONDS = 120.0
"""A service that lives but does not answer for so long is started again."""
END_SECONDS = 60.0
LONGEST_PAUSE = 60.0
_LOOK_SECONDS = 0.5
_ASK_SECONDS = 10.0

State = Literal["waits", "starts", "runs", "done", "died", "away"]


@dataclass(frozen=True)
class Service:
    """A program to keep running.

    `start` is None where the program is somebody else's: it is only looked at. A job is done once it has ended well.
    It is begun within `making`, where it makes something as it starts that may be left half made.
    """

    name: str
    address: str
    ready: Callable[[], bool]
    start: Callable[[], Child] | None = None
    after: Sequence[str] = ()
    job: bool = False
    making: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass
class Standing:
    """How a service stands; `said` is the last line of one that died."""

    name: str
    address: str
    state: State = "waits"
    pid: int | None = None
    began: str = ""
    since: str = ""
    restarts: int = 0
    said: str = ""


class Supervisor:
    """Keeps services running for the length of `run`; `say` is told whenever one stands otherwise than before."""

    def __init__(self, settings: Settings, services: Sequence[Service], say: Callable[[Standing], None]) -> None:
        self._settings = settings
        self._services = services
        self._say = say
        self._standings = {service.name: Standing(service.name, service.address) for service in services}
        self._up = {service.name: threading.Event() for service in services}
        self._children: dict[str, Child] = {}
        self._stop = threading.Event()
        self._writing = threading.Lock()

    def run(self) -> None:
        """Start the services, and keep them running until the process is told to end.

        Raises:
            Refusal: where another supervisor keeps this home folder's services.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._settings.folder("services") / "lock")
        try:
            lock.acquire(timeout=2)
        except Timeout:
            raise Refusal(
                f"services: those of {self._settings.home.absolute()} are kept by another process, none was wanted; "
                "see `everspring status`"
            ) from None
        with lock:
            for kind in (signal.SIGTERM, signal.SIGINT):
                signal.signal(kind, self._told_to_stop)
            keepers = [threading.Thread(target=self._keep, args=(service,), daemon=True) for service in self._services]
            try:
                self._write()
                for keeper in keepers:
                    keeper.start()
                while not self._stop.wait(3600):
                    pass
            finally:
                self._stop.set()
                for service in reversed(self._services):  # the worker tells Prefect how its runs ended
                    if child := self._children.get(service.name):
                        child.end()
                for keeper in keepers:
                    keeper.join(_ASK_SECONDS)
                state_file(self._settings).unlink(missing_ok=True)

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stop.set()

    def _keep(self, service: Service) -> None:
        """Keep one service running, after those that it needs."""
        while not all(self._up[name].is_set() for name in service.after) and not self._stop.wait(_LOOK_SECONDS / 2):
            pass
        if service.start is None:
            self._look(service)
            return
        pause = 1.0
        while not self._stop.is_set():
            try:
                with service.making():
                    child = self._begin(service, service.start)
                if service.job:
                    return
                pause = 1.0
                said = self._watch(service, child)
            except Failure as failure:
                said = str(failure)
            if not self._stop.is_set():
                self._stands(service, "died", None, said)
                self._stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _begin(self, service: Service, start: Callable[[], Child]) -> Child:
        """Start a service; returns when it is ready, or, if it is a job, done.

        Raises:
            Failure: where it ends before, with what it said.
        """
        child = self._children[service.name] = start()
        self._stands(service, "starts", child)
        deadline = time.monotonic() + START_SECONDS
        while child.code is None and time.monotonic() < deadline and not self._stop.is_set():
            if not service.job and service.ready():
                break
            self._stop.wait(_LOOK_SECONDS / 2)
        if child.code != (0 if service.job else None) or not (service.job or service.ready()):
            child.end()
            raise Failure(child.last_words())
        self._stands(service, "done" if service.job else "runs", child)
        self._up[service.name].set()
        return child

    def _look(self, service: Service) -> None:
        while not self._stop.is_set():
            well = service.ready()
            self._stands(service, "runs" if well else "away", None)
            if well:
                self._up[service.name].set()
            self._stop.wait(_ASK_SECONDS if well else _LOOK_SECONDS)

    def _watch(self, service: Service, child: Child) -> str:
        """Return, once the child has ended or has not answered for long, what it said."""
        well = asked = time.monotonic()
        while child.code is None and not self._stop.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if now - asked < _ASK_SECONDS:
                continue
            asked = now
            if service.ready():
                well = now
            elif now - well > UNWELL_SECONDS:
                break
        if not self._stop.is_set():
            child.end()
        return child.last_words()

    def _stands(self, service: Service, state: State, child: Child | None, said: str = "") -> None:
        standing = self._standings[service.name]
        if standing.state == state and service.start is None:
            return
        standing.pid = child.pid if child and state != "done" else None
        standing.began = _began(standing.pid)
        standing.restarts += state == "died"
        standing.state = state
        if state != "starts":  # what a service said as it died stands until it runs
            standing.said = said
        standing.since = datetime.now(UTC).isoformat(timespec="seconds")
        self._write()
        self._say(standing)

    def _write(self) -> None:
        pid = os.getpid()
        told = {"pid": pid, "began": _began(pid), "services": [asdict(each) for each in self._standings.values()]}
        with self._writing:
            file = state_file(self._settings)
            new = file.with_suffix(".new")
            new.write_text(json.dumps(told, indent=2))
            new.replace(file)


@dataclass(frozen=True)
class Kept:
    """The services of a home folder, and the process that keeps them running; without one, none runs."""

    pid: int | None = None
    standings: Sequence[Standing] = field(default_factory=list[Standing])


def kept(settings: Settings) -> Kept:
    """The services that run for a home folder."""
    told = _read(state_file(settings))
    if not _lives(told.get("pid"), told.get("began")):
        return Kept()
    return Kept(told["pid"], [Standing(**each) for each in told["services"]])


def left_over(settings: Settings) -> list[int]:
    """Processes of services whose supervisor has died, where they have not ended yet."""
    told = _read(state_file(settings))
    if _lives(told.get("pid"), told.get("began")):
        return []
    return [each["pid"] for each in told.get("services", []) if _lives(each.get("pid"), each.get("began"))]


def serving(settings: Settings, name: str) -> str:
    """The address at which a home folder's service of that name answers; nothing where it does not."""
    for standing in kept(settings).standings:
        if standing.name == name and standing.address and healthy(standing.address):
            return standing.address
    return ""


def end_services(settings: Settings) -> bool:
    """End the services of a home folder, and wait until they have; returns whether any ran.

    Raises:
        Failure: where they do not end.
    """
    pid = kept(settings).pid
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while kept(settings).pid == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)  # its children end with it
            raise Failure(
                f"services: process {pid} did not end within {END_SECONDS:.0f} seconds, it was killed; "
                "see `everspring status`"
            )
        time.sleep(0.1)
    return True


def state_file(settings: Settings) -> Path:
    """Where a supervisor writes how its services stand."""
    return settings.folder("services") / "state.json"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}


def _began(pid: int | None) -> str:
    """When the process of that id began, in words of the system's own that no change of the clock touches, or nothing.

    A process that has ended, and of which only the exit code is left, is none.
    """
    if not pid:
        return ""
    if Path("/proc/self/stat").exists():
        try:
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if told[0] in "ZX" else f"{boot}/{told[19]}"
    asked = [shutil.which("ps") or "ps", "-o", "stat=,lstart=", "-p", str(pid)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603 - ps
    return "" if not told or told[0].startswith("Z") else " ".join(told[1:])


def _lives(pid: int | None, began: str | None) -> bool:
    """Whether a process that began then still runs under that id."""
    return bool(began) and _began(pid) == began
