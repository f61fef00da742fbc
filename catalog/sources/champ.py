"""CHAMP: competition mathematics problems with their answers."""

import json
from collections.abc import Iterator

from catalog.records import BenchmarkItem
from catalog.sources import folder_of, source

_PACKAGE = "champ-dataset"


@source(table="raw.benchmarks", licence="MIT", package=_PACKAGE)
def champ() -> Iterator[tuple[BenchmarkItem, str]]:
    """One row a problem; the recorded model answers, most of the file's 70 MB, are left."""
    file = folder_of(_PACKAGE, "champ_dataset") / "dataset_files" / "v0.json"
    for name, problem in json.loads(file.read_bytes())["problems"].items():
        row = BenchmarkItem(benchmark="CHAMP", item=name, text=problem["_text"], answer=problem["_answer"])
        yield row, f"{file.name}#{name}"
