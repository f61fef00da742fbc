"""The call store: every request to a model and its answer, in one SQLite file, written before the answer is used.

A call is known by what was asked of which model, not by where that model is served: the same question is never paid for
twice, by any process on the same home folder, and a run that died goes on where it stopped.
"""

import json
import queue
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from catalog.records import clean
from infra.errors import Failure
from infra.settings import Settings

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    call_id           TEXT PRIMARY KEY,  -- hash of model, question, parameters, schema, seed, sample, attempt
    run_id            TEXT NOT NULL,     -- the run and method that asked first; empty outside a run
    method            TEXT NOT NULL,
    role              TEXT NOT NULL,
    endpoint          TEXT NOT NULL,     -- address without credentials, or 'embedded'
    model             TEXT NOT NULL,
    request           TEXT NOT NULL,     -- JSON, as sent
    response          TEXT,              -- JSON, as it came; null where no answer did
    text              TEXT,              -- of the answer; null where none came
    finish_reason     TEXT,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost              REAL,              -- not known
    latency           REAL NOT NULL,     -- seconds, of the last try
    tries             INTEGER NOT NULL,
    error             TEXT,              -- why no answer came; such a call is asked again the next time
    created_at        TEXT NOT NULL      -- UTC
) WITHOUT ROWID
"""

_IN_ONE_QUERY = 500
_IN_ONE_COMMIT = 200


@dataclass(frozen=True, kw_only=True)
class Call:
    """One row of the table `calls`."""

    call_id: str
    run_id: str
    method: str
    role: str
    endpoint: str
    model: str
    request: str
    response: str | None = None
    text: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    latency: float = 0.0
    tries: int = 0
    error: str | None = None
    created_at: str = ""


@dataclass(frozen=True)
class Known:
    """An answer in the store; `reused` where it was there before it was asked for."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    reused: bool = True


@dataclass(frozen=True)
class Attribution:
    """On whose account calls are made."""

    run_id: str = ""
    method: str = ""


_attribution: ContextVar[Attribution] = ContextVar("attribution", default=Attribution())  # noqa: B039 - it is frozen

_COLUMNS = tuple(field.name for field in fields(Call))
# A failure gives way to an answer or a newer failure; an answer stays for ever.
_INSERT = f"""
INSERT INTO calls ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
ON CONFLICT (call_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
WHERE calls.text IS NULL
"""


def calls_path(settings: Settings) -> Path:
    """The file of the call store; it exists from the first look-up on."""
    return settings.folder() / "calls.sqlite"


@contextmanager
def attribution(*, run_id: str, method: str) -> Generator[None]:
    """Book the calls made inside to a run and its method."""
    token = _attribution.set(Attribution(run_id, method))
    try:
        yield
    finally:
        _attribution.reset(token)


def current_attribution() -> Attribution:
    """The account of the calls made here."""
    return _attribution.get()


class CallStore:
    """The calls in one file: looked up by any thread, written by one thread that commits what has come in together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._ready = False
        self._writer: threading.Thread | None = None
        self._inbox: queue.SimpleQueue[tuple[Call, Callable[[Known | Exception | None], None]] | None] = (
            queue.SimpleQueue()
        )

    def create(self) -> None:
        """Make the file, where there is none: the lake's view `catalog.calls` reads it.

        Raises:
            Failure: where it cannot be made.
        """
        with self._open():
            pass

    def find(self, call_ids: Sequence[str]) -> dict[str, Known]:
        """The answers that are there, by call id.

        Raises:
            Failure: where the file cannot be read.
        """
        with self._open() as connection:
            found: dict[str, Known] = {}
            for start in range(0, len(call_ids), _IN_ONE_QUERY):
                part = call_ids[start : start + _IN_ONE_QUERY]
                rows = connection.execute(
                    "SELECT call_id, text, prompt_tokens, completion_tokens FROM calls "
                    f"WHERE text IS NOT NULL AND call_id IN ({', '.join('?' * len(part))})",
                    part,
                )
                found |= {row[0]: Known(*row[1:]) for row in rows}
            return found

    def put(self, call: Call, then: Callable[[Known | Exception | None], None]) -> None:
        """Write a call, from any thread, then tell `then`, in the writer's thread.

        `then` gets the answer that stands in the store (another process may have been first), None for a call that
        failed, or the error where it could not be written.
        """
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="call store", daemon=True)
                self._writer.start()
        self._inbox.put((call, then))

    def close(self) -> None:
        """Write what is still to be written and end the writer."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            self._inbox.put(None)
            writer.join()

    def _write(self) -> None:
        more = True
        while more:
            batch = [self._inbox.get()]
            while len(batch) < _IN_ONE_COMMIT:
                try:
                    batch.append(self._inbox.get_nowait())
                except queue.Empty:
                    break
            more = None not in batch
            items = [item for item in batch if item is not None]
            try:
                stands = self._commit([call for call, _ in items])
            except Exception as error:  # noqa: BLE001 - whoever waits for the answer must hear of it
                for _, then in items:
                    then(error)
            else:
                for call, then in items:
                    then(stands.get(call.call_id))

    def _commit(self, calls: Sequence[Call]) -> dict[str, Known]:
        now = datetime.now(UTC).isoformat(sep=" ", timespec="microseconds").removesuffix("+00:00")
        stands: dict[str, Known] = {}
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for call in calls:
                values = (*astuple(call)[:-1], call.created_at or now)
                if connection.execute(_INSERT, values).rowcount and call.text is not None:
                    stands[call.call_id] = Known(call.text, call.prompt_tokens, call.completion_tokens, reused=False)
            connection.execute("COMMIT")
        others = [call.call_id for call in calls if call.call_id not in stands]
        return stands | self.find(others) if others else stands

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """A connection of the calling thread's own, for one read or one write."""
        try:
            self._create()
            connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = NORMAL")
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise Failure(
                f"call store: {self.path} cannot be used ({error}), a SQLite file of calls is wanted; "
                "free the disk, or move the file away to start a new one"
            ) from None

    def _create(self) -> None:
        with self._lock:
            if self._ready:
                return
            from filelock import FileLock

            # Two processes that switch a new file to WAL at once get "database is locked" at once, without waiting.
            with FileLock(f"{self.path}.lock"):
                connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute(SCHEMA)
                finally:
                    connection.close()
            self._ready = True


def as_json(value: object) -> str:
    """JSON text, readable, without the lone surrogates that no file can hold."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
