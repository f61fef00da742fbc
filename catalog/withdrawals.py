"""Withdrawals: what came of a record, a source, a model or a licence, wherever it is, and its removal from the lake.

Rows are followed down `catalog.lineage`, intermediate rows and calls included. Nothing is changed in a version: the
tables get new ones without the rows, all in one transaction. What was withdrawn is remembered by id alone.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from catalog.history import Chain
from catalog.history import chains as all_chains
from catalog.pins import pinned
from catalog.publish import Run, insert, next_version
from catalog.store import RAW, Lake, TableRef, Version
from infra.errors import Refusal

if TYPE_CHECKING:
    import duckdb

WITHDRAW, PURGE = "withdraw", "purge"
"""The modes of versions that only take rows out; of a purged one it is no longer known when each row came."""
_DIGITS, _LEAST = 32, 6
"""Digits of a record id, and how many may stand for all of it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be withdrawn: record ids, sources (or raw tables), models, licences; all that came of each."""

    records: Sequence[str] = ()
    sources: Sequence[str] = ()
    models: Sequence[str] = ()
    licences: Sequence[str] = ()

    def __str__(self) -> str:
        named = (
            ("record", self.records),
            ("source", self.sources),
            ("model", self.models),
            ("licence", self.licences),
        )
        return ", ".join(f"{kind} {name}" for kind, names in named for name in names)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A version that can be read and has withdrawn rows: how many, and whether it is pinned."""

    version: Version
    rows: int
    pinned: bool


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a withdrawal comes to, by ids.

    `rows` has those in the last version of each table, `aside` those in quarantine, in reviews, and among the rejected,
    by table. `holding` are all versions that have some. `answers` are the calls that made these rows, and no
    other; `shared` counts those that made another row too. `ids` are all rows, intermediate ones and, where a model was
    asked for, its calls.
    """

    asked: Asked
    rows: Mapping[str, Sequence[str]]
    aside: Mapping[str, Sequence[str]]
    holding: Sequence[Holding]
    answers: Sequence[str]
    shared: int
    ids: frozenset[str]

    @property
    def count(self) -> int:
        """Rows in last versions, over all tables."""
        return sum(map(len, self.rows.values()))

    def to_json(self) -> str:
        """Everything, as JSON."""
        told = {
            "asked": asdict(self.asked),
            "rows": self.rows,
            "aside": self.aside,
            "versions": [
                {"version": str(each.version.ref), "rows": each.rows, "pinned": each.pinned} for each in self.holding
            ],
            "answers": self.answers,
            "answers_shared": self.shared,
            "ids": sorted(self.ids),
        }
        return json.dumps(told, ensure_ascii=False, indent=2, default=list)


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """A withdrawal that was done, as `catalog.withdrawals` has it."""

    withdrawal_id: str
    withdrawn_at: datetime
    who: str
    why: str
    asked: Asked
    rows: int
    tables: Sequence[str]
    versions: Sequence[str]
    held_by: Sequence[str]
    answers: int
    purge: Literal["", "asked", "done"] = ""
    reach: Reach | None = field(default=None, repr=False, compare=False)


def reach(lake: Lake, asked: Asked) -> Reach:
    """What came of what is asked for; nothing is changed.

    Raises:
        Refusal: for a record, source, model or licence that there is none of.
    """
    with lake.read(once=True) as connection:
        return _reach(connection, lake, asked)


def withdraw(
    lake: Lake, asked: Asked, *, who: str, why: str, purge: bool = False, code_revision: str = ""
) -> Withdrawal:
    """Publish, in one transaction, every table concerned without its withdrawn rows, and remember them.

    `purge`: earlier versions and answers are to go too.

    Raises:
        Refusal: as `reach` does, or where there is nothing to withdraw.
    """
    number, now = f"withdrawal-{uuid.uuid4().hex[:8]}", datetime.now(UTC)
    with lake.write(f"{number}: {asked}", {"why": why}) as connection:
        found = _reach(connection, lake, asked)
        if not found.count and not any(found.aside.values()):
            raise Refusal(f"withdraw: no table has a row of {asked} any more; see `everspring withdraw --show`")
        versions: list[str] = []
        for table in found.rows:
            ref = TableRef.parse(table)
            run = Run(
                run_id=f"{number}-{ref.schema}-{ref.name}",
                stage=ref.schema,
                method=WITHDRAW,
                table_name=table,
                fingerprint=number,
                started_at=now,
                status="withdrawn",
                version=next_version(connection, table),
                inputs=[str(lake.find(ref).ref)],
                settings=json.dumps(asdict(asked)),
                code_revision=code_revision,
            )
            connection.execute(f"DELETE FROM {ref.sql} WHERE record_id IN (SELECT id FROM walk)")
            left = connection.execute(f"SELECT count(*) FROM {ref.sql}").fetchall()[0][0]
            run.rows_in, run.kept = left + len(found.rows[table]), left
            run.dropped = len(found.rows[table])
            insert(
                connection,
                "version_log",
                [{**asdict(run), "rows": left, "added": 0, "mode": PURGE if purge else WITHDRAW, "published_at": now}],
            )
            insert(connection, "runs", [asdict(run)])
            versions.append(f"{table}@{run.version}")
        _clear_aside(connection, found)
        done = Withdrawal(
            withdrawal_id=number,
            withdrawn_at=now,
            who=who,
            why=why,
            asked=asked,
            rows=found.count,
            tables=list(found.rows),
            versions=versions,
            held_by=[str(each.version.ref) for each in found.holding],
            answers=len(found.answers),
            purge="asked" if purge else "",
            reach=found,
        )
        insert(connection, "withdrawals", [{**_columns(done), "asked": json.dumps(asdict(asked))}])
        connection.execute(
            "INSERT INTO lake.catalog.withdrawn BY NAME SELECT ? AS withdrawal_id, id AS record_id, "
            "any_value(table_name) AS table_name FROM walk LEFT JOIN held ON record_id = id GROUP BY id",
            [number],
        )
        _forget(connection)
    return done


def withdrawals(lake: Lake) -> list[Withdrawal]:
    """Every withdrawal, the last one first."""
    names = [each.name for each in fields(Withdrawal) if each.name != "reach"]
    with lake.read() as connection:
        found = connection.execute(
            f"SELECT {', '.join(names)} FROM catalog.withdrawals ORDER BY withdrawn_at DESC"
        ).fetchall()
    listed: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in found]
    for each in listed:
        each["asked"] = Asked(**json.loads(each["asked"]))
    return [Withdrawal(**each) for each in listed]


def answers_of(lake: Lake, withdrawal_id: str) -> list[str]:
    """The calls that made rows of a withdrawal, and no other row."""
    with lake.read() as connection:
        found = connection.execute(
            "SELECT l.parent_id FROM catalog.lineage AS l LEFT JOIN "
            "(SELECT DISTINCT record_id FROM catalog.withdrawn WHERE withdrawal_id = ?) AS w USING (record_id) "
            "WHERE l.kind = 'call' GROUP BY ALL HAVING bool_and(w.record_id IS NOT NULL) ORDER BY ALL",
            [withdrawal_id],
        ).fetchall()
    return [call for (call,) in found]


def mark_purged(lake: Lake, withdrawal_id: str) -> None:
    """Note that a withdrawal's earlier versions and answers are gone too."""
    with lake.write(f"{withdrawal_id}: purged") as connection:
        connection.execute(
            "UPDATE lake.catalog.withdrawals SET purge = 'done' WHERE withdrawal_id = ?", [withdrawal_id]
        )


def still_holding(lake: Lake, withdrawal_id: str) -> list[Holding]:
    """The versions that can be read and have rows of a withdrawal."""
    with lake.read(once=True) as connection:
        _take(
            connection,
            "walk (id)",
            "SELECT DISTINCT record_id FROM catalog.withdrawn WHERE withdrawal_id = ?",
            [withdrawal_id],
        )
        return _holding(connection, lake, _hold(connection, lake))


def withdrawn_among(lake: Lake, ids: Collection[str]) -> dict[str, str]:
    """Those of these ids, of rows or calls, that were withdrawn, and in which withdrawal."""
    with lake.read() as connection:
        if not connection.execute("FROM catalog.withdrawn LIMIT 1").fetchall():
            return {}
        found = connection.execute(
            "SELECT record_id, any_value(withdrawal_id) FROM catalog.withdrawn "
            "WHERE record_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL",
            [list(ids)],
        ).fetchall()
    return dict(found)


def _columns(done: Withdrawal) -> dict[str, Any]:
    return {name: value for name, value in vars(done).items() if name not in ("asked", "reach")}


# ── what came of it ──


def _reach(connection: "duckdb.DuckDBPyConnection", lake: Lake, asked: Asked) -> Reach:
    """See `reach`; leaves the temporary tables `walk` (id) and `held` (table_name, version, record_id, added_in)."""
    _take(connection, "edges", "SELECT record_id, kind, parent_id FROM catalog.lineage")
    chains = all_chains(lake)
    _take(connection, "start (id)", "SELECT NULL::VARCHAR LIMIT 0")
    for name in asked.records:
        _start_record(connection, chains, name)
    for name in asked.sources:
        _start_source(connection, chains, name)
    for name in asked.licences:
        _start_licence(connection, chains, name)
    for name in asked.models:
        _start_model(connection, name)
    _take(
        connection,
        "walk (id)",
        "WITH RECURSIVE down AS (SELECT DISTINCT id FROM start UNION "
        "SELECT record_id FROM edges JOIN down ON parent_id = id) SELECT id FROM down",
    )
    chains, aside = _hold(connection, lake, chains), _aside(connection)
    _refuse_unknown(connection, asked, aside)
    last = {chain.versions[-1].ref.table: chain.versions[-1] for chain in chains}
    rows: dict[str, list[str]] = {}
    for table, version, record_id in connection.execute(
        "SELECT table_name, version, record_id FROM held ORDER BY ALL"
    ).fetchall():
        if last[table].ref.version == version:
            rows.setdefault(table, []).append(record_id)
    answers = connection.execute(
        "SELECT parent_id, bool_and(id IS NOT NULL) FROM edges LEFT JOIN walk ON record_id = id WHERE kind = 'call' "
        "GROUP BY ALL HAVING bool_or(id IS NOT NULL) ORDER BY ALL"
    ).fetchall()
    return Reach(
        asked=asked,
        rows=rows,
        aside=aside,
        holding=_holding(connection, lake, chains),
        answers=[call for call, alone in answers if alone],
        shared=sum(not alone for _, alone in answers),
        ids=frozenset(row for (row,) in connection.execute("SELECT id FROM walk").fetchall()),
    )


def _take(connection: "duckdb.DuckDBPyConnection", name: str, sql: str, values: Sequence[Any] = ()) -> None:
    """Make a temporary table of what a question finds."""
    bare, _, column = name.partition(" ")
    named = f"SELECT * FROM ({sql}) AS found {column}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {bare} AS {named}", list(values))


def _forget(connection: "duckdb.DuckDBPyConnection") -> None:
    for name in ("edges", "start", "walk", "held"):
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _hold(connection: "duckdb.DuckDBPyConnection", lake: Lake, chains: Sequence[Chain] | None = None) -> list[Chain]:
    """Find the rows of `walk` in every chain, with the snapshot that added each: the table `held`."""
    found = list(all_chains(lake) if chains is None else chains)
    looks = [
        f"SELECT '{chain.last.ref.table}' AS table_name, {chain.last.ref.version}::INTEGER AS version, record_id, "
        f"snapshot_id AS added_in FROM {chain.sql} WHERE record_id IN (SELECT id FROM walk)"
        for chain in found
    ]
    nothing = "SELECT ''::VARCHAR AS table_name, 0 AS version, ''::VARCHAR AS record_id, 0::BIGINT AS added_in LIMIT 0"
    _take(connection, "held", " UNION ALL ".join([*looks, f"({nothing})"]))
    return found


def _holding(connection: "duckdb.DuckDBPyConnection", lake: Lake, chains: Iterable[Chain]) -> list[Holding]:
    """The versions that hold rows of `held`: of a chain, a version has what was added up to it.

    Rows that a purge wrote anew are of a snapshot between its version and the next.
    """
    by_chain: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for table, version, added_in, rows in connection.execute(
        "SELECT table_name, version, added_in, count(*) FROM held GROUP BY ALL"
    ).fetchall():
        by_chain.setdefault((table, version), []).append((added_in, rows))
    pins = pinned(lake)
    holding = [
        Holding(version=version, rows=count, pinned=str(version.ref) in pins)
        for chain in chains
        for version in chain.versions
        if version.readable
        and (
            count := sum(
                rows
                for added_in, rows in by_chain.get((chain.last.ref.table, chain.last.ref.version or 0), [])
                if all(added_in < each.added_in for each in chain.versions if each.added_in > version.added_in)
            )
        )
    ]
    return sorted(holding, key=lambda each: (each.version.ref.table, each.version.ref.version or 0))


def _quarantines(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    found = connection.execute(
        "SELECT table_name FROM __ducklake_metadata_lake.ducklake_table AS t "
        "JOIN __ducklake_metadata_lake.ducklake_schema AS s USING (schema_id) "
        "WHERE schema_name = 'quarantine' AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL ORDER BY 1"
    ).fetchall()
    return [name for (name,) in found]


_CAME_OF = "record_id IN (SELECT id FROM walk) OR list_has_any(coalesce(parents, []), (SELECT list(id) FROM walk))"


def _aside(connection: "duckdb.DuckDBPyConnection") -> dict[str, list[str]]:
    """The rows beside the tables that are of `walk`, or were made of it: in quarantine, in reviews, rejected."""
    places = {f"quarantine.{name}": f'lake.quarantine."{name}"' for name in _quarantines(connection)}
    places |= {f"catalog.{name}": f"lake.catalog.{name}" for name in ("reviews", "rejected")}
    (of,) = connection.execute("SELECT count(*) FROM walk").fetchall()[0]
    found = {
        name: connection.execute(
            f"SELECT DISTINCT record_id FROM {place} WHERE {_CAME_OF if name != 'catalog.rejected' else _SCRUBBABLE} "
            "ORDER BY 1"
        ).fetchall()
        for name, place in places.items()
        if of
    }
    return {name: [record_id for (record_id,) in its] for name, its in found.items() if its}


_SCRUBBABLE = f"content IS NOT NULL AND ({_CAME_OF})"


def _clear_aside(connection: "duckdb.DuckDBPyConnection", found: Reach) -> None:
    """Take rows out of quarantine and reviews, with what was noted of their text; of rejected ones keep only why."""
    for name in found.aside:
        if name.startswith("quarantine."):
            ref = TableRef.parse(name)
            connection.execute(f"DELETE FROM {ref.sql} WHERE {_CAME_OF}")
    if asked := found.aside.get("catalog.reviews"):
        connection.execute("DELETE FROM lake.catalog.decisions WHERE subject IN (SELECT unnest(?))", [list(asked)])
        connection.execute(f"DELETE FROM lake.catalog.reviews WHERE {_CAME_OF}")
    if "catalog.rejected" in found.aside:
        connection.execute(
            f"UPDATE lake.catalog.rejected SET content = NULL, evidence = 'withdrawn' WHERE {_SCRUBBABLE}"
        )
    for name in ("flags", "signatures"):
        connection.execute(f"DELETE FROM lake.catalog.{name} WHERE record_id IN (SELECT id FROM walk)")


# ── where it begins ──


def _start_record(connection: "duckdb.DuckDBPyConnection", chains: Sequence[Chain], name: str) -> None:
    """Begin at a record, by its id or the first digits of it; whether there is one shows at the end of the walk."""
    if len(name) < _LEAST or not set(name) <= set("0123456789abcdef"):
        raise Refusal(f"record {name!r}: no record id, {_LEAST} to 32 hex digits are wanted; see `everspring sql`")
    if len(name) == _DIGITS:
        connection.execute("INSERT INTO start VALUES (?)", [name])
        return
    places = [
        *(chain.sql for chain in chains),
        *(f'lake.quarantine."{each}"' for each in _quarantines(connection)),
        "lake.catalog.reviews",
        "lake.catalog.rejected",
        "edges",
        "(SELECT parent_id AS record_id FROM edges WHERE kind = 'row')",
    ]
    found = connection.execute(
        " UNION ".join(
            f"(SELECT DISTINCT record_id FROM {place} WHERE starts_with(record_id, $1) LIMIT 5)" for place in places
        ),
        [name],
    ).fetchall()
    ids = sorted(record_id for (record_id,) in found)
    if not ids:
        raise _unknown(name)
    if len(ids) > 1:
        raise Refusal(f"record {name!r}: stands for several ({', '.join(ids[:5])}); give more digits")
    connection.execute("INSERT INTO start VALUES (?)", ids)


def _refuse_unknown(connection: "duckdb.DuckDBPyConnection", asked: Asked, aside: Mapping[str, Sequence[str]]) -> None:
    """Refuse a record that is nowhere."""
    missing = connection.execute(
        "SELECT id FROM start ANTI JOIN held ON id = record_id WHERE id IN (SELECT unnest(?::VARCHAR[])) "
        "AND NOT EXISTS (FROM edges WHERE record_id = id OR parent_id = id)",
        [list(asked.records)],
    ).fetchall()
    for (name,) in missing:
        if not any(name in ids for ids in aside.values()):
            raise _unknown(name)


def _unknown(name: str) -> Refusal:
    return Refusal(f"record {name!r}: no table has it; list ids with `everspring sql 'select record_id from …'`")


def _start_source(connection: "duckdb.DuckDBPyConnection", chains: Sequence[Chain], name: str) -> None:
    """Begin at the rows of a raw table, or at those that came from a source by its name or origin."""
    tables = {chain.last.ref.table for chain in chains if chain.last.ref.schema == RAW}
    listed = connection.execute("SELECT DISTINCT table_name, version, source, origin FROM catalog.sources").fetchall()
    matching = {(table, version) for table, version, *its in listed if name in its}
    if name not in tables and not matching:
        raise Refusal.unknown("source", name, tables | {source for _, _, source, _ in listed})
    sources = {source for _, _, source, origin in listed if name in (source, origin)}
    for chain in chains:
        table = chain.last.ref.table
        if table == name:
            connection.execute(f"INSERT INTO start SELECT record_id FROM {chain.sql}")
            continue
        its = [v.added_in for v in chain.versions if (table, v.ref.version) in matching]
        if not its:
            continue
        # A version may have come from several sources: each row says which, but for those of an earlier day.
        named = "imported_from" in _columns_of(connection, chain)
        of = "AND coalesce(imported_from IN (SELECT unnest(?)), true)" if named else ""
        values = [its, *([sorted(sources)] if named else [])]
        connection.execute(
            f"INSERT INTO start SELECT record_id FROM {chain.sql} WHERE snapshot_id IN (SELECT unnest(?)) {of}", values
        )


def _start_licence(connection: "duckdb.DuckDBPyConnection", chains: Sequence[Chain], name: str) -> None:
    """Begin at the rows that were imported under a licence."""
    known = {row for (row,) in connection.execute("SELECT DISTINCT licence FROM catalog.sources").fetchall()}
    if name not in known:
        raise Refusal.unknown("licence", name, known)
    for chain in chains:
        if chain.last.ref.schema == RAW and "licence" in _columns_of(connection, chain):
            connection.execute(f"INSERT INTO start SELECT record_id FROM {chain.sql} WHERE licence = ?", [name])


def _start_model(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Begin at the calls to a model that rows were made from."""
    connection.execute(
        "INSERT INTO start SELECT DISTINCT parent_id FROM edges WHERE kind = 'call' AND parent_id IN "
        "(SELECT call_id FROM catalog.calls WHERE model = ?)",
        [name],
    )
    known = {row for (row,) in connection.execute("SELECT DISTINCT model FROM catalog.calls").fetchall()}
    if name not in known:
        raise Refusal.unknown("model", name, known)


def _columns_of(connection: "duckdb.DuckDBPyConnection", chain: Chain) -> list[str]:
    return [column[0] for column in connection.execute(f"FROM {chain.sql} LIMIT 0").description or []]
