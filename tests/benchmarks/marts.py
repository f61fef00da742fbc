"""Marts and lineage on a million rows of five generations: every mart, and a row's lineage up and down.

Beside each mart stands a plain `count(*)` of what it reads, as one would ask first; each is a question to a new
connection, answered whole. The lake has a million rejected rows, duplicates, figures and runs as well.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog import marts  # noqa: E402
from catalog.lineage import trace  # noqa: E402
from catalog.store import Lake  # noqa: E402
from infra.settings import load_settings  # noqa: E402

ROWS, GENERATIONS = 1_000_000, 5
SECONDS = 1.0
"""What each may take, on two cores."""
READS = {
    "sft": "sft.g1",
    "preferences": "alignment.pairs",
    "yields": "catalog.runs",
    "rejections": "catalog.rejected",
    "quality_trend": "catalog.metrics",
    "row_lineage": "catalog.lineage",
    "table_lineage": "catalog.table_lineage",
    "seeds": "catalog.lineage",
    "model_comparison": "catalog.lineage",
    "duplicates": "catalog.duplicates",
}
WORDS = "repeat('word ', 20)"


def make(lake: Lake, rows: int) -> None:
    """A lake in which each generation is made from the one before, row by row, by one of two models."""
    each = rows // GENERATIONS
    with lake.write("a million rows") as connection:
        run = connection.execute
        run(
            "CREATE TABLE lake.raw.seeds AS SELECT md5('g0-' || i) AS record_id, "
            f"'seed ' || i || {WORDS} AS text, []::VARCHAR[] AS parents FROM range({each}) AS r(i)"
        )
        for number in range(1, GENERATIONS + 1):
            run(
                f"CREATE TABLE lake.sft.g{number} AS SELECT md5('g{number}-' || i) AS record_id, "
                f"'question ' || (i // 2) || {WORDS} AS prompt, 'answer ' || i || {WORDS} AS completion, "
                f"[md5('g{number - 1}-' || (i * 7919 % {each}))] AS parents FROM range({each}) AS r(i)"
            )
            above = f"sft.g{number - 1}" if number > 1 else "raw.seeds"
            run(
                "INSERT INTO lake.catalog.lineage BY NAME "
                f"SELECT 'sft.g{number}' AS table_name, 1 AS version, record_id, 'row' AS kind, "
                f"parents[1] AS parent_id, '{above}' AS parent_table FROM lake.sft.g{number} ORDER BY record_id"
            )
            run(
                "INSERT INTO lake.catalog.lineage BY NAME "
                f"SELECT 'sft.g{number}' AS table_name, 1 AS version, record_id, 'call' AS kind, "
                "md5(record_id) AS parent_id, 'model-' || (ascii(record_id) % 2) AS model, 'generator' AS role "
                f"FROM lake.sft.g{number} ORDER BY record_id"
            )
            run(
                "INSERT INTO lake.catalog.table_lineage VALUES (?, 1, ?, 1, ?)",
                [f"sft.g{number}", above, f"run-{number}"],
            )
        run(
            "CREATE TABLE lake.alignment.pairs AS SELECT md5('p' || i) AS record_id, 'question ' || i AS prompt, "
            f"{WORDS} AS chosen, {WORDS} || 'more' AS rejected, []::VARCHAR[] AS parents FROM range({rows}) AS r(i)"
        )
        run(
            "INSERT INTO lake.catalog.version_log BY NAME SELECT table_schema || '.' || table_name AS table_name, "
            "table_schema AS stage, table_name AS method, 1 AS version, now() AS published_at, 'append' AS mode, "
            "'run-' || table_name AS run_id "
            "FROM information_schema.tables WHERE table_schema IN ('raw', 'sft', 'alignment')"
        )
        run(
            "INSERT INTO lake.catalog.rejected BY NAME SELECT 'run-' || (i % 50) AS run_id, "
            "'sft.g' || (i % 5) AS table_name, md5('r' || i) AS record_id, "
            "['duplicate', 'length', 'fluency', 'language'][i % 4 + 1] AS screen, "
            "'is ' || (i % 1000) || ' words long, at most 800 are wanted' AS reason, 'evidence ' || i AS evidence, "
            f"'{{\"prompt\": \"question ' || i || {WORDS} || '\"}}' AS content FROM range({rows}) AS r(i)"
        )
        run(
            "INSERT INTO lake.catalog.duplicates BY NAME SELECT 'run-' || (i % 50) AS run_id, "
            "'sft.g' || (i % 5) AS table_name, md5('r' || i) AS record_id, md5('g1-' || i) AS kept_id, "
            f"0.9 AS similarity, 'near' AS kind, i::UINTEGER AS cluster FROM range({rows}) AS r(i)"
        )
        run(
            "INSERT INTO lake.catalog.runs BY NAME SELECT 'run-' || i AS run_id, 'sft' AS stage, "
            "'method-' || (i % 50) AS method, 'sft.g1' AS table_name, 'published' AS status, 1 AS version, "
            "DATE '2026-01-01' + (i % 300)::INTEGER AS started_at, 10 AS made, 8 AS kept, 1 AS rejected, 1 AS dropped, "
            "20 AS calls, 5 AS prompt_tokens, 5 AS completion_tokens, 0.1 AS cost, 0 AS unpriced, 1.5 AS seconds, "
            f"['generator=model-' || (i % 3)] AS models FROM range({rows}) AS r(i)"
        )
        run(
            "INSERT INTO lake.catalog.metrics BY NAME SELECT 'run-' || (i // 40) AS run_id, 'sft.g1' AS table_name, "
            "1 AS version, 'diversity' AS axis, 'metric-' || (i % 40) AS metric, i / 7 AS value, 10 AS n, "
            f"'measure' AS method, 0.0 AS low FROM range({rows}) AS r(i)"
        )
        marts.refresh(connection)


def seconds(work: Callable[[], object]) -> float:
    """The median of three."""
    took = list[float]()
    for _ in range(3):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return sorted(took)[1]


def lines(rows: int = ROWS) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(load_settings(home=Path(folder)))
        make(lake, rows)
        told = list[Line]()
        for name in marts.load_marts():
            whole = name in {"yields", "rejections", "seeds", "model_comparison", "table_lineage"}
            asked = f"FROM marts.{name}" if whole else f"SELECT count(*), count(record_id) FROM marts.{name}"
            if name in {"row_lineage", "quality_trend"}:
                asked = f"FROM (FROM marts.{name}) ORDER BY ALL LIMIT 10"
            took = seconds(lambda asked=asked: lake.query(asked))
            instead = f"SELECT count(*) FROM {READS[name]}"
            told.append(Line(f"marts.{name}", took, seconds(lambda i=instead: lake.query(i)), "s", instead))
        with lake.read() as connection:
            ((low,), (high,)) = (
                connection.execute(f"SELECT md5('g{number}-7')").fetchall()[0] for number in (0, GENERATIONS)
            )
        up = trace(lake, high, "up")
        assert len(up.nodes) == 2 * GENERATIONS + 1, len(up.nodes)
        told.append(Line("a row's lineage, up", seconds(lambda: trace(lake, high, "up")), SECONDS, "s", "wanted"))
        down = trace(lake, low, "down")
        assert len(down.nodes) == GENERATIONS + 1, len(down.nodes)
        told.append(Line("a row's lineage, down", seconds(lambda: trace(lake, low, "down")), SECONDS, "s", "wanted"))
        return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    show(lines(parser.parse_args().rows))
