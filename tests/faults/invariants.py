"""What must hold of a lake whatever was killed: each function returns what does not, in words."""

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from parts import children_of
from world import World

from catalog.store import Lake, TableRef
from tasks.provenance import trusted, verify_version


def broken(world: World) -> list[str]:
    """Every invariant that does not hold, now that nothing runs."""
    lake = world.lake
    return [
        *numbers(lake),
        *counts(lake),
        *lineage(lake),
        *signatures(world),
        *(f"asked though its answer was stored: {sent[:200]}" for sent in world.asked_though_stored()),
        *left_over(world),
    ]


def numbers(lake: Lake) -> Iterator[str]:
    """Versions count 1, 2, 3 …, in the order of their snapshots, and each run has published one at most."""
    by_table: dict[str, list[int | None]] = {}
    for version in lake.versions():
        by_table.setdefault(version.ref.table, []).append(version.ref.version)
    for table, found in by_table.items():
        if found != list(range(1, len(found) + 1)):
            yield f"{table}: versions are numbered {found}"
    runs = [version.run_id for version in lake.versions()]
    if len(set(runs)) < len(runs):
        yield f"a run published twice: {sorted({run for run in runs if runs.count(run) > 1})}"
    published = set(_ask(lake, "SELECT run_id FROM catalog.runs WHERE status = 'published'"))
    if different := published ^ {(run,) for run in runs}:
        yield f"runs and versions differ: {different}"


def counts(lake: Lake) -> Iterator[str]:
    """Every version can be read, has as many rows as the catalogue says, and no row twice."""
    told = dict(_ask(lake, "SELECT run_id, kept FROM catalog.runs WHERE status = 'published'"))
    for version in lake.versions():
        where = version.sql
        ((rows, different, own),) = _ask(
            lake,
            "SELECT count(*), count(DISTINCT record_id), "
            f"count(*) FILTER (snapshot_id = {version.added_in}) FROM {where}",
        )
        if rows != version.rows or different != rows:
            yield f"{version.ref}: {version.rows} rows by the catalogue, {rows} there, {different} different ones"
        if own != version.added or own != told.get(version.run_id):
            kept = told.get(version.run_id)
            yield f"{version.ref}: {version.added} rows added by the catalogue, {kept} kept, {own} there"


def lineage(lake: Lake) -> Iterator[str]:
    """Each row that a method made has its lineage, each edge its version, each call that is named its place."""
    for version in lake.versions():
        table = version.ref.table
        if version.ref.schema != "raw":
            orphans = _ask(
                lake,
                f"SELECT record_id FROM {version.sql} ANTI JOIN "
                f"(SELECT record_id FROM catalog.lineage WHERE table_name = '{table}') USING (record_id)",
            )
            if orphans:
                yield f"{version.ref}: {len(orphans)} rows have no lineage"
    for table, version, count in _ask(
        lake,
        "SELECT table_name, version, count(*) FROM catalog.lineage AS l WHERE version IS NOT NULL AND NOT EXISTS "
        "(FROM catalog.versions AS v WHERE v.table_name = l.table_name AND v.version = l.version) GROUP BY ALL",
    ):
        yield f"{table}@{version}: there is none, and {count} edges of lineage"
    for name in sorted({version.ref.table for version in lake.versions() if version.ref.schema != "raw"}):
        ref = TableRef.parse(name)
        loose = _ask(
            lake,
            f"SELECT DISTINCT record_id FROM catalog.lineage WHERE table_name = '{name}' AND version IS NOT NULL "
            f"AND record_id NOT IN (SELECT record_id FROM {ref.sql}) "
            f"AND record_id NOT IN (SELECT parent_id FROM catalog.lineage WHERE table_name = '{name}')",
        )
        if loose:
            yield f"{name}: lineage of {len(loose)} rows that are in no version, nor on the way to one"
    unknown = _ask(
        lake,
        "SELECT count(*) FROM (SELECT DISTINCT parent_id FROM catalog.lineage WHERE kind = 'call') "
        "WHERE parent_id NOT IN (SELECT call_id FROM catalog.calls WHERE text IS NOT NULL)",
    )
    if unknown[0][0]:
        yield f"{unknown[0][0]} calls of the lineage have no answer in the call store"


def signatures(world: World) -> Iterator[str]:
    """`everspring verify` holds for every version."""
    lake, keys = world.lake, trusted(world.settings)
    for version in lake.versions():
        for problem in verify_version(lake, version.ref, keys):
            yield f"{version.ref}: {problem}"


def left_over(world: World) -> Iterator[str]:
    """Nothing is left of runs: no spool, no process."""
    spools = world.home / "spool"
    for left in spools.iterdir() if spools.exists() else ():
        pid = left.name.partition("-")[0]
        if not pid.isdigit() or (_runs_of(world) == [] and not Path(f"/proc/{pid}").exists()):
            yield f"spool {left.name} of a process that is dead"
    ours = {os.getpid(), *children_of(os.getpid())}
    for pid in _runs_of(world):
        if pid not in ours:
            yield f"process {pid} is left of a run"


def flow_runs_at_work(world: World) -> list[str]:
    """The flow runs that Prefect shows as running."""
    body = json.dumps({"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{world.prefect.port}/api/flow_runs/filter", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [run["name"] for run in json.load(answer)]


def _runs_of(world: World) -> list[int]:
    """Processes at work on this home."""
    found: list[int] = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"EVERSPRING_HOME={world.home}\0".encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
    return found


def _ask(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    with lake.read() as connection:
        return connection.execute(sql).fetchall()
