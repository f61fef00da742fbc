"""The shared server as its users see it: found or started, watched, and held by a lease.

Every user process holds a lease: a file that it keeps locked. The system drops the lock when the process ends, however
it ends, so the server knows when nobody is left, and ends itself. The server in turn keeps `server.json` locked, and
touches it every second: who waits for it sees at once that it has died, and soon that it stands still.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import Failure
from infra.settings import Settings
from tasks.llm.embedded.process import start
from tasks.llm.embedded.weights import find_weights

START_SECONDS = 180.0
PATIENCE_SECONDS = 15.0
"""How long the server may stand still before it is killed: busy or not, it has a sign of life for every second."""


class EmbeddedServer:
    """This process's hold on the shared server: a lease, the way to start it, and an eye on it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder("embedded")
        self._lock = threading.Lock()
        self._lease: int | None = None
        self._lease_path: Path | None = None
        self._released = threading.Event()

    def locate(self) -> str:
        """The server's base URL; starts the server where none runs.

        From then on a server that stands still is killed: what was asked of it fails at once, and can be asked again.

        Raises:
            Refusal: where the weights or llama.cpp are not installed.
            Failure: where the server does not start.
        """
        weights = find_weights()
        from filelock import FileLock

        with self._lock:
            if self._lease is None:
                self._take_lease()
                threading.Thread(target=self._watch, name="embedded model's watch", daemon=True).start()
            with FileLock(self._folder / "start.lock"):
                return f"{self._find_or_start(weights)}/v1"

    def release(self) -> None:
        """Give the lease back."""
        self._released.set()
        with self._lock:
            if self._lease is not None and self._lease_path is not None:
                self._lease_path.unlink(missing_ok=True)
                os.close(self._lease)
                self._lease = None

    def _take_lease(self) -> None:
        name = f"{os.getpid()}-{uuid.uuid4().hex}"
        leases = self._settings.folder("embedded", "leases")
        # Locked before it has its name: the server removes whatever it finds unlocked.
        hidden = leases / f".{name}"
        self._lease = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lease, fcntl.LOCK_EX)
        self._lease_path = hidden.rename(leases / name)
        self._released.clear()

    def _find_or_start(self, weights: Path) -> str:
        child: subprocess.Popen[bytes] | None = None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            server = running(self._folder)
            if server is None and child is None:
                child = self._spawn(weights)
            elif server is None and child is not None and child.poll() is not None:
                raise self._not_started(f"ended with status {child.returncode}")
            elif server is not None and server.url:
                if _listens(server.url):
                    return server.url
                server.kill(self._folder)
            time.sleep(0.05)
        if child is not None:
            child.kill()
        raise self._not_started(f"did not answer within {START_SECONDS:.0f} s")

    def _spawn(self, weights: Path) -> "subprocess.Popen[bytes]":
        with self._log.open("wb") as output:
            child = start(self._settings, weights, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # Its exit status is to be collected, or it would stay as a zombie for as long as this process lives.
        threading.Thread(target=child.wait, name="embedded model", daemon=True).start()
        return child

    def _watch(self) -> None:
        """Kill a server that stands still, for as long as the lease is held."""
        from filelock import FileLock

        seen, since = 0, time.monotonic()
        while not self._released.wait(1.0):
            server = running(self._folder)
            beat = server.beat if server else 0
            if server is None or not server.url or beat != seen:
                seen, since = beat, time.monotonic()
            elif time.monotonic() - since > PATIENCE_SECONDS:
                with FileLock(self._folder / "start.lock"):
                    # Who shares it may have been quicker.
                    if running(self._folder) == server:
                        server.kill(self._folder)

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _not_started(self, what: str) -> Failure:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return Failure(
            f"embedded model: its server {what} ({lines[-1].strip()[:300] if lines else 'it said nothing'}), "
            f"an answer was wanted; see {self._log}, or set OPENAI_BASE_URL to another model"
        )


@dataclass(frozen=True)
class Running:
    """A server process that lives: its id, its URL once it serves, and the time of its last sign of life."""

    pid: int
    url: str
    beat: int

    def kill(self, folder: Path) -> None:
        """End it for certain, and wait until it has."""
        os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (now := running(folder)) and now.pid == self.pid:
            time.sleep(0.02)


def running(folder: Path) -> Running | None:
    """The server of a folder, where one lives or is on its way."""
    path = folder / "server.json"
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.pread(descriptor, 1000, 0)
        beat = os.fstat(descriptor).st_mtime_ns
    else:
        return None  # whoever wrote it is dead
    finally:
        os.close(descriptor)
    try:
        found = json.loads(told)
        return Running(int(found["pid"]), str(found["url"]), beat)
    except (ValueError, KeyError):  # it has not written that yet
        return Running(0, "", beat)


def _listens(url: str) -> bool:
    try:
        parts = urlsplit(url)
        socket.create_connection((parts.hostname, parts.port or 0), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except OSError:  # it has too much to do, which is for `_watch` to judge
        return True
    return True
