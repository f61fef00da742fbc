"""The site of 100 tables in 20 versions each, five generations of rows, each row made from a call: time, memory, size.

Beside the build's time stands what it may take; beside its memory, that of a process that has only opened the lake.
`--apart` publishes each version in a transaction of its own, as runs do: the system tables then lie in thousands of
files, and making the lake takes minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog import marts  # noqa: E402
from catalog.calls import Call, open_store  # noqa: E402
from catalog.store import RAW, STAGES, Lake  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from tasks.site import MARK  # noqa: E402

TABLES, VERSIONS, ROWS = 100, 20, 50
"""Rows that each version adds."""
SECONDS = 60.0
"""What the build may take, on two cores."""
STAGE_OF = (RAW, "data_preparation", "sft", "instruction_tuning", "alignment")
"""One stage for each generation."""
FIGURES, CHECKS, OPERATORS, REASONS = 40, 8, 5, 6
WORDS = "repeat('some words of a text ', 8 + i % 40)"
BUILD = """
import json, re, sys, time
from pathlib import Path
from catalog.store import Lake
from infra.settings import load_settings
from tasks.site import Wish, build
lake = Lake(load_settings(home=Path(sys.argv[1])))
lake.versions()
def used():  # `ru_maxrss` would count that of the process which started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before, began = used(), time.perf_counter()
made = build(lake, Wish(Path(sys.argv[2])))
took = time.perf_counter() - began
print(json.dumps({"seconds": took, "before": before, "peak": used(), "rows": made.rows}))
"""


def name_of(table: int) -> str:
    each = -(-TABLES // len(STAGE_OF))
    return f"{STAGE_OF[table // each]}.t{table:03}"


def parent_of(table: int) -> int | None:
    each = -(-TABLES // len(STAGE_OF))
    return table - each if table >= each else None


def make(lake: Lake, *, apart: bool) -> None:
    """Every table with its versions; row i of a version is made from row i of the same version of its parent."""
    assert set(STAGE_OF) <= {RAW, *STAGES}
    with lake.write("tables") as connection:
        for table in range(TABLES):
            connection.execute(
                f"CREATE TABLE lake.{name_of(table)} (record_id VARCHAR, prompt VARCHAR, completion VARCHAR, "
                "parents VARCHAR[])"
            )
        marts.refresh(connection)
    for version in range(1, VERSIONS + 1):
        for group in [[table] for table in range(TABLES)] if apart else [list(range(TABLES))]:
            with lake.write(f"version {version}") as connection:
                _publish(connection, group, version)


def _publish(connection: "duckdb.DuckDBPyConnection", tables: list[int], version: int) -> None:
    for table in tables:
        parents = f"[md5('{parent_of(table)}-{version}-' || i)]" if parent_of(table) is not None else "[]"
        connection.execute(
            f"INSERT INTO lake.{name_of(table)} SELECT md5('{table}-{version}-' || i), "
            f"'question {table}-{version}-' || i || {WORDS}, 'answer <b>' || i || {WORDS}, {parents} "
            f"FROM range({ROWS}) AS r(i)"
        )
    named = ", ".join(
        f"({table}, '{name_of(table)}', {'NULL' if parent is None else parent}, "
        f"{'NULL' if parent is None else repr(name_of(parent))})"
        for table in tables
        for parent in [parent_of(table)]
    )
    for system, select, rows in _SYSTEM:
        told = select.format(version=version, rows=ROWS, words=WORDS)
        connection.execute(
            f"INSERT INTO lake.catalog.{system} BY NAME SELECT name AS table_name, {told} FROM (VALUES {named}) "
            f"AS t (number, name, parent, above), range({rows}) AS r(i) "
            + ("WHERE above IS NOT NULL" if "above" in select and system != "runs" else "")
            + ("WHERE above IS NULL" if system == "sources" else "")
        )


_RUN = "'run-' || number || '-{version}' AS run_id"
_DAY = "TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL {version} DAY"
_ID = "md5(number || '-{version}-' || i) AS record_id"
_NAMED = "split_part(name, '.', 1) AS stage, split_part(name, '.', 2) AS method"
_SYSTEM = (
    (
        "version_log",
        (
            f"{_NAMED}, {{version}} AS version, {{version}} * {{rows}} AS rows, {{rows}} AS added, "
            f"'append' AS mode, {_RUN}, 'f' AS fingerprint, {_DAY} AS published_at"
        ),
        1,
    ),
    (
        "runs",
        (
            f"{_RUN}, {_NAMED}, 'published' AS status, {{version}} AS version, {_DAY} AS started_at, 10.0 AS seconds, "
            "{rows} AS rows_in, {rows} + 10 AS made, {rows} AS kept, 10 AS rejected, 5 AS dropped, {rows} AS calls, "
            "1000 AS prompt_tokens, 500 AS completion_tokens, 0.01 AS cost, 'abc' AS code_revision, "
            "CASE WHEN above IS NULL THEN [] ELSE [above || '@{version}'] END AS inputs, "
            "'{{\"rows\": 50, \"seed\": 1}}' AS settings, ['generator=model'] AS models"
        ),
        1,
    ),
    (
        "metrics",
        (
            f"{_RUN}, {{version}} AS version, ['quality', 'diversity', 'coverage', 'privacy'][i % 4 + 1] AS axis, "
            "'figure_' || i AS metric, 0.5 + 0.01 * (i * {version} % 17) AS value, 100 AS n, 'measure/1' AS method, "
            "CASE WHEN i % 2 = 0 THEN 0.5 END AS low"
        ),
        FIGURES,
    ),
    (
        "checks",
        (
            f"{_RUN}, {{version}} AS version, 'expectation_' || i AS expectation, 'block' AS severity, true AS passed, "
            "'100 %' AS observed, 0 AS broken_rows"
        ),
        CHECKS,
    ),
    (
        "ledger",
        (
            f"{_RUN}, i AS position, 'operator_' || i AS operator, 50 AS rows_in, 50 AS rows_out, 1 AS dropped, "
            "50 AS calls, 0.01 AS cost, 1.0 AS seconds"
        ),
        OPERATORS,
    ),
    (
        "rejected",
        (
            f"{_RUN}, {{version}} AS version, md5('x' || number || '-{{version}}-' || i) AS record_id, "
            f"'screen_' || (i % {REASONS}) AS screen, 'is ' || i || ' words long' AS reason, 'evidence' AS evidence, "
            "'{{\"prompt\": \"' || {words} || '\"}}' AS content"
        ),
        ROWS,
    ),
    (
        "table_lineage",
        f"{_RUN}, {{version}} AS version, above AS parent_table, {{version}} AS parent_version",
        1,
    ),
    (
        "lineage",
        (
            f"{{version}} AS version, {_ID}, 'row' AS kind, md5(parent || '-{{version}}-' || i) AS parent_id, "
            "above AS parent_table"
        ),
        ROWS,
    ),
    (
        "lineage",
        (
            f"{{version}} AS version, {_ID}, 'call' AS kind, 'generator' AS role, "
            "CASE WHEN above IS NOT NULL THEN 'model' END AS model, "
            "md5('call-' || number || '-{version}-' || i) AS parent_id"
        ),
        ROWS,
    ),
    (
        "sources",
        (
            f"{_RUN}, {{version}} AS version, 'source' AS source, 'CC-BY-4.0' AS licence, 'somewhere' AS origin, "
            "{rows} AS rows"
        ),
        1,
    ),
)
"""System table, what is put into it of each table's version, and how many rows (i counts them)."""


def ask(home: Path) -> None:
    """Put the calls of all rows into the store."""
    from hashlib import md5

    store = open_store(load_settings(home=home))
    calls = [
        Call(
            call_id=md5(f"call-{table}-{version}-{row}".encode()).hexdigest(),
            run_id=f"run-{table}-{version}",
            method=name_of(table),
            role="generator",
            model="model",
            endpoint="http://127.0.0.1:8000/v1",
            request=json.dumps({"messages": [{"role": "user", "content": f"Write a text. {'word ' * 100}"}]}),
            text="A text. " * 40,
            prompt_tokens=100,
            completion_tokens=80,
            cost=0.0001,
        )
        for table in range(TABLES)
        if parent_of(table) is not None
        for version in range(1, VERSIONS + 1)
        for row in range(ROWS)
    ]
    for start in range(0, len(calls), 1000):
        store.put(calls[start : start + 1000], lambda _: None)
    store.close()


def lines(*, apart: bool = False) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        home, out = Path(folder) / "home", Path(folder) / "site"
        began = time.perf_counter()
        make(Lake(load_settings(home=home)), apart=apart)
        ask(home)
        print(f"the lake was made in {time.perf_counter() - began:.0f} s", flush=True)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, home, out], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        told = json.loads(done.stdout.splitlines()[-1])
        assert (out / MARK).exists()
        files = [file for file in out.rglob("*") if file.is_file()]
        return [
            Line(f"site of {TABLES} tables × {VERSIONS} versions", told["seconds"], SECONDS, "s", "wanted"),
            Line("peak memory", told["peak"], told["before"], "MiB", "with the lake only open"),
            Line("rows with a page", told["rows"], None, ""),
            Line("files", len(files), None, ""),
            Line("size", sum(file.stat().st_size for file in files) / 1e6, None, "MB"),
            Line("index of the search", (out / "data/search.js").stat().st_size / 1e6, None, "MB"),
        ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apart", action="store_true", help="each version in a transaction of its own")
    show(lines(apart=parser.parse_args().apart))
