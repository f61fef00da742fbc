"""Upkeep of the lake: which versions stay readable, small files merged, files that nothing needs removed.

A snapshot of DuckLake is one of the whole lake: while it is kept, so is what every table was then. So only snapshots
of versions that are kept stay, and a last version that nothing has changed since is anchored to a later one. What is
merged is read before and after: every version must read the same. Files are removed only once no reader can be at work
on them any more.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from catalog.history import chains
from catalog.pins import pinned
from catalog.publish import insert
from catalog.store import Lake, TableRef
from infra.errors import Failure

if TYPE_CHECKING:
    import duckdb

REST = timedelta(days=1)
"""How long snapshots that are no version's stay: a reader may have begun at one."""

_OURS = re.compile(r"[a-z0-9_]+/[a-z0-9_]+/ducklake-[0-9a-f-]{36}(-delete)?\.(parquet|puffin)")
"""What DuckLake calls its files, below the lake's data."""
_OF_TABLES = """
SELECT schema_name || '.' || table_name, count(*)
FROM __ducklake_metadata_lake.ducklake_data_file AS f
JOIN __ducklake_metadata_lake.ducklake_table AS t USING (table_id)
JOIN __ducklake_metadata_lake.ducklake_schema AS s USING (schema_id)
WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL
GROUP BY ALL ORDER BY 1
"""


@dataclass(frozen=True)
class Space:
    """Files below the lake's data, and their bytes."""

    files: int
    bytes: int

    def since(self, before: "Space") -> "Space":
        """What has been freed since then."""
        return Space(before.files - self.files, before.bytes - self.bytes)


@dataclass(frozen=True)
class Expired:
    """Versions that went, and how many snapshots went with them and with other commits."""

    versions: Sequence[str]
    snapshots: int


@dataclass(frozen=True)
class Compacted:
    """A table's files before and after, and why it was left as it is, where it was."""

    table: str
    before: int
    after: int
    why: str = ""


def space(lake: Lake) -> Space:
    """How many files lie below the lake's data, and their bytes."""
    import duckdb

    with lake.read() as connection, suppress(duckdb.Error):  # there is no file yet
        found = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM read_blob(?)", [f"{lake.data.rstrip('/')}/**"]
        ).fetchall()
        return Space(*found[0])
    return Space(0, 0)


def kept_versions(lake: Lake, days: float) -> dict[str, str]:
    """The versions that stay, and why: pinned, the last of their tables, young, or read by one that stays."""
    since = datetime.now(UTC) - timedelta(days=days)
    pins = pinned(lake)
    versions = {str(version.ref): version for version in lake.versions() if version.readable}
    last = {version.ref.table: reference for reference, version in versions.items()}
    with lake.read() as connection:
        young = connection.execute(
            "SELECT table_name || '@' || version FROM catalog.versions WHERE published_at >= ?", [since]
        ).fetchall()
        read = connection.execute(
            "SELECT table_name || '@' || version, parent_table || '@' || parent_version FROM catalog.table_lineage"
        ).fetchall()
    why = dict.fromkeys((reference for (reference,) in young), f"younger than {days:g} days")
    why |= dict.fromkeys(last.values(), "the last of its table")
    why |= dict.fromkeys(pins, "pinned")
    above: dict[str, list[str]] = {}
    for reference, parent in read:
        above.setdefault(reference, []).append(parent)
    queue = list(why)
    while queue:
        reference = queue.pop()
        for parent in above.get(reference, []):
            if parent not in why:
                why[parent] = f"read by {reference}"
                queue.append(parent)
    return {reference: reason for reference, reason in why.items() if reference in versions}


def expire(
    lake: Lake,
    days: float,
    *,
    but: AbstractSet[str] = frozenset(),
    at_once: bool = False,
    dry_run: bool = False,
) -> Expired:
    """Let versions go that nothing keeps, and the snapshots of commits that made none.

    Args:
        lake: whose.
        days: versions younger than this stay.
        but: versions that go although they would stay.
        at_once: leave no snapshot of a mere commit to readers that have begun at one.
        dry_run: only say what would go.
    """
    with lake.write("maintenance: expiry") as connection:
        kept = kept_versions(lake, days).keys() - but
        versions = [version for version in lake.versions() if version.readable]
        needed = {version.snapshot for version in versions if str(version.ref) in kept} | {_now(connection)}
        of_versions = {version.snapshot for version in versions}
        rested = datetime.now(UTC) - REST
        gone = [
            number
            for number, when in _snapshots(connection).items()
            if number not in needed and (at_once or number in of_versions or when < rested)
        ]
        if gone and not dry_run:
            connection.execute("CALL ducklake_expire_snapshots('lake', versions => ?)", [gone])
    return Expired([str(version.ref) for version in versions if str(version.ref) not in kept], len(gone))


def anchor(lake: Lake, before: datetime) -> list[str]:
    """Anchor last versions, of snapshots from before a time, to the snapshot of now, where they still read the same.

    What their old snapshots held of other tables can go then, with the next expiry. Returns the versions.
    """
    with lake.write("maintenance: anchors") as connection:
        now, snapshots, pins = _now(connection), _snapshots(connection), pinned(lake)
        last = {version.ref.table: version for version in lake.versions()}
        moved = [
            version
            for version in last.values()
            if str(version.ref) not in pins
            and version.readable
            and snapshots[version.snapshot] < before
            and version.snapshot < now
            and _sum(connection, version.sql) == _sum(connection, f"{version.ref.sql} AT (VERSION => {now})")
        ]
        anchored_at = datetime.now(UTC)
        insert(
            connection,
            "anchors",
            [
                {
                    "table_name": version.ref.table,
                    "version": version.ref.version,
                    "snapshot": now,
                    "anchored_at": anchored_at,
                }
                for version in moved
            ],
        )
    return [str(version.ref) for version in moved]


def compactable(lake: Lake) -> dict[str, int]:
    """The tables, the system's too, of more than one file: how many each has."""
    with lake.read() as connection:
        found = connection.execute(_OF_TABLES).fetchall()
    return {table: files for table, files in found if files > 1}


def compact(lake: Lake, table: str) -> Compacted:
    """Merge a table's small files.

    Raises:
        Failure: where a version reads otherwise than before; no file is removed then.
    """
    before = _readings(lake, table)
    schema, _, name = table.partition(".")
    why = _done(lake, table, "CALL ducklake_merge_adjacent_files('lake', ?, schema => ?)", [name, schema])
    after = _readings(lake, table)
    if before.versions != after.versions:
        raise Failure(
            f"{table}: reads otherwise since its files were merged, the same rows were wanted in every version; "
            "no file was removed: do not run maintenance on this lake again before it is looked at"
        )
    return Compacted(table, before.files, after.files, why)


def rewrite(lake: Lake, table: str) -> str:
    """Write a table's files anew without the rows that were deleted from it; returns why that could not be.

    DuckLake keeps no longer which snapshot added each row: only for a table whose last version is of mode `purge`.
    """
    schema, _, name = table.partition(".")
    call = "CALL ducklake_rewrite_data_files('lake', ?, schema => ?, delete_threshold => 0)"
    return _done(lake, table, call, [name, schema])


def clean(lake: Lake, grace: timedelta) -> int:
    """Remove the files that no version needs any more, if they have been so for `grace`; returns how many."""
    with lake.write("maintenance: clean-up") as connection:
        return len(
            connection.execute(
                "CALL ducklake_cleanup_old_files('lake', older_than => ?)", [datetime.now(UTC) - grace]
            ).fetchall()
        )


def awaiting(lake: Lake) -> int:
    """How many files wait to be removed."""
    with lake.read() as connection:
        found = connection.execute(
            "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion"
        ).fetchall()
    return found[0][0]


def orphans(lake: Lake, grace: timedelta, *, dry_run: bool = False) -> tuple[int, str]:
    """Remove files below the lake's data that writers left which were killed; returns how many, or why they stay."""
    before = datetime.now(UTC) - grace
    with lake.write("maintenance: orphans") as connection:
        found = connection.execute(
            "CALL ducklake_delete_orphaned_files('lake', dry_run => true, older_than => ?)", [before]
        ).fetchall()
        paths = [str(path) for (path,) in found]
        own = connection.execute("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file").fetchall()[0][0]
        if strange := [path for path in paths if not _OURS.search(path)]:
            return len(paths), f"not the lake's: {strange[0]}; move it away, or name another folder for the data"
        if len(paths) > max(own, 100):
            return len(paths), "more than the lake itself has: are they another lake's? each wants a folder of its own"
        if paths and not dry_run:
            connection.execute("CALL ducklake_delete_orphaned_files('lake', older_than => ?)", [before])
    return len(paths), ""


@dataclass(frozen=True)
class _Readings:
    """What a table's versions read, and how many files it has now."""

    versions: Mapping[str, Sequence[tuple[Any, ...]]]
    files: int


def _readings(lake: Lake, table: str) -> _Readings:
    schema, _, name = table.partition(".")
    with lake.read() as connection:
        files = dict(connection.execute(_OF_TABLES).fetchall())[table]
        found = {str(chain.last.ref): _reads(connection, chain.sql) for chain in chains(lake, lake.versions(table))}
        return _Readings({**found, table: _reads(connection, TableRef(schema, name).sql)}, files)


def _reads(connection: "duckdb.DuckDBPyConnection", source: str) -> list[tuple[Any, ...]]:
    """How many rows each snapshot added, and a sum of their hashes."""
    return connection.execute(
        "SELECT added_in, count(*), sum(hash(read)::HUGEINT) "
        f"FROM (SELECT *, snapshot_id AS added_in FROM {source}) AS read GROUP BY ALL ORDER BY ALL"
    ).fetchall()


def _sum(connection: "duckdb.DuckDBPyConnection", source: str) -> tuple[Any, ...]:
    """How many rows there are, and a sum of their hashes."""
    return connection.execute(f"SELECT count(*), sum(hash(read)::HUGEINT) FROM (FROM {source}) AS read").fetchall()[0]


def _done(lake: Lake, table: str, call: str, values: Sequence[Any]) -> str:
    """Let DuckLake do something to a table; returns why it could not: nothing is changed then."""
    import duckdb

    try:
        with lake.write(f"maintenance: {table}") as connection:
            connection.execute(call, list(values)).fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return ""


def _now(connection: "duckdb.DuckDBPyConnection") -> int:
    return connection.execute("SELECT id FROM ducklake_current_snapshot('lake') AS now (id)").fetchall()[0][0]


def _snapshots(connection: "duckdb.DuckDBPyConnection") -> dict[int, datetime]:
    return dict(connection.execute("SELECT snapshot_id, snapshot_time FROM ducklake_snapshots('lake')").fetchall())
