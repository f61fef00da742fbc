"""Trails: the rows that the site shows, what each was made from, up to the seeds, and what is in them.

The samples of every version of a table come out of one question, and a generation of the ancestors of all of them
out of another. What rows hold is read a table at a time, in batches, and nothing of it is kept.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalog.calls import Call
from catalog.history import Chain
from catalog.quoting import identifier
from catalog.records import PROVENANCE, digest
from catalog.store import RAW, Lake, Version
from tasks.cards.card import Column

if TYPE_CHECKING:
    import duckdb

PARENTS = 12
"""Parents, and calls, of a row that are followed; a row may have been made from a whole table."""
MOST = 50_000
"""Rows that have a page at most: those nearest to the samples."""
_DRAWN = 20_000
"""Rows of which the words are counted."""
_WORDY = 5
"""Words that a text of a column must have for its lengths to be drawn: names and classes have fewer."""
_SOON = 200
"""Ancestors that are looked at for the seeds of a row."""
_BATCH = 500
_ID = re.compile(r"[0-9a-f]{32}")
_MESSAGES = "STRUCT(role VARCHAR, content VARCHAR)[]"
_NOT_WITHDRAWN = "record_id NOT IN (FROM temp.site_withdrawn)"


@dataclass(frozen=True)
class Look:
    """What a look at all rows of a chain of versions told.

    `words`: (the snapshot that added rows, column → words in a text → such rows), oldest first. `columns`: of the last
    version.
    """

    words: Sequence[tuple[int, Mapping[str, Mapping[int, int]]]]
    columns: Sequence[Column]

    def words_of(self, version: Version) -> dict[str, dict[int, int]]:
        """Column → words in a text → rows of one of the versions; columns of names and classes are left out."""
        found: dict[str, dict[int, int]] = {}
        for snapshot, by_column in self.words:
            if snapshot > version.added_in:
                break
            for name, counts in by_column.items():
                its = found.setdefault(name, {})
                for length, rows in counts.items():
                    its[length] = its.get(length, 0) + rows
        return {name: counts for name, counts in found.items() if max(counts, default=0) > _WORDY}


@dataclass(frozen=True)
class Origin:
    """What a row was made from: rows (id, and table where the lake has it) and calls, and whether there are more."""

    rows: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    calls: list[str] = field(default_factory=list[str])
    more: bool = False


@dataclass(frozen=True)
class Trails:
    """The rows that have a page, by id with their table, and what every row on the way was made from."""

    tables: Mapping[str, str]
    origins: Mapping[str, Origin]
    offspring: Mapping[str, Sequence[str]]
    """Row with a page → rows with pages that were made of it, by way of intermediate rows or at once."""

    def nearest(self, record_id: str) -> list[str]:
        """The nearest ancestors that have pages."""
        found: dict[str, None] = {}
        seen, left = {record_id}, [record_id]
        while left:
            for parent, table in self.origins.get(left.pop(), Origin()).rows:
                if parent in seen:
                    continue
                seen.add(parent)
                if table and parent in self.tables:
                    found[parent] = None
                elif not table:
                    left.append(parent)
        return list(found)

    def seeds(self, record_id: str) -> list[str]:
        """The rows of `raw.*` that it comes from, as far as they have pages and are found soon; it itself left out."""
        found: list[str] = []
        seen, left = {record_id}, [record_id]
        while left and len(seen) < _SOON:
            for parent in self.nearest(left.pop(0)):
                if parent in seen:
                    continue
                seen.add(parent)
                (found if self.tables[parent].startswith(f"{RAW}.") else left).append(parent)
        return found


@dataclass(frozen=True)
class Row:
    """A row: its content by column, and the number of the version that added it."""

    record_id: str
    content: Mapping[str, Any]
    version: int | None


def page_name(record_id: str) -> str:
    """The name of a row's page: its id, or a hash of one that was not made by a record."""
    return record_id if _ID.fullmatch(record_id) else digest(record_id)


def draw(connection: "duckdb.DuckDBPyConnection", chain: Chain, samples: int) -> dict[int, list[str]]:
    """Version → ids of rows that it added, or, where it added none, of rows that it has; one question for all."""
    found = connection.execute(
        f"SELECT added, arg_min(record_id, md5(record_id), {samples}) FROM (SELECT snapshot_id AS added, record_id "
        f"FROM {chain.sql} WHERE {_NOT_WITHDRAWN}) GROUP BY added ORDER BY added"
    ).fetchall()
    drawn: dict[int, list[str]] = {}
    for version in chain.versions:
        held = [(added, ids) for added, ids in found if added <= version.added_in]
        own = held[-1][1] if held and held[-1][0] == version.added_in else None
        drawn[version.ref.version or 0] = own or [each for _, ids in reversed(held) for each in ids][:samples]
    return drawn


def look(connection: "duckdb.DuckDBPyConnection", chain: Chain) -> Look:
    """Look at the rows of a chain of versions; one question for all of them."""
    described = [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE FROM {chain.sql}").fetchall()]
    texts = {name: text for name, kind in described if name not in PROVENANCE and (text := _words(name, kind))}
    every = max(1, chain.last.rows // _DRAWN)
    asked = [
        "count(*)",
        *(f"count(*) FILTER ({identifier(name)}::VARCHAR NOT IN ('', '[]'))" for name, _ in described),
        *(f"histogram({text}) FILTER (md5_number_lower(record_id) % {every} = 0)" for text in texts.values()),
    ]
    found = connection.execute(
        f"SELECT snapshot_id, {', '.join(asked)} FROM {chain.sql} GROUP BY snapshot_id ORDER BY snapshot_id"
    ).fetchall()
    words = [
        (row[0], dict(zip(texts, (each or {} for each in row[2 + len(described) :]), strict=True))) for row in found
    ]
    rows = sum(row[1] for row in found) or 1
    columns = [
        Column(name, kind, sum(row[2 + place] for row in found) / rows) for place, (name, kind) in enumerate(described)
    ]
    return Look(words, columns)


def follow(connection: "duckdb.DuckDBPyConnection", samples: Mapping[str, str], known: Collection[str]) -> Trails:
    """Follow rows (id → table) to their seeds, a generation of all at a time; those of known tables get pages."""
    tables, origins = dict(list(samples.items())[:MOST]), dict[str, Origin]()
    left = list(tables)
    while left:
        found = connection.execute(
            """
            SELECT DISTINCT l.record_id, l.kind, l.parent_id, coalesce(l.parent_table, '') AS parent_table
            FROM lake.catalog.lineage AS l SEMI JOIN (SELECT unnest(?) AS record_id) AS meant USING (record_id)
            WHERE l.parent_id NOT IN (FROM temp.site_withdrawn)
            QUALIFY dense_rank() OVER (PARTITION BY l.record_id, l.kind ORDER BY l.parent_id) <= ?
            ORDER BY ALL
            """,
            [left, PARENTS + 1],
        ).fetchall()
        for each in left:
            origins[each] = Origin()
        following: dict[str, None] = {}
        for record_id, kind, parent, table in found:
            its = origins[record_id]
            if len(its.calls if kind == "call" else its.rows) == PARENTS:
                origins[record_id] = Origin(its.rows, its.calls, more=True)
            elif kind == "call":
                its.calls.append(parent)
            else:
                its.rows.append((parent, table))
                if table in known and parent not in tables and len(tables) < MOST:
                    tables[parent] = table
                if parent not in origins:
                    following[parent] = None
        left = list(following)
    trails = Trails(tables, origins, {})
    offspring: dict[str, list[str]] = {}
    for record_id in sorted(tables):
        for parent in trails.nearest(record_id):
            offspring.setdefault(parent, []).append(record_id)
    return Trails(tables, origins, offspring)


def rows_of(
    connection: "duckdb.DuckDBPyConnection", chains: Sequence[Chain], versions: Sequence[Version], ids: Sequence[str]
) -> Iterator[list[Row]]:
    """The rows of a table with these ids that can still be read, in batches; each from the last chain that has it."""
    left = dict.fromkeys(ids)
    added_in = {version.added_in: version.ref.version for version in versions}
    for chain in reversed(chains):
        if not left:
            return
        cursor = connection.execute(
            f"SELECT snapshot_id, * FROM {chain.sql} WHERE record_id IN (SELECT unnest(?)) AND {_NOT_WITHDRAWN}",
            [list(left)],
        )
        names = [column[0] for column in cursor.description or []][1:]
        while batch := cursor.fetchmany(_BATCH):
            rows: list[Row] = []
            for snapshot, *values in batch:
                told = dict(zip(names, values, strict=True))
                if (record_id := told["record_id"]) in left:
                    del left[record_id]
                    content = {name: value for name, value in told.items() if name not in PROVENANCE}
                    rows.append(Row(record_id, content, added_in.get(snapshot)))
            yield rows


def calls_above(trails: Trails, record_id: str) -> list[str]:
    """The calls that a row was made from, by way of intermediate rows or at once."""
    found: dict[str, None] = {}
    seen, left = {record_id}, [record_id]
    while left:
        origin = trails.origins.get(left.pop(), Origin())
        found |= dict.fromkeys(origin.calls)
        for parent, table in origin.rows:
            if not table and parent not in seen:
                seen.add(parent)
                left.append(parent)
    return list(found)


def calls_of(lake: Lake, trails: Trails, rows: Sequence[Row]) -> dict[str, Call]:
    """The calls that rows were made from, as far as they are kept."""
    wanted = {call for row in rows for call in calls_above(trails, row.record_id)}
    return {call.call_id: call for call in lake.calls(sorted(wanted))}


def asked(call: Call) -> list[tuple[str, str]]:
    """What a model was asked: (role, text) of each message, or the prompt; empty where it was not kept."""
    try:
        request: Any = json.loads(call.request or "null")
    except ValueError:
        return [("request", call.request)]
    if not isinstance(request, dict):
        return []
    messages: Any = request.get("messages")
    if isinstance(messages, list):
        return [
            (str(turn.get("role", "")), _plain(turn.get("content"))) if isinstance(turn, dict) else ("", _plain(turn))
            for turn in messages
        ]
    for name in ("prompt", "input"):
        if name in request:
            return [(name, _plain(request[name]))]
    return [("request", call.request)]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _words(name: str, kind: str) -> str:
    """How many words a column has, in SQL; empty where it holds no text."""
    column = identifier(name)
    if kind == _MESSAGES:
        column = f"array_to_string(list_transform({column}, lambda turn: turn.content), ' ')"
    elif kind == "VARCHAR[]":
        column = f"array_to_string({column}, ' ')"
    elif kind != "VARCHAR":
        return ""
    return f"CASE WHEN trim({column}) <> '' THEN len(regexp_split_to_array(trim({column}), '\\s+')) END"
