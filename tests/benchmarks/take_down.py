"""Take-down: one seed record of 100 in a lake of 100,000 rows, previewed and withdrawn.

The lake has four tables of 25,000 rows, each made from the one before over intermediate rows and model calls, and
from some rows of earlier ones; the preview is compared with a walk over the edges in Python. Beside the time of the
preview stands that of the whole command, Python's start included.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.publish import Findings, Run, publish  # noqa: E402
from catalog.records import Prompt, digest  # noqa: E402
from catalog.spool import Spool  # noqa: E402
from catalog.store import Lake, TableRef  # noqa: E402
from catalog.withdrawals import Asked, reach  # noqa: E402
from infra.settings import load_settings  # noqa: E402

SEEDS, TABLES = 100, ("sft.first", "sft.second", "alignment.third", "applications.fourth")
Edge = dict[str, Any]


def put(lake: Lake, home: Path, table: str, rows: list[Prompt], edges: list[Edge]) -> None:
    stage, _, name = table.partition(".")
    run = Run(
        run_id=f"{name}-{len(rows)}", stage=stage, method=name, table_name=table, fingerprint=digest(rows[0].prompt)
    )
    with Spool(home / "spool" / name, Prompt) as spool:
        spool.add_rows(rows, {})
        spool.add_edges(edges)
        publish(lake, run, spool, Findings(), shape=Prompt)


def make(home: Path, rows: int) -> tuple[Lake, list[Prompt], list[Edge]]:
    """A lake of so many rows, its seeds, and all edges."""
    lake, draw = Lake(load_settings(home=home)), random.Random(1)
    seeds = [Prompt(prompt=f"seed {number}") for number in range(SEEDS)]
    put(lake, home, "raw.seeds", seeds, [])
    above, known, edges = "raw.seeds", seeds, list[Edge]()
    for table in TABLES:
        made = [Prompt(prompt=f"{table} {number} " + "word " * 20) for number in range((rows - SEEDS) // len(TABLES))]
        its: list[Edge] = []
        for row in made:
            draft, call = digest(["draft", row.record_id]), digest(["call", row.record_id])
            parents = draw.sample(known, draw.choice((1, 1, 2)))
            its.append({"record_id": row.record_id, "kind": "row", "parent_id": draft, "parent_table": None})
            its.append({"record_id": draft, "kind": "call", "parent_id": call, "parent_table": None})
            its += [
                {"record_id": draft, "kind": "row", "parent_id": parent.record_id, "parent_table": above}
                for parent in parents
            ]
        put(lake, home, table, made, its)
        above, known, edges = table, made, edges + its
    return lake, seeds, edges


def offspring(edges: list[Edge], start: str) -> set[str]:
    """Every row that came of one, by a walk over the edges."""
    below: dict[str, list[str]] = {}
    for edge in edges:
        below.setdefault(edge["parent_id"], []).append(edge["record_id"])
    found, queue = {start}, [start]
    while queue:
        for row in below.get(queue.pop(), []):
            if row not in found:
                found.add(row)
                queue.append(row)
    return found


def held(lake: Lake) -> dict[str, set[str]]:
    """The ids of the rows of each table's last version."""
    return {table: set(lake.ids(lake.find(TableRef.parse(table)))) for table in ("raw.seeds", *TABLES)}


def lines(rows: int = 100_000) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lake, seeds, edges = make(home, rows)
        seed = seeds[SEEDS // 2].record_id
        began = time.perf_counter()
        expected = offspring(edges, seed)
        brute = time.perf_counter() - began
        there = held(lake)
        wanted = {table: ids & expected for table, ids in there.items() if ids & expected}
        reach(lake, Asked(records=[seed]))  # what a process loads once
        began = time.perf_counter()
        found = reach(lake, Asked(records=[seed]))
        taken = time.perf_counter() - began
        assert {table: set(ids) for table, ids in found.rows.items()} == wanted
        assert found.ids == expected
        command = [sys.executable, "-m", "flows", "withdraw", "--record", seed]
        environment = {**os.environ, "EVERSPRING_HOME": folder, "PYTHONPATH": str(ROOT)}
        began = time.perf_counter()
        told = subprocess.run(
            [*command, "--format", "json"], env=environment, cwd=ROOT, capture_output=True, check=True
        )
        whole = time.perf_counter() - began
        assert {table: set(ids) for table, ids in json.loads(told.stdout)["rows"].items()} == wanted
        began = time.perf_counter()
        subprocess.run(
            [*command, "--yes", "--why", "a benchmark"], env=environment, cwd=ROOT, capture_output=True, check=True
        )
        done = time.perf_counter() - began
        left = sum(len(ids & expected) for ids in held(lake).values())
        assert not left
    return [
        Line(
            f"preview of {found.count:,} rows in a lake of {rows:,}",
            taken,
            brute,
            "s",
            "a walk in Python, edges in memory",
        ),
        Line("the same as a command", whole, None, "s"),
        Line("withdrawn, checked and signed", done, None, "s"),
        Line("rows left in last versions", left, None, "rows"),
    ]


if __name__ == "__main__":
    show(lines(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
