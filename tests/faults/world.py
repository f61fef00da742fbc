"""A world to break: a home folder, the servers that its runs need, and lanes of runs that go on whatever is killed."""

import json
import queue
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from moto_store import bucket_of, start_moto
from parts import ROOT, Server, Team, Worker, endpoint, engine_of, environment_of, prefect, way_to
from postgres import database_of

from catalog.store import Lake
from infra.settings import Settings, load_settings
from infra.web import ask_prefect, free_port

CONCURRENCY = 4
"""Requests in flight of one run: so many may be asked again after it was killed."""
PLAIN = {
    "EVERSPRING_HEDGE": "false",  # a request that is sent twice on purpose would look like one asked again
    "EVERSPRING_CONCURRENCY": str(CONCURRENCY),
    "EVERSPRING_PARTITION": "2",
    "EVERSPRING_MODEL": "scripted",
    "EVERSPRING_SCREENS": json.dumps({"fluency": "off", "repetition": "off"}),
    "EVERSPRING_SCREEN_OPTIONS": json.dumps({"contaminated": {"by_meaning": 0}}),
    "EVERSPRING_MEASURES_OFF": json.dumps(["poisoning", "semantic_diversity", "embedded_fidelity", "drift"]),
}
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
Command = tuple[str, ...]
FIRST: Command = (
    "alignment",
    "--method",
    "ultrafeedback",
    "--read",
    "ultrafeedback.prompts=raw.prompts",
    "--rows",
    "4",
)
SECOND: Command = ("lifecycle", "--method", "self_instruct", "--rows", "6")
LANES = (FIRST, SECOND)
DEPLOYED: Command = ("data_preparation", "--method", "amps", "--rows", "6")
"""What is run by a worker."""
ASKS_EMBEDDED: Command = (
    "instruction_tuning",
    "--method",
    "alpagasus",
    "--read",
    "alpagasus.pairs=raw.conversations",
    "--rows",
    "2",
)
"""What is asked of the embedded model."""
PATIENCE = 1200.0
"""Seconds within which each run must come to a good end, however often it is struck."""
LOST = 30.0
"""Seconds after which a flow run that nothing works on, and that has not ended, is taken for lost."""


class Nursery:
    """Runs, forked from a process that has imported everything; see nursery.py."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, str(Path(__file__).parent / "nursery.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment), cwd=ROOT
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"
        self._lock = threading.Lock()
        self._begun: queue.Queue[int] = queue.Queue()
        self._codes: dict[int, int] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def begin(self, arguments: Sequence[str], output: Path, *, without: Sequence[str] = ()) -> int:
        """Start a run of `everspring`, `without` some of the nursery's settings; returns its process."""
        assert self._process.stdin
        told = {"arguments": list(arguments), "output": str(output), "without": list(without)}
        with self._lock:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            return self._begun.get(timeout=120)

    def end_of(self, pid: int) -> int:
        """The exit code of a run, once it has ended; that of a signal is negative."""
        with self._changed:
            while pid not in self._codes:
                assert self._changed.wait(900), f"run {pid} does not end"
            return self._codes.pop(pid)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line)
            if "code" not in told:
                self._begun.put(told["pid"])
                continue
            with self._changed:
                self._codes[told["pid"]] = told["code"]
                self._changed.notify_all()


@dataclass
class Lane:
    """Runs one after the other, each with another seed, and each again until it has ended well."""

    command: Command
    world: "World"
    nursery: Nursery
    without: Sequence[str] = ()
    """The settings that its runs lack."""
    seed: int = 0
    failed: Counter[int] = field(default_factory=Counter[int])
    pid: int = 0
    seconds: float = 20.0
    """What the last run that ended well took."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def go(self) -> None:
        """Start, and go on until told to stop."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the run at work end well, and then stop."""
        self._stop.set()
        if self._thread:
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive(), f"{self.command} did not end"

    @property
    def log(self) -> Path:
        return self.world.folder / f"{self.command[0]}.log"

    def once(self) -> int:
        """One run; returns its exit code."""
        began = time.monotonic()
        self.pid = self.nursery.begin(("run", *self.command, "--seed", str(self.seed)), self.log, without=self.without)
        code = self.nursery.end_of(self.pid)
        self.pid = 0
        if code == 0:
            self.seed, self.seconds = self.seed + 1, time.monotonic() - began
        else:
            self.failed[code] += 1
        return code

    def _work(self) -> None:
        ended, good = time.monotonic(), True
        while not self._stop.is_set() or not good:
            if good := self.once() == 0:
                ended = time.monotonic()
            elif time.monotonic() - ended > PATIENCE:
                raise AssertionError(f"{self.command} did not come to a good end; see its log in {self.world.folder}")
            else:
                time.sleep(1)


class Deployed(Lane):
    """Runs that a worker makes, triggered as Prefect's page does it."""

    def once(self) -> int:
        """One run; returns 0 where it has completed."""
        began, api = time.monotonic(), f"http://127.0.0.1:{self.world.prefect.port}/api"
        stage, _, method, _, rows = self.command
        parameters = {"methods": [method], "rows": int(rows), "seed": self.seed}
        run = self._ask(api, f"deployments/name/{stage}/weekly")
        run = self._ask(api, f"deployments/{run['id']}/create_flow_run", {"parameters": parameters})
        worked = time.monotonic()
        while (state := self._ask(api, f"flow_runs/{run['id']}")["state_type"]) not in ENDED:
            self.pid = engine_of(run["id"])
            if self.pid or state == "SCHEDULED":
                worked = time.monotonic()
            elif time.monotonic() - worked > LOST:
                break
            time.sleep(0.2)
        self.pid = 0
        if state == "COMPLETED":
            self.seed, self.seconds = self.seed + 1, time.monotonic() - began
            return 0
        self.failed[1] += 1
        return 1

    @staticmethod
    def _ask(api: str, path: str, body: Any = None) -> Any:
        """What Prefect answers, once it does."""
        deadline = time.monotonic() + 120
        while (found := ask_prefect(api, path, body)) is None:
            assert time.monotonic() < deadline, f"Prefect does not answer {path}"
            time.sleep(0.2)
        return found


class World:
    """A home, its servers, and what was answered."""

    def __init__(self, folder: Path, *, team: bool = False, delay: float = 0.1) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(parents=True)
        self.asked = folder / "asked.jsonl"
        self.asked.touch()
        self.endpoint = endpoint(folder, self.asked, delay)
        self.prefect = prefect(self.home, folder)
        self.worker = Worker(folder, lambda: self.environment)
        self.postgres = Team() if team else None
        self.store: Server | None = None
        self._settings: dict[str, str] = {}
        self._stored: list[tuple[set[str], int]] = []

    @contextmanager
    def standing(self) -> "Iterator[World]":
        """The servers, for the length of the block."""
        with ExitStack() as stack:
            if self.postgres:
                stack.callback(self.postgres.remove)
                self.postgres.start()
                stack.callback(self.postgres.stop)
                self._settings["EVERSPRING_LAKE"] = database_of(self.postgres.url)
                port = free_port()
                moto = start_moto(self.folder, port)
                stack.callback(moto.kill)
                self.store = way_to(port, "/moto-api/", self.folder)
                stack.callback(self.store.kill)
                self.store.start()
                bucket = replace(bucket_of(f"http://127.0.0.1:{port}"), endpoint=f"http://127.0.0.1:{self.store.port}")
                self._settings |= bucket.environment
            for part in (self.endpoint, self.prefect):
                stack.callback(part.kill)
                part.start()
            self._give_room()
            stack.callback(self.worker.kill)
            self.worker.start()
            yield self

    def _give_room(self) -> None:
        """Let runs ask the endpoint side by side: a run that was killed would keep its places there for a minute."""
        body = json.dumps({"name": f"scripted at 127.0.0.1:{self.endpoint.port}", "limit": 1000}).encode()
        address = f"http://127.0.0.1:{self.prefect.port}/api/v2/concurrency_limits/"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()

    @property
    def environment(self) -> dict[str, str]:
        """That of a run."""
        return environment_of(
            **PLAIN,
            **self._settings,
            EVERSPRING_HOME=str(self.home),
            OPENAI_BASE_URL=f"http://127.0.0.1:{self.endpoint.port}/v1",
            PREFECT_API_URL=f"http://127.0.0.1:{self.prefect.port}/api",
        )

    @property
    def settings(self) -> Settings:
        return load_settings(
            home=self.home, **{name.removeprefix("EVERSPRING_").lower(): its for name, its in self._settings.items()}
        )

    @property
    def lake(self) -> Lake:
        return Lake(self.settings)

    def remember(self) -> None:
        """Note which answers are in the call store by now: none of them may be asked for from here on."""
        stored = self.stored()
        self._stored.append((stored, len(self.asked.read_bytes().splitlines())))

    def stored(self) -> set[str]:
        """The requests whose answers the call store holds."""
        if self.postgres:
            import psycopg

            with psycopg.connect(self._settings["EVERSPRING_LAKE"]) as connection:
                there = connection.execute("SELECT to_regclass('everspring.texts') IS NOT NULL").fetchone()
                if not there or not there[0]:
                    return set()
                found = connection.execute("SELECT request FROM everspring.texts WHERE text IS NOT NULL").fetchall()
        else:
            file = self.home / "calls.sqlite"
            if not file.exists():
                return set()
            connection = sqlite3.connect(file, timeout=60)
            try:
                found = connection.execute("SELECT request FROM texts WHERE text IS NOT NULL").fetchall()
            finally:
                connection.close()
        return {canonical(json.loads(request)) for (request,) in found}

    def requests(self) -> list[str]:
        """Every request that was answered, in order, as it was sent."""
        return [canonical(json.loads(line)["body"]) for line in self.asked.read_text().splitlines()]

    def asked_though_stored(self) -> list[str]:
        """Requests that were answered again though an answer was in the call store."""
        requests = self.requests()
        return [sent for stored, place in self._stored for sent in requests[place:] if sent in stored]

    def asked_again(self) -> int:
        """Answers that came more than once: those of requests that were in flight when something was killed."""
        return sum(count - 1 for count in Counter(self.requests()).values())


def canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


@contextmanager
def a_world(*, team: bool = False, delay: float = 0.1, keep: bool = False) -> Iterator[World]:
    """A world in a temporary folder, with its servers up."""
    folder = Path(tempfile.mkdtemp(prefix="everspring-faults-"))
    try:
        with World(folder, team=team, delay=delay).standing() as world:
            yield world
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
