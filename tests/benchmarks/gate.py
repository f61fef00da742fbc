"""The gate: ten kinds of expectation on rows of real text in Parquet, beside Great Expectations on them in pandas.

Each measurement is a process of its own, so that its memory is its own; importing Great Expectations counts.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from pydoc_data.topics import topics

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from quality.expectations import (  # noqa: E402
    Expectation,
    between,
    differ,
    distinct_together,
    length_between,
    matches,
    not_blank,
    one_of,
    rows_at_least,
    stable_length,
    unique,
)

ROWS, BOTH = 1_000_000, 100_000
FILE = 100_000
EXPECTS = (
    unique("prompt"),
    not_blank("completion"),
    between("score", 0, 1),
    one_of("kind", ["a", "b", "c"]),
    matches("completion", r"\w+ing\b"),
    length_between("completion", 100, 4000),
    distinct_together("prompt", "completion"),
    differ("prompt", "completion"),
    rows_at_least(1),
    stable_length("completion", 0.5),
)


def write(folder: Path, rows: int) -> None:
    """Rows of 50 to 200 words of Python's reference each in `prompt` and `completion`; one in a thousand is broken."""
    import polars as pl

    drawn = random.Random(0)
    words = " ".join(topics.values()).split()
    for start in range(0, rows, FILE):
        count = min(FILE, rows - start)
        texts: list[str] = []
        for _ in range(2 * count):
            at = drawn.randrange(len(words) - 200)
            texts.append(" ".join(words[at : at + drawn.randrange(50, 200)]))
        numbers = range(start, start + count)
        pl.DataFrame(
            {
                "record_id": [f"{number:032x}" for number in numbers],
                "prompt": [f"{number} {text}" for number, text in zip(numbers, texts[:count], strict=True)],
                "completion": [" " if n % 1000 == 0 else t for n, t in zip(numbers, texts[count:], strict=True)],
                "score": [drawn.random() for _ in numbers],
                "kind": [drawn.choice("abc") for _ in numbers],
            }
        ).write_parquet(folder / f"{start:09}.parquet")


def ours(folder: Path) -> list[int]:
    import polars as pl

    from quality.gate import audit

    rows = pl.scan_parquet(folder / "*.parquet")
    return [check.broken_rows for check in audit(rows, EXPECTS, "sft.bench", previous=rows)]


def plain(folder: Path) -> list[int]:
    """The rows in a data frame of pandas, with each text an object, so that it is matched by Python's expressions."""
    import great_expectations as gx
    import polars as pl

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    frame = pl.read_parquet(folder / "*.parquet").to_pandas().astype({"prompt": object, "completion": object})
    found: list[int] = []
    for expectation in EXPECTS:
        rule = getattr(gx.expectations, expectation.kind)(**_arguments(expectation))
        result = definition.get_batch({"dataframe": frame}).validate(rule, result_format="COMPLETE")
        found.append(result.result.get("unexpected_count", 0))
    return found


def _arguments(expectation: Expectation) -> dict[str, object]:
    """Its arguments; a drift's bounds need a figure of the last version, which plain Great Expectations has not."""
    return dict(expectation.arguments) | ({"column": "score", "min_value": 0} if expectation.figure else {})


def measured(way: str, folder: Path) -> tuple[float, float, str]:
    """Seconds, GiB at the peak, and what was found, of a process that goes this way."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, way, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    found = child.stdout.read().strip()
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, found
    return time.perf_counter() - began, usage.ru_maxrss / (1 << 20), found


def lines() -> list[Line]:
    out: list[Line] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, BOTH)
        seconds, memory, found = measured("ours", folder)
        other_seconds, other_memory, other_found = measured("plain", folder)
        assert found == other_found, (found, other_found)
        what, against = f"{BOTH:,} rows, {len(EXPECTS)} expectations", "the rows in pandas"
        out.append(Line(what, seconds, other_seconds, "s", against))
        out.append(Line(what, memory, other_memory, "GiB", against))
        write(folder, ROWS)
        seconds, memory, _ = measured("ours", folder)
        out.append(Line(f"{ROWS:,} rows: time", seconds, None, "s"))
        out.append(Line(f"{ROWS:,} rows: memory", memory, None, "GiB"))
    return out


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print({"ours": ours, "plain": plain}[sys.argv[1]](Path(sys.argv[2])))
    else:
        show(lines())
