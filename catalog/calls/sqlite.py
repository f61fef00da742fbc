"""Calls in one SQLite file of the home folder, which any number of processes use at once."""

import json
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from catalog.calls.call import Call, Known, Spent
from catalog.calls.store import COLUMNS, FIGURES, TEXTS, Deleted, Row, Standing, Transaction
from infra.errors import Failure

SHARES = 4
"""Views with a share of the calls each, which DuckDB reads at once: one view of SQLite's it reads in one thread."""
_CHUNK = 16_384
"""Calls of one share before those of the next."""
_SHOWN = """
    call_id, stage, method, run_id, role, kind, endpoint, model, prompt_tokens, completion_tokens, cached_tokens,
    cost, prices, latency, tries, attempt, batch, error, finish_reason, created_at, request, response, text
"""

# Figures and texts lie apart, so that sums over a million calls read no page of text: SQLite leaves the join out where
# none is asked for. The tables have rowids because SQLite reads those in order.
_TABLES = f"""
CREATE TABLE IF NOT EXISTS figures (
    id INTEGER PRIMARY KEY, call_id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL, method TEXT NOT NULL,
    role TEXT NOT NULL, kind TEXT NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL, finish_reason TEXT,
    prices TEXT NOT NULL, latency REAL NOT NULL, attempt INTEGER NOT NULL, batch TEXT, error TEXT, kept TEXT,
    created_at TIMESTAMP NOT NULL, prompt_tokens INTEGER, completion_tokens INTEGER, cached_tokens INTEGER, cost REAL,
    tries INTEGER NOT NULL, stage TEXT AS (substr(method, 1, instr(method || '.', '.') - 1))
);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, text TEXT, request TEXT NOT NULL, response TEXT);
CREATE VIEW IF NOT EXISTS calls AS SELECT {_SHOWN} FROM figures LEFT JOIN texts USING (id);
"""
# The id alone tells whose share a call is: in shares read one after the other, none is there twice.
_SHARES = "".join(
    f"""
CREATE VIEW IF NOT EXISTS calls_{share} AS
WITH RECURSIVE chunks(first) AS (
    SELECT {share * _CHUNK}
    UNION ALL
    SELECT first + {SHARES * _CHUNK} FROM chunks WHERE first + {SHARES * _CHUNK} <= (SELECT max(id) FROM figures)
)
SELECT {_SHOWN}
FROM chunks CROSS JOIN figures ON figures.id BETWEEN first AND first + {_CHUNK - 1} LEFT JOIN texts USING (id);
"""
    for share in range(SHARES)
)
SCHEMA = f"BEGIN IMMEDIATE; {_TABLES} {_SHARES} COMMIT;"

_CHECKPOINT = 10_000
"""Pages of 4 KiB in the journal before they move into the file: pages of the index are written again and again."""

_THERE = f"""
SELECT call_id, kept, {", ".join(Spent._fields)} FROM figures WHERE call_id IN (SELECT value FROM json_each(?))
"""
_IDS = "SELECT id FROM figures WHERE call_id IN (SELECT value FROM json_each(?))"
_SIZE = f"""
SELECT count(*), coalesce(sum(
    length(CAST(coalesce(text, '') || request || coalesce(response, '') AS BLOB))
), 0) FROM texts WHERE id IN ({_IDS})
"""
_INSERT_FIGURES = f"INSERT INTO figures (id, {', '.join(FIGURES)}) VALUES (?{', ?' * len(FIGURES)})"
_INSERT_TEXTS = f"INSERT INTO texts (id, {', '.join(TEXTS)}) VALUES (?{', ?' * len(TEXTS)})"
_UPDATE_FIGURES = f"UPDATE figures SET {' = ?, '.join(FIGURES)} = ? WHERE call_id = ?"
_UPDATE_TEXTS = f"UPDATE texts SET {' = ?, '.join(TEXTS)} = ? WHERE id = (SELECT id FROM figures WHERE call_id = ?)"
_SPEND = f"UPDATE figures SET {' = ?, '.join(Spent._fields)} = ? WHERE call_id = ?"


class SqliteCalls:
    """The calls in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # over the connection that reads, and over making the file
        self._ready = False
        self._reading: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None

    def create(self) -> None:
        """Make the file, where there is none."""
        with self._usable(), self._lock:
            self._create()

    def find(self, call_ids: Sequence[str], *, responses: bool) -> dict[str, Known]:
        """The answers that are there, by call id."""
        found = self._read(
            "SELECT call_id, text, coalesce(finish_reason, ''), prompt_tokens, completion_tokens, cost, 1, "
            f"{'response' if responses else 'NULL'} "
            "FROM json_each(?) JOIN figures ON call_id = value JOIN texts ON texts.id = figures.id WHERE kept = 'text'",
            call_ids,
        )
        return {row[0]: Known(*row[1:]) for row in found}

    def rows(self, call_ids: Sequence[str]) -> list[Call]:
        """The calls that are there."""
        names = ", ".join(COLUMNS)
        found = self._read(f"SELECT {names} FROM calls WHERE call_id IN (SELECT value FROM json_each(?))", call_ids)
        return [Call(**dict(zip(COLUMNS, row, strict=True))) for row in found]

    def asked(self, call_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Of the calls that are there: id, model and role."""
        return self._read("SELECT call_id, model, role FROM json_each(?) JOIN figures ON call_id = value", call_ids)

    def before(self, moment: str) -> list[str]:
        """The ids of the calls made before a moment."""
        return [call_id for (call_id,) in self._read("SELECT call_id FROM figures WHERE created_at < ?", moment)]

    def delete(self, call_ids: Sequence[str]) -> Deleted:
        """Remove calls with their texts; what was there is overwritten with zeros."""
        asked = json.dumps(call_ids)
        with self._usable():
            with self._lock:
                self._create()
            connection = self._writing = self._writing or self._connect()
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            try:
                gone = connection.execute(_SIZE, [asked]).fetchone()
                connection.execute(f"DELETE FROM texts WHERE id IN ({_IDS})", [asked])
                connection.execute("DELETE FROM figures WHERE call_id IN (SELECT value FROM json_each(?))", [asked])
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return Deleted(*gone)

    def write(self, work: Callable[[Transaction], None]) -> None:
        """Do some work in one transaction."""
        with self._usable():
            with self._lock:
                self._create()
            connection = self._writing = self._writing or self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
                work(_SqliteTransaction(connection))
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # where the disk is full it has rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            for connection in (self._reading, self._writing):
                if connection is not None:
                    connection.close()
            self._reading = self._writing = None

    def _read(self, sql: str, asked: str | Sequence[str]) -> list[tuple[Any, ...]]:
        with self._usable(), self._lock:
            self._create()
            self._reading = self._reading or self._connect()
            return self._reading.execute(sql, [asked if isinstance(asked, str) else json.dumps(asked)]).fetchall()

    @contextmanager
    def _usable(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise Failure(
                f"call store: {self.path} cannot be used ({error}), a SQLite file of calls is wanted; "
                "free the disk, or move the file away to start a new one"
            ) from None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")  # an answer that was paid for outlives a power cut
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        return connection

    def _create(self) -> None:
        if self._ready:
            return
        if not self._made():
            from filelock import FileLock

            # Two processes that switch a new file to WAL at once get "database is locked" at once, without waiting.
            with FileLock(f"{self.path}.lock"):
                if not self._made():
                    connection = self._connect()
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.executescript(SCHEMA)
                    connection.close()
        self._ready = True

    def _made(self) -> bool:
        """Whether tables and views are there.

        Raises:
            Failure: for a file of an earlier layout.
        """
        if not self.path.exists():
            return False
        connection = self._connect()
        try:
            found = dict(connection.execute("SELECT name, type FROM sqlite_master"))
        finally:
            connection.close()
        if found.get("calls") == "table":
            raise Failure(
                f"call store: {self.path} was written by an earlier version of Everspring, one with figures and texts "
                "apart is wanted; move the file away to start a new one, or go on with that version"
            )
        return f"calls_{SHARES - 1}" in found


class _SqliteTransaction:
    """Nobody else writes from its beginning to its end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, rows: Sequence[Row]) -> dict[str, Standing]:
        """Write the calls that are not there; returns those that are."""
        asked = json.dumps([row.figures[0] for row in rows])
        there = {
            call_id: Standing(kept, Spent(*spent))
            for call_id, kept, *spent in self._connection.execute(_THERE, [asked])
        }
        new = [row for row in rows if row.figures[0] not in there] if there else rows
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM figures").fetchone()
        numbered = list(enumerate(new, last + 1))
        self._connection.executemany(_INSERT_FIGURES, [(number, *row.figures) for number, row in numbered])
        self._connection.executemany(_INSERT_TEXTS, [(number, *row.texts) for number, row in numbered])
        return there

    def overwrite(self, rows: Sequence[Row]) -> None:
        """Put these in place of the calls with their ids."""
        self._connection.executemany(_UPDATE_FIGURES, [(*row.figures, row.figures[0]) for row in rows])
        self._connection.executemany(_UPDATE_TEXTS, [(*row.texts, row.figures[0]) for row in rows])

    def spend(self, spent: Sequence[tuple[str, Spent]]) -> None:
        """Set what the calls with these ids have used up."""
        self._connection.executemany(_SPEND, [(*its, call_id) for call_id, its in spent])
