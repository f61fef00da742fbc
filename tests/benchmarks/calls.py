"""A question to a million calls: what each method and model cost, how often it failed, how long it took.

Beside it the same figures as one has them from a log of the same calls, one JSON object a line, read with Polars.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.calls import calls_path, open_store  # noqa: E402
from catalog.store import Lake  # noqa: E402
from infra.settings import Settings, load_settings  # noqa: E402

CALLS, TIMES = 1_000_000, 5
REQUEST, TEXT, AROUND = 700, 400, 300
"""Characters of a request, of its answer, and of what a response has around that."""

QUESTION = """
SELECT method, model, count(*) AS calls, sum(cost) AS dollars, sum(prompt_tokens) AS read,
    sum(completion_tokens) AS written, sum(tries - 1) AS retries, count(error) AS failures,
    quantile_cont(latency, 0.5) AS p50, quantile_cont(latency, 0.95) AS p95
FROM catalog.calls GROUP BY ALL ORDER BY ALL
"""

IN_POLARS = """
import sys
import polars as pl

calls = pl.scan_ndjson(sys.argv[1], infer_schema_length=1000)
print(
    calls.group_by("method", "model")
    .agg(
        pl.len().alias("calls"),
        pl.col("cost").sum().alias("dollars"),
        pl.col("prompt_tokens").sum().alias("read"),
        pl.col("completion_tokens").sum().alias("written"),
        (pl.col("tries") - 1).sum().alias("retries"),
        pl.col("error").count().alias("failures"),
        pl.col("latency").quantile(0.5, "linear").alias("p50"),
        pl.col("latency").quantile(0.95, "linear").alias("p95"),
    )
    .sort("method", "model")
    .collect()
    .write_csv()
)
"""

# Five methods and four models; one call in fifty failed, one in ten was sent again.
FIGURES = """
INSERT INTO figures (id, call_id, run_id, method, role, kind, endpoint, model, finish_reason, prices, latency, attempt,
    error, kept, created_at, prompt_tokens, completion_tokens, cached_tokens, cost, tries)
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :calls)
SELECT n, printf('%016x%016x', (n * 2654435761) % 4294967296, n), 'run-' || (n / 50000), 'sft.method_' || (n % 5),
    iif(n % 3, 'generator', 'judge'), 'chat', 'http://10.0.0.7:8000/v1', 'model-' || (n / 7 % 4),
    iif(n % 50, 'stop', NULL), '2026-11', 0.2 + (n * 7919 % 10007) / 2000.0, 0,
    iif(n % 50, NULL, 'HTTP 503: overloaded'),
    iif(n % 50, 'text', NULL), datetime(1795000000 + n / 20, 'unixepoch'), 100 + n % 400,
    iif(n % 50, 50 + n % 300, NULL), 0, 0.0001 * (n % 90), 1 + (n % 10 = 0)
FROM n
"""
TEXTS = """
INSERT INTO texts (id, text, request, response)
SELECT id, iif(kept IS NULL, NULL, substr(:words, 1 + id * 31 % 5000, :text)),
    '{"model":"' || model || '","messages":[{"role":"user","content":"' || substr(:words, 1 + id * 17 % 5000, :request)
    || '"}],"seed":' || id || '}',
    iif(kept IS NULL, NULL, '{"id":"' || call_id || '","choices":[{"message":{"role":"assistant","content":"'
    || substr(:words, 1 + id * 31 % 5000, :text) || '"}}],"around":"' || substr(:words, 1 + id % 5000, :around) || '"}')
FROM figures
"""


def fill(settings: Settings, calls: int) -> None:
    """Make the lake, and so many calls in its store."""
    Lake(settings).versions()
    open_store(settings).create()
    words = " ".join(f"word{number * 7919 % 1000}" for number in range(2000))
    given = {"calls": calls, "words": words, "text": TEXT, "request": REQUEST, "around": AROUND}
    with closing(sqlite3.connect(calls_path(settings))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        with connection:
            connection.execute(FIGURES, given)
            connection.execute(TEXTS, given)


def log(settings: Settings, file: Path) -> None:
    """Write the same calls as JSON lines."""
    with Lake(settings).read() as connection:
        connection.execute(f"COPY (FROM catalog.calls) TO '{file}' (FORMAT json)")


def seconds(command: Sequence[str | Path], home: Path, times: int) -> tuple[float, str]:
    """Median seconds of a whole process, and what it printed."""
    taken: list[float] = []
    said = ""
    environment = {**os.environ, "EVERSPRING_HOME": str(home)}
    for _ in range(times):
        began = time.perf_counter()
        said = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), said


def lines(calls: int = CALLS, times: int = TIMES) -> list[Line]:
    """The question to so many calls; a question to none, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = load_settings(home=home)
        fill(settings, calls)
        log(settings, home / "calls.jsonl")
        everspring = Path(sys.executable).with_name("everspring")
        ours, said = seconds([everspring, "sql", QUESTION, "--format", "csv"], home, times)
        other, there = seconds([sys.executable, "-c", IN_POLARS, home / "calls.jsonl"], home, 1)
        assert len(said.splitlines()) == len(there.split()) == 21, (said, there)
        nothing, _ = seconds([everspring, "sql", "SELECT 1"], home, times)
        bare, _ = seconds([sys.executable, "-c", "import duckdb; print(duckdb.sql('SELECT 1'))"], home, times)
    return [
        Line(f"cost, tokens, failures, latency of {calls:,} calls", ours, other, "s", "Polars on a log in JSON lines"),
        Line("everspring sql 'SELECT 1'", nothing, bare, "s", "the same in DuckDB, no lake"),
    ]


if __name__ == "__main__":
    show(lines(*map(int, sys.argv[1:])))
