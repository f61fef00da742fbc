"""What two versions of a million rows each differ in, where a tenth was added, removed or changed, and where all was.

Beside it what one would do instead: export both to Parquet and take Polars' anti-joins of them, which tell rows that
are there from those that are not, and neither which of them are changed nor how columns differ. Each in a process of
its own, for its peak of memory.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.store import Lake  # noqa: E402
from infra.settings import load_settings  # noqa: E402

ROWS = 1_000_000
ALL, TENTH = "sft.all", "sft.tenth"

OURS = """
import resource, sys, time
from catalog.store import Lake, TableRef
from infra.settings import load_settings
from tasks.diff import diff
lake = Lake(load_settings(home=sys.argv[1]))
one, other = (lake.find(TableRef.parse(f"{sys.argv[2]}@{number}")) for number in (1, 2))
began = time.perf_counter()
rows = diff(lake, one, other).rows
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
print(rows.added, rows.removed, rows.changed, rows.kept)
"""
THEIRS = """
import resource, sys, time
import polars as pl
from catalog.store import Lake, TableRef
from infra.settings import load_settings
lake = Lake(load_settings(home=sys.argv[1]))
began = time.perf_counter()
files = []
for number in (1, 2):
    file = f"{sys.argv[1]}/{number}.parquet"
    with lake.read() as connection:
        connection.execute(f"COPY (FROM {lake.find(TableRef.parse(f'{sys.argv[2]}@{number}')).sql}) TO '{file}'")
    files.append(pl.read_parquet(file))
gone = files[0].join(files[1], on="record_id", how="anti")
new = files[1].join(files[0], on="record_id", how="anti")
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
print(len(new), len(gone), 0, len(files[1]) - len(new))
"""
# Of the second version's rows, one in twenty has another answer, one in twenty is another question.
CHANGES = {
    TENTH: "CASE WHEN i % 20 = 0 THEN 'changed ' ELSE '' END",
    ALL: "'changed '",
}


def make(lake: Lake, rows: int) -> None:
    """Two tables of two versions each."""
    words = "repeat('word ', 40)"
    for table, changed in CHANGES.items():
        for version, change in ((1, "''"), (2, changed)):
            added = f"i + CASE WHEN {version} = 2 AND i % 20 = 1 THEN {rows} ELSE 0 END"
            name = table.partition(".")[2]
            with lake.write(f"{table}@{version}") as connection:
                connection.execute(f"DROP TABLE IF EXISTS lake.{table}")
                connection.execute(
                    f"CREATE TABLE lake.{table} AS SELECT md5(prompt || completion) AS record_id, prompt, completion, "
                    "parents FROM (SELECT "
                    f"'question ' || ({added}) || {words} AS prompt, "
                    f"{change} || 'answer ' || i || {words} AS completion, "
                    f"[md5('seed ' || (({added}) // 2))] AS parents FROM range({rows}) AS r(i))"
                )
                connection.execute(
                    "INSERT INTO lake.catalog.version_log BY NAME SELECT ? AS table_name, 'sft' AS stage, ? AS method, "
                    "?::INTEGER AS version, ?::BIGINT AS rows, ?::BIGINT AS added, now() AS published_at, "
                    "'replace' AS mode, ? AS run_id, 'f' AS fingerprint",
                    [table, name, version, rows, rows, f"{name}-{version}"],
                )


def measured(program: str, *arguments: str) -> tuple[float, float, list[int]]:
    """Seconds, MiB, and the rows added, removed, changed and kept."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    *_, first, counts = done.stdout.splitlines()  # DuckDB's progress comes before, in the other way
    seconds, peak = map(float, first.split())
    return seconds, peak, [int(count) for count in counts.split()]


def lines(rows: int = ROWS) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(load_settings(home=Path(folder)))
        make(lake, rows)
        told = list[Line]()
        wanted = {TENTH: [rows // 20, rows // 20, rows // 20, rows * 9 // 10], ALL: [rows // 20, rows // 20, 0, 0]}
        wanted[ALL][2] = rows - rows // 20
        for table in CHANGES:
            seconds, peak, counts = measured(OURS, folder, table)
            assert counts == wanted[table], (table, counts)
            theirs, their_peak, _ = measured(THEIRS, folder, table)
            told.append(
                Line(f"{table[4:]} of {rows:,} rows changed", seconds, theirs, "s", "Parquet, Polars anti-joins")
            )
            told.append(Line("  memory at its peak", peak, their_peak, "MiB", "the same"))
        return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    show(lines(parser.parse_args().rows))
