"""Which store the settings mean, and where DuckDB finds it."""

from pathlib import Path

from catalog.calls.postgres import PostgresCalls
from catalog.calls.sqlite import SHARES, SqliteCalls
from catalog.calls.store import CallStore
from catalog.postgres import of_a_team
from infra.settings import Settings


def calls_path(settings: Settings) -> Path:
    """The file of the call store of a home folder."""
    return settings.folder() / "calls.sqlite"


def open_store(settings: Settings) -> CallStore:
    """The calls of the home folder, or of the team's PostgreSQL; nothing is made or opened before the first use."""
    database = PostgresCalls(settings.lake) if of_a_team(settings) else SqliteCalls(calls_path(settings))
    return CallStore(database, settings.calls)


def calls_in_duckdb(settings: Settings) -> tuple[str, ...]:
    """What DuckDB reads the calls from, once the lake is attached as `lake`: one after the other makes them all.

    No password is in it.
    """
    if of_a_team(settings):
        return ("__ducklake_metadata_lake.everspring.calls",)
    path = str(calls_path(settings)).replace("'", "''")
    return tuple(f"sqlite_scan('{path}', 'calls_{share}')" for share in range(SHARES))
