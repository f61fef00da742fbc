"""Eight processes publish 50 versions each, on SQLite and on PostgreSQL, while others read: what is lost, how fast.

Of 400 versions 400 are to be there, once and whole; no reader is to be refused; `everspring sql` is to answer in 2 s.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from postgres import serving  # noqa: E402 - found by the lines above
from publishing import Race, p95, race  # noqa: E402
from table import Line, show  # noqa: E402

PROCESSES, RUNS = 8, 50


def figures(name: str, found: Race, wanted: int) -> list[Line]:
    for problem in found.problems[:20]:
        print(f"{name}: {problem}")
    return [
        Line(f"{name}: versions there, once and whole", len(found.written), wanted, "", "wanted"),
        Line(f"{name}: what went wrong", len(found.problems), 0, "", "wanted"),
        Line(f"{name}: all of it", found.seconds, None, "s"),
        Line(f"{name}: one version, its turn awaited, median", statistics.median(found.publishing), None, "s"),
        Line(f"{name}: one question in a process, p95 of {len(found.read)}", p95(found.read), None, "s"),
        Line(f"{name}: `everspring sql`, p95 of {len(found.asked)}", p95(found.asked), 2.0, "s", "wanted, at most"),
    ]


def lines(processes: int = PROCESSES, runs: int = RUNS) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        told = figures("SQLite", race(Path(folder), "", processes=processes, runs=runs), processes * runs)
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        lake = f"{server}/postgres"
        return told + figures("PostgreSQL", race(Path(folder), lake, processes=processes, runs=runs), processes * runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    show(lines(given.processes, given.runs))
