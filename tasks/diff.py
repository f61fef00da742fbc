"""Diff: what two versions differ in (rows, columns, figures), and what they were made with that differs.

A record's id is a hash of its content, its parents and the calls it came from. So a row is **kept** where both versions
have its id, and a row that was **changed** is one that is gone and one that is new. Two such rows are taken for one
thing, each row once, by the first of these that fits:

1. they say the same in every column that both versions have (`alike`: made again, of other parents or by other calls);
2. they have the same parents and the same subject;
3. they have the same parents (rows without parents have none in common);
4. they have the same subject.

The subject is the first of the columns prompt, messages (of these, what the user says first), text and code that both
versions have, else their first column of text. Where several rows are alike in that, they are taken in the order of
their ids. What is left is **added** or **removed**.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalog.formats.table import is_messages
from catalog.quoting import identifier
from catalog.records import PROVENANCE
from catalog.store import Lake, TableRef, Version
from infra.errors import Refusal
from quality.scorecard import Line, scorecard
from tasks.export import SUBJECT

if TYPE_CHECKING:
    import duckdb

SAMPLES = 3
CLASSES = 20
"""Values of a column that are counted one by one, at most; with no more than these it is one of classes."""
_SHORT = 60
"""Characters of a class's name at most."""
_WHENCE = (*PROVENANCE, "source", "imported_from")
"""Columns that say where a row came from rather than what it is."""
_SHARES = (0.05, 0.5, 0.95)
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class Change:
    """A row of the first version, and the row of the second that is taken for the same thing."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows there are and what became of them, with samples; `alike` of the changed say what they did before.

    The versions' rows are kept + changed + removed before, and kept + changed + added after.
    """

    before: int
    after: int
    kept: int
    changed: int
    alike: int
    added: int
    removed: int
    subject: str
    kept_samples: Sequence[Mapping[str, Any]]
    changed_samples: Sequence[Change]
    added_samples: Sequence[Mapping[str, Any]]
    removed_samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A column's values in one version: shares of rows without any, and of different ones among the others.

    `low`, `middle`, `high` and `most` are the 5 %, 50 % and 95 % quantile and the maximum of `unit`.
    """

    type: str
    rows: int
    blank: float
    distinct: float
    unit: str
    low: float | None
    middle: float | None
    high: float | None
    most: float | None


@dataclass(frozen=True)
class Column:
    """A column in both versions; None where one has none. `counts`: class → rows before and after, if it has any."""

    name: str
    before: Spread | None
    after: Spread | None
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


@dataclass(frozen=True)
class Figure:
    """A figure of the scorecards; None where a version has it not."""

    axis: str
    metric: str
    before: Line | None
    after: Line | None

    @property
    def change(self) -> float | None:
        """By how much it rose."""
        return self.after.value - self.before.value if self.before and self.after else None

    @property
    def flips(self) -> str:
        """What became of its gate; empty where that is as it was."""
        if not (self.before and self.after) or self.before.passed == self.after.passed:
            return ""
        return "holds now" if self.after.passed else "is broken now"


@dataclass(frozen=True)
class Cause:
    """Something that the versions were made with; None where one was made without, or it is not known."""

    what: str
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        """Whether it differs."""
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class Diff:
    """All that two versions differ in; `between` are the table's versions after the first, up to the second."""

    before: Version
    after: Version
    rows: Rows
    columns: Sequence[Column]
    figures: Sequence[Figure]
    causes: Sequence[Cause]
    between: Sequence[Version]


def before(lake: Lake, version: Version) -> Version:
    """The last version before this one that can be read.

    Raises:
        Refusal: where there is none.
    """
    number = version.ref.version or 0
    earlier = [each for each in lake.versions(version.ref.table) if (each.ref.version or 0) < number and each.readable]
    if not earlier:
        raise Refusal(
            f"{version.ref}: there is no version before it that can be read, one to compare with is wanted; "
            "name another table's after it"
        )
    return earlier[-1]


def diff(lake: Lake, one: Version, other: Version, *, samples: int = SAMPLES) -> Diff:
    """Compare a version with a later one, or with one of another table.

    Rows are compared in DuckDB, within the memory and disk of `EVERSPRING_SQL_MEMORY` and `_DISK`.

    Raises:
        Refusal: where they have no column in common.
    """
    with lake.read(once=True) as connection:
        lake.bound(connection)
        connection.execute("SET enable_progress_bar = false")  # it would go to standard output
        connection.execute("SET preserve_insertion_order = false")  # nothing here depends on it, and it costs memory
        types = [_types(connection, version) for version in (one, other)]
        common = [name for name in types[0] if name in types[1]]
        if not common:
            raise Refusal(
                f"{one.ref} and {other.ref}: have no column in common ({', '.join(types[0])}; {', '.join(types[1])}), "
                "one at least is wanted; compare versions of one table"
            )
        columns, totals = _columns(connection, one, other, types)
        rows = _rows(connection, one, other, types, common, totals, samples)
        causes = _causes(connection, one, other)
    numbers = (one.ref.version or 0, other.ref.version or 0)
    between = (
        [each for each in lake.versions(one.ref.table) if numbers[0] < (each.ref.version or 0) <= numbers[1]]
        if one.ref.table == other.ref.table
        else []
    )
    return Diff(
        before=one,
        after=other,
        rows=rows,
        columns=columns,
        figures=_figures(lake, one, other),
        causes=causes,
        between=between,
    )


def _types(connection: "duckdb.DuckDBPyConnection", version: Version) -> dict[str, str]:
    """The columns that say what a row is, with their types."""
    described = connection.execute(f"DESCRIBE FROM {version.sql}").fetchall()
    return {name: kind for name, kind, *_ in described if name not in _WHENCE}


# ── rows ──


def _rows(
    connection: "duckdb.DuckDBPyConnection",
    one: Version,
    other: Version,
    types: Sequence[Mapping[str, str]],
    common: Sequence[str],
    totals: tuple[int, int],
    samples: int,
) -> Rows:
    subject = next((name for name in SUBJECT if name in common), "") or next(
        (name for name in common if types[0][name] == types[1][name] == "VARCHAR"), common[0]
    )
    for name, version, against, its in (("gone", one, other, types[0]), ("new", other, one, types[1])):
        connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT record_id AS id, "
            "CASE WHEN len(parents) > 0 THEN md5_number(array_to_string(list_sort(parents), ',')) END AS parents, "
            f"{_subject(subject, its[subject])} AS subject, "
            f"hash({', '.join(_compared(column, types) for column in common)}) AS content "
            f"FROM (FROM {version.sql}) AS held ANTI JOIN (SELECT record_id FROM {against.sql}) AS others "
            "USING (record_id)"
        )
    connection.execute("CREATE TEMP TABLE pairs (old VARCHAR, new VARCHAR)")
    for key in ("content", "parents, subject", "parents", "subject"):
        connection.execute(_PAIRED.format(key=key, there=" AND ".join(f"{k} IS NOT NULL" for k in key.split(", "))))
    changed, alike = _one(
        connection,
        "SELECT count(*), count(*) FILTER (gone.content = new.content) "
        "FROM pairs JOIN gone ON gone.id = pairs.old JOIN new ON new.id = pairs.new",
    )
    (gone,), (new,) = (_one(connection, f"SELECT count(*) FROM {each}") for each in ("gone", "new"))
    limit = f"ORDER BY id LIMIT {samples:d}"
    added = _ids(connection, f"SELECT id FROM new ANTI JOIN pairs ON pairs.new = id {limit}")
    removed = _ids(connection, f"SELECT id FROM gone ANTI JOIN pairs ON pairs.old = id {limit}")
    kept = _ids(connection, f"SELECT record_id AS id FROM {other.sql} ANTI JOIN new ON new.id = record_id {limit}")
    pairs = connection.execute(
        "SELECT old, pairs.new FROM pairs JOIN gone ON gone.id = old JOIN new ON new.id = pairs.new "
        f"WHERE gone.content <> new.content ORDER BY old, pairs.new LIMIT {samples:d}"
    ).fetchall()
    before_ = _held(connection, one, types[0], [*removed, *(old for old, _ in pairs)])
    after = _held(connection, other, types[1], [*added, *kept, *(found for _, found in pairs)])
    return Rows(
        before=totals[0],
        after=totals[1],
        kept=totals[1] - new,
        changed=changed,
        alike=alike,
        added=new - changed,
        removed=gone - changed,
        subject=subject,
        kept_samples=[after[each] for each in kept],
        changed_samples=[Change(before_[old], after[found]) for old, found in pairs],
        added_samples=[after[each] for each in added],
        removed_samples=[before_[each] for each in removed],
    )


_PAIRED = """
INSERT INTO pairs
WITH old AS (
    SELECT id, {key}, row_number() OVER (PARTITION BY {key} ORDER BY id) AS nth
    FROM gone ANTI JOIN pairs ON pairs.old = id WHERE {there}
),
young AS (
    SELECT id, {key}, row_number() OVER (PARTITION BY {key} ORDER BY id) AS nth
    FROM new ANTI JOIN pairs ON pairs.new = id WHERE {there}
)
SELECT old.id, young.id FROM old JOIN young USING ({key}, nth)
"""


def _subject(column: str, kind: str) -> str:
    """A hash of what a row is about, as SQL; null where that is blank."""
    name = identifier(column)
    told = f"CAST({name} AS VARCHAR)"
    if is_messages(kind):
        told = f"list_filter({name}, lambda turn: turn.role = 'user')[1].content"
    return f"CASE WHEN NOT ({_blank(told)}) THEN md5_number({told}) END"


def _blank(text: str) -> str:
    """Whether there is nothing in a text, as SQL: a look at its first character is enough for most."""
    return f"CASE WHEN left({text}, 1) > ' ' THEN false ELSE NOT regexp_matches(coalesce({text}, ''), '\\S') END"


def _compared(column: str, types: Sequence[Mapping[str, str]]) -> str:
    """A column as what it is compared by: as text where the versions have it in two types."""
    return identifier(column) if types[0][column] == types[1][column] else f"CAST({identifier(column)} AS VARCHAR)"


def _held(
    connection: "duckdb.DuckDBPyConnection", version: Version, types: Mapping[str, str], ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Id → row, its id first."""
    names = ["record_id", *types]
    listed = ", ".join(map(identifier, names))
    found = connection.execute(
        f"SELECT {listed} FROM {version.sql} WHERE record_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(ids)],
    ).fetchall()
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


# ── columns ──


def _columns(
    connection: "duckdb.DuckDBPyConnection", one: Version, other: Version, types: Sequence[Mapping[str, str]]
) -> tuple[list[Column], tuple[int, int]]:
    """The columns of both versions, and how many rows these have."""
    (before_, earlier), (after, later) = (
        _spreads(connection, version, its) for version, its in zip((one, other), types, strict=True)
    )
    names = dict.fromkeys([*types[0], *types[1]])
    found: list[Column] = []
    for name in names:
        both = (earlier.get(name), later.get(name))
        counts = _counts(connection, one, other, name) if all(_of_classes(name, each) for each in both) else {}
        found.append(Column(name, *both, counts))
    return found, (before_, after)


def _spreads(
    connection: "duckdb.DuckDBPyConnection", version: Version, types: Mapping[str, str]
) -> tuple[int, dict[str, Spread]]:
    """How many rows a version has, and every column's values, in one look at it."""
    figures = [figure for name, kind in types.items() for figure in _figures_of(name, kind)]
    rows, *found = _one(connection, f"SELECT count(*), {', '.join(figures)} FROM {version.sql}")
    spreads: dict[str, Spread] = {}
    for name, kind in types.items():
        blank, filled, distinct, quantiles, most = (found.pop(0) for _ in range(5))
        low, middle, high = quantiles or (None, None, None)
        spreads[name] = Spread(
            type=kind,
            rows=rows,
            blank=blank / rows if rows else 0.0,
            distinct=distinct / filled if filled else 0.0,
            unit=_unit(kind),
            low=low,
            middle=middle,
            high=high,
            most=most,
        )
    return rows, spreads


def _unit(kind: str) -> str:
    """What of a value of a type is measured; empty where nothing is."""
    if kind == "VARCHAR":
        return "characters"
    if kind.endswith("[]"):
        return "turns" if is_messages(kind) else "items"
    return "value" if kind.startswith(_NUMBERS) else ""


def _figures_of(column: str, kind: str) -> list[str]:
    """SQL for the rows without a value, those with one, how many differ, quantiles and maximum."""
    name, unit = identifier(column), _unit(kind)
    size = {"characters": f"length({name})", "turns": f"len({name})", "items": f"len({name})", "value": name}.get(unit)
    blank = _blank(name) if kind == "VARCHAR" else f"{name} IS NULL"
    if kind.endswith("[]"):
        blank = f"coalesce(len({name}), 0) = 0"
    # Of the hash, which takes 8 bytes however long the texts are.
    return [
        f"count(*) FILTER ({blank})",
        f"count({name})",
        f"count(DISTINCT hash({name})) FILTER ({name} IS NOT NULL)",
        f"quantile_cont({size}::DOUBLE, {list(_SHARES)})" if size else "NULL",
        f"max({size}::DOUBLE)" if size else "NULL",
    ]


def _of_classes(name: str, spread: Spread | None) -> bool:
    if spread is None or spread.type not in ("VARCHAR", "BOOLEAN"):
        return False
    few = round(spread.distinct * spread.rows) <= CLASSES and spread.distinct <= 0.5
    return name == "label" or (few and (spread.most or 0) <= _SHORT)


def _counts(
    connection: "duckdb.DuckDBPyConnection", one: Version, other: Version, column: str
) -> dict[str, tuple[int, int]]:
    name = identifier(column)
    found = connection.execute(
        f"SELECT coalesce(CAST({name} AS VARCHAR), ''), sum(before)::BIGINT, sum(after)::BIGINT FROM "
        f"(SELECT {name}, 1 AS before, 0 AS after FROM {one.sql} "
        f"UNION ALL SELECT {name}, 0 AS before, 1 AS after FROM {other.sql}) "
        f"GROUP BY 1 ORDER BY sum(before) + sum(after) DESC, 1 LIMIT {CLASSES}"
    ).fetchall()
    return {value: (earlier, later) for value, earlier, later in found}


# ── figures and causes ──


def _figures(lake: Lake, one: Version, other: Version) -> list[Figure]:
    """The scorecards side by side, in the order of the later one's."""
    earlier, later = _card(lake, one), _card(lake, other)
    lines = {**later, **{name: line for name, line in earlier.items() if name not in later}}
    return [Figure(line.axis, name, earlier.get(name), later.get(name)) for name, line in lines.items()]


def _card(lake: Lake, version: Version) -> dict[str, Line]:
    try:
        return {line.metric: line for line in scorecard(lake, version)}
    except Refusal:  # imported, and audited by nobody
        return {}


def _causes(connection: "duckdb.DuckDBPyConnection", one: Version, other: Version) -> list[Cause]:
    """What the runs that published the versions were made with, side by side."""
    earlier, later = (_made_with(connection, version) for version in (one, other))
    return [Cause(what, earlier.get(what), later.get(what)) for what in dict.fromkeys([*earlier, *later])]


def _made_with(connection: "duckdb.DuckDBPyConnection", version: Version) -> dict[str, str]:
    found = connection.execute(
        "SELECT method, code_revision, models, inputs, rows_in, stopped, settings FROM catalog.runs "
        "WHERE run_id = ? AND table_name = ? AND status = 'published'",
        [version.run_id, version.ref.table],
    ).fetchone()
    method, revision, models, inputs, rows_in, stopped, settings = found or ("", "", [], [], None, "", "{}")
    told = {
        "mode": version.mode,
        "method": method,
        "code revision": revision,
        "code of the method": _code(connection, version, method),
        "rows read": "" if rows_in is None else f"{rows_in:,}",
        "stopped by": stopped,
    }
    for each in sorted(models or []):
        role, _, model = each.partition("=")
        told[f"model {role}"] = ", ".join(filter(None, (told.get(f"model {role}"), model)))
    told |= {f"input {ref.table}": f"@{ref.version}" for ref in map(TableRef.parse, inputs or [])}
    given: dict[str, Any] = json.loads(settings or "{}")
    told |= {
        name if name == "seed" else f"setting {name}": json.dumps(value, ensure_ascii=False)
        for name, value in given.items()
    }
    sources = connection.execute(
        "SELECT source, origin, licence, content_hash FROM catalog.sources WHERE run_id = ? ORDER BY source",
        [version.run_id],
    ).fetchall()
    told |= {f"source {name}": f"{origin} ({licence}), {hashed[:12]}" for name, origin, licence, hashed in sources}
    return {what: value for what, value in told.items() if value}


def _code(connection: "duckdb.DuckDBPyConnection", version: Version, method: str) -> str:
    """The fingerprint of the method's code when the version was published; empty where that is not known any more."""
    if version.snapshot != version.added_in:  # only a later snapshot is left, and the code may be a later one too
        return ""
    found = connection.execute(
        f"SELECT code FROM lake.catalog.methods AT (VERSION => {version.added_in:d}) "
        "WHERE method = ? AND table_name = ?",
        [method, version.ref.table],
    ).fetchone()
    return found[0][:12] if found else ""


# ── common ──


def _one(connection: "duckdb.DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    return connection.execute(query).fetchall()[0]


def _ids(connection: "duckdb.DuckDBPyConnection", query: str) -> list[str]:
    return [found for (found,) in connection.execute(query).fetchall()]
