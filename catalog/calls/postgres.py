"""Calls in the PostgreSQL database that keeps a team's catalogue, used by all its machines at once."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from catalog.calls.call import Call, Known, Spent
from catalog.calls.store import COLUMNS, FIGURES, TEXTS, Deleted, Row, Standing, Transaction
from catalog.postgres import psycopg, why_not
from infra.errors import Failure

T = TypeVar("T")

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS everspring;
CREATE TABLE everspring.figures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, call_id text COLLATE "C" NOT NULL UNIQUE, run_id text NOT NULL,
    method text NOT NULL, role text NOT NULL, kind text NOT NULL, endpoint text NOT NULL, model text NOT NULL,
    finish_reason text, prices text NOT NULL, latency double precision NOT NULL, attempt bigint NOT NULL, batch text,
    error text, kept text, created_at timestamp NOT NULL, prompt_tokens bigint, completion_tokens bigint,
    cached_tokens bigint, cost double precision, tries bigint NOT NULL
);
CREATE TABLE everspring.texts (id bigint PRIMARY KEY, text text, request text NOT NULL, response text);
CREATE VIEW everspring.calls AS
SELECT call_id, split_part(method, '.', 1) AS stage, method, run_id, role, kind, endpoint, model, prompt_tokens,
    completion_tokens, cached_tokens, cost, prices, latency, tries, attempt, batch, error, finish_reason, created_at,
    request, response, text
FROM everspring.figures LEFT JOIN everspring.texts USING (id);
"""

_MAKING = 0x45565251  # an advisory lock: any fixed number, another than that of the lake's writers
_WAITS = (0.0, 1.0, 3.0, 10.0)
"""Seconds before each further try where a connection was lost: a server that starts anew is soon back."""
_AT_ONCE = 1000
"""Calls in one statement."""

_TYPES = {
    **dict.fromkeys(("latency", "cost"), "double precision"),
    **dict.fromkeys(("attempt", "tries", "prompt_tokens", "completion_tokens", "cached_tokens"), "bigint"),
    "created_at": "timestamp",
}


def _given(names: Sequence[str]) -> str:
    """The rows of a JSON parameter, in the order of their ids: whoever locks rows does so in this order."""
    listed = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)
    return f'given AS MATERIALIZED (SELECT * FROM json_to_recordset(%s) AS r ({listed}) ORDER BY call_id COLLATE "C")'


def _set(names: Sequence[str]) -> str:
    return ", ".join(f"{name} = given.{name}" for name in names)


_INSERT = f"""
WITH {_given((*FIGURES, *TEXTS))},
new AS (
    INSERT INTO everspring.figures ({", ".join(FIGURES)}) SELECT {", ".join(FIGURES)} FROM given
    ON CONFLICT (call_id) DO NOTHING RETURNING id, call_id
),
wide AS (
    INSERT INTO everspring.texts (id, {", ".join(TEXTS)})
    SELECT id, {", ".join(TEXTS)} FROM new JOIN given ON given.call_id = new.call_id
)
SELECT call_id FROM new
"""
_THERE = f"""
SELECT call_id, kept, {", ".join(Spent._fields)} FROM everspring.figures WHERE call_id = ANY(%s)
ORDER BY call_id FOR UPDATE
"""
_OVERWRITE = f"""
WITH {_given((*FIGURES, *TEXTS))},
old AS (
    UPDATE everspring.figures SET {_set(FIGURES[1:])} FROM given WHERE figures.call_id = given.call_id
    RETURNING figures.id, figures.call_id
)
UPDATE everspring.texts SET {_set(TEXTS)} FROM old JOIN given ON given.call_id = old.call_id WHERE texts.id = old.id
"""
_SPEND = f"""
WITH {_given(("call_id", *Spent._fields))}
UPDATE everspring.figures SET {_set(Spent._fields)} FROM given WHERE figures.call_id = given.call_id
"""


_DELETE = """
WITH gone AS (DELETE FROM everspring.figures WHERE call_id = ANY(%s) RETURNING id),
wide AS (
    DELETE FROM everspring.texts USING gone WHERE texts.id = gone.id
    RETURNING octet_length(coalesce(text, '') || request || coalesce(response, '')) AS bytes
)
SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM wide
"""


class PostgresCalls:
    """The calls in the schema `everspring` of one database."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()  # over the connection that reads
        self._connections: dict[str, Any] = {}
        self._reached = False

    def create(self) -> None:
        """Make the tables, where there are none."""
        with self._lock:
            self._surely("reading", str)  # to connect is to make them

    def find(self, call_ids: Sequence[str], *, responses: bool) -> dict[str, Known]:
        """The answers that are there, by call id."""
        found = self._read(
            "SELECT call_id, text, coalesce(finish_reason, ''), prompt_tokens, completion_tokens, cost, true, "
            f"{'response' if responses else 'NULL'} FROM everspring.figures JOIN everspring.texts USING (id) "
            "WHERE kept = 'text' AND call_id = ANY(%s)",
            call_ids,
        )
        return {row[0]: Known(*row[1:]) for row in found}

    def rows(self, call_ids: Sequence[str]) -> list[Call]:
        """The calls that are there."""
        names = ", ".join("created_at::text" if name == "created_at" else name for name in COLUMNS)
        found = self._read(f"SELECT {names} FROM everspring.calls WHERE call_id = ANY(%s)", call_ids)
        return [Call(**dict(zip(COLUMNS, row, strict=True))) for row in found]

    def asked(self, call_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Of the calls that are there: id, model and role."""
        return self._read("SELECT call_id, model, role FROM everspring.figures WHERE call_id = ANY(%s)", call_ids)

    def before(self, moment: str) -> list[str]:
        """The ids of the calls made before a moment."""
        found = self._read("SELECT call_id FROM everspring.figures WHERE created_at < %s", moment)
        return [call_id for (call_id,) in found]

    def delete(self, call_ids: Sequence[str]) -> Deleted:
        """Remove calls with their texts."""

        def transact(connection: Any) -> Deleted:
            with connection.transaction():
                return Deleted(*connection.execute(_DELETE, [list(call_ids)]).fetchone())

        return self._surely("writing", transact)

    def write(self, work: Callable[[Transaction], None]) -> None:
        """Do some work in one transaction; again, where the connection was lost."""

        def transact(connection: Any) -> None:
            with connection.transaction():
                work(_PostgresTransaction(connection))

        self._surely("writing", transact)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def _read(self, sql: str, asked: str | Sequence[str]) -> list[tuple[Any, ...]]:
        value = asked if isinstance(asked, str) else list(asked)
        with self._lock:
            return self._surely("reading", lambda connection: connection.execute(sql, [value]).fetchall())

    def _surely(self, what_for: str, work: Callable[[Any], T]) -> T:
        """What `work` makes of a connection; where that is lost, of another one.

        Raises:
            Failure: where the server cannot be used.
        """
        client = psycopg()
        waits = list(_WAITS)
        while True:
            try:
                if what_for not in self._connections:
                    self._connections[what_for] = self._connect(client)
                return work(self._connections[what_for])
            except client.DataError:
                raise
            except client.Error as error:
                lost = self._connections.pop(what_for, None)
                if lost is not None:
                    lost.close()
                passing = isinstance(error, (client.OperationalError, client.InterfaceError))
                if not (passing and self._reached and waits):
                    raise Failure(
                        f"call store: PostgreSQL cannot be used ({why_not(error)}), a database that can be "
                        "written to is wanted; see EVERSPRING_LAKE, and its server's log"
                    ) from None
                time.sleep(waits.pop(0))

    def _connect(self, client: Any) -> Any:
        connection = client.connect(self._address, autocommit=True, client_encoding="utf8")
        connection.isolation_level = client.IsolationLevel.READ_COMMITTED
        # pg_views is read anew: to_regclass would look into a cache, which a lock that was waited for does not refresh
        there = "SELECT viewname FROM pg_views WHERE schemaname = 'everspring' AND viewname = 'calls'"
        if not connection.execute(there).fetchone():
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
                if not connection.execute(there).fetchone():
                    connection.execute(SCHEMA)
        self._reached = True
        return connection


class _PostgresTransaction:
    """Rows that it writes or asks for are held until it ends."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def insert(self, rows: Sequence[Row]) -> dict[str, Standing]:
        """Write the calls that are not there; returns those that are."""
        new: set[str] = set()
        ordered = sorted(rows, key=lambda row: row.figures[0])
        for start in range(0, len(ordered), _AT_ONCE):
            given = _as_parameter(ordered[start : start + _AT_ONCE])
            new |= {call_id for (call_id,) in self._connection.execute(_INSERT, [given])}
        others = [row.figures[0] for row in rows if row.figures[0] not in new]
        if not others:
            return {}
        there = self._connection.execute(_THERE, [others])
        return {call_id: Standing(kept, Spent(*spent)) for call_id, kept, *spent in there}

    def overwrite(self, rows: Sequence[Row]) -> None:
        """Put these in place of the calls with their ids."""
        if rows:
            self._connection.execute(_OVERWRITE, [_as_parameter(rows)])

    def spend(self, spent: Sequence[tuple[str, Spent]]) -> None:
        """Set what the calls with these ids have used up."""
        if spent:
            given = [{"call_id": call_id, **its._asdict()} for call_id, its in spent]
            self._connection.execute(_SPEND, [json.dumps(given)])


def _as_parameter(rows: Sequence[Row]) -> str:
    names = (*FIGURES, *TEXTS)
    given = [dict(zip(names, (*row.figures, *row.texts), strict=True)) for row in rows]
    return json.dumps(given, ensure_ascii=False)
