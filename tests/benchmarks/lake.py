"""Reading: every row of a version as a Polars frame through the lake, and through plain DuckDB on one Parquet file."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.publish import Findings, Run, publish  # noqa: E402
from catalog.records import Prompt  # noqa: E402
from catalog.spool import Spool  # noqa: E402
from catalog.store import Lake, Version  # noqa: E402
from infra.settings import load_settings  # noqa: E402

ROWS, TIMES = 100_000, 3


def published(home: Path) -> tuple[Lake, Version]:
    lake = Lake(load_settings(home=home))
    run = Run(run_id="bench", stage="sft", method="bench", table_name="sft.bench", fingerprint="f")
    with Spool(home / "spool" / "bench", Prompt) as spool:
        spool.add_rows([Prompt(prompt=f"question {number} " * 20) for number in range(ROWS)], {})
        return lake, publish(lake, run, spool, Findings(), shape=Prompt)


def plain(file: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).pl()


def seconds(work: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def lines() -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lake, version = published(home)
        file = home / "plain.parquet"
        lake.export(version, file)
        ours, other = seconds(lambda: lake.query(f"FROM {version.ref.table}")), seconds(lambda: plain(file))
    return [Line(f"{ROWS:,} rows read", ours, other, "s", "DuckDB on a Parquet file")]


if __name__ == "__main__":
    show(lines())
