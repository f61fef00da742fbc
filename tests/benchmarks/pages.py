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
import json, resource, sys, time
from pathlib import Path
from catalog.store import Lake
from infra.settings import load_settings
from tasks.site import Wish, build
lake = Lake(load_settings(home=Path(sys.argv[1])))
lake.versions()
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
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
                for table in group:
                    _publish(connection, table, version)


def _publish(connection, table: int, version: int) -> None:  # noqa: ANN001
    name, parent, run = name_of(table), parent_of(table), f"run-{table}-{version}"
    stage, _, method = name.partition(".")

    def put(system: str, select: str) -> None:
        connection.execute(f"INSERT INTO lake.catalog.{system} BY NAME SELECT {select}")

    key = f"{table}-{version}-"
    above = f"[md5('{parent}-{version}-' || i)]" if parent is not None else "[]::VARCHAR[]"
    connection.execute(
        f"INSERT INTO lake.{name} SELECT md5('{key}' || i), 'question {key}' || i || {WORDS}, "
        f"'answer <b>' || i || {WORDS}, {above} FROM range({ROWS}) AS r(i)"
    )
    put(
        "version_log",
        f"'{name}' AS table_name, '{stage}' AS stage, '{method}' AS method, {version} AS version, "
        f"{version * ROWS} AS rows, {ROWS} AS added, 'append' AS mode, '{run}' AS run_id, '{run}' AS fingerprint, "
        f"TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL {version} DAY AS published_at",
    )
    read = f"['{name_of(parent)}@{version}']" if parent is not None else "[]::VARCHAR[]"
    put(
        "runs",
        f"'{run}' AS run_id, '{stage}' AS stage, '{method}' AS method, '{name}' AS table_name, 'published' AS status, "
        f"{version} AS version, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL {version} DAY AS started_at, "
        f"10.0 AS seconds, {ROWS} AS rows_in, {ROWS + 10} AS made, {ROWS} AS kept, 10 AS rejected, 5 AS dropped, "
        f"{ROWS} AS calls, 1000 AS prompt_tokens, 500 AS completion_tokens, 0.01 AS cost, {read} AS inputs, "
        "'{\"rows\": 50, \"seed\": 1}' AS settings, ['generator=model'] AS models, 'abc' AS code_revision",
    )
    put(
        "metrics",
        f"'{run}' AS run_id, '{name}' AS table_name, {version} AS version, "
        "['quality', 'diversity', 'coverage', 'privacy'][i % 4 + 1] AS axis, 'figure_' || i AS metric, "
        f"0.5 + 0.01 * (i * {version} % 17) AS value, 100 AS n, 'measure/1' AS method, "
        f"CASE WHEN i % 2 = 0 THEN 0.5 END AS low FROM range({FIGURES}) AS r(i)",
    )
    put(
        "checks",
        f"'{run}' AS run_id, '{name}' AS table_name, {version} AS version, 'expectation_' || i AS expectation, "
        f"'critical' AS severity, true AS passed, '100 %' AS observed, 0 AS broken_rows FROM range({CHECKS}) AS r(i)",
    )
    put(
        "ledger",
        f"'{run}' AS run_id, '{name}' AS table_name, i AS position, 'operator_' || i AS operator, 50 AS rows_in, "
        f"50 AS rows_out, 1 AS dropped, 50 AS calls, 0.01 AS cost, 1.0 AS seconds FROM range({OPERATORS}) AS r(i)",
    )
    put(
        "rejected",
        f"'{run}' AS run_id, '{name}' AS table_name, {version} AS version, md5('x{key}' || i) AS record_id, "
        f"'screen_' || (i % {REASONS}) AS screen, 'is ' || i || ' words long' AS reason, 'evidence' AS evidence, "
        f"'{{\"prompt\": \"' || {WORDS} || '\"}}' AS content FROM range({ROWS}) AS r(i)",
    )
    if parent is not None:
        put(
            "table_lineage",
            f"'{name}' AS table_name, {version} AS version, '{name_of(parent)}' AS parent_table, "
            f"{version} AS parent_version, '{run}' AS run_id",
        )
        put(
            "lineage",
            f"'{name}' AS table_name, {version} AS version, md5('{key}' || i) AS record_id, 'row' AS kind, "
            f"md5('{parent}-{version}-' || i) AS parent_id, '{name_of(parent)}' AS parent_table "
            f"FROM range({ROWS}) AS r(i)",
        )
        put(
            "lineage",
            f"'{name}' AS table_name, {version} AS version, md5('{key}' || i) AS record_id, 'call' AS kind, "
            f"md5('call-{key}' || i) AS parent_id, 'model' AS model, 'generator' AS role FROM range({ROWS}) AS r(i)",
        )
    else:
        put(
            "sources",
            f"'{name}' AS table_name, {version} AS version, 'source' AS source, 'CC-BY-4.0' AS licence, "
            f"'somewhere' AS origin, {ROWS} AS rows, '{run}' AS run_id",
        )


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
        told = json.loads(done.stdout)
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
