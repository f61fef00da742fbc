"""JSON: an object a line, an array of objects, or objects one after the other."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.formats.duck import fetch, memory, plain_path
from catalog.formats.table import (
    MESSAGES,
    Bad,
    Cells,
    Meter,
    Rows,
    common_type,
    few_columns,
    has_surrogates,
    readable,
    shown,
)
from catalog.formats.text import lines_of, open_bytes
from infra.errors import Refusal

_SAMPLE = 1000
"""Rows that are looked at to learn which columns there are."""
_OBJECT = 1 << 24
"""Characters of an object: Python's lists and dictionaries take thirty times that, and DuckDB reads none longer."""
_OBJECTS = 8
"""Objects that DuckDB gives at once."""
_CHUNK = 1 << 20


def open_jsonl(file: Path, label: str) -> Rows:
    """Look at the first objects of a file that has one a line.

    Raises:
        Refusal: where there are none.
    """
    return _sampled(label, lambda: _lines(file, label))


def open_json(file: Path, label: str) -> Rows:
    """Look at the first objects of a file, whichever of the three ways they are written.

    Raises:
        Refusal: where there are none.
    """
    with readable(label, "JSON"), lines_of(file, label, "\n") as lines:
        first = next((line for line in lines if line.strip()), "").strip()
    if first.startswith("{") and isinstance(_row("", first), Cells):
        return open_jsonl(file, label)
    layout = "array" if first.startswith("[") else "unstructured"

    def rows() -> Generator[Cells | Bad]:
        _measure(file, label)
        with plain_path(file) as path, memory() as connection:
            connection.execute("SELECT json FROM read_json_objects(?, format = ?)", [path, layout])
            for number, (text,) in enumerate(fetch(connection, _OBJECTS), 1):
                yield _row(f"{label}#{number}", text)

    return _sampled(label, rows)


def _measure(file: Path, label: str) -> None:
    """Unzip a file once for nothing but its size: DuckDB would unzip whatever it is."""
    meter = Meter(label, [file])
    with open_bytes(file) as opened:
        while data := opened.read(_CHUNK):
            meter.count(len(data))


def _lines(file: Path, label: str) -> Generator[Cells | Bad]:
    with lines_of(file, label, "\n") as lines:
        number, goes_on = 0, False
        for line in lines:
            number += not goes_on
            if not goes_on and line.strip():
                yield _row(f"{label}:{number}", line)
            goes_on = not line.endswith("\n")


def _row(place: str, text: str) -> Cells | Bad:
    if len(text) >= _OBJECT:
        return Bad(place, f"longer than {_OBJECT >> 20} MiB", shown(text))
    if has_surrogates(text):
        return Bad(place, "not UTF-8", shown(text))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Bad(place, f"no JSON ({getattr(error, 'msg', error)})", shown(text))
    return Cells(place, value) if isinstance(value, dict) else Bad(place, "no JSON object", shown(text))


def _sampled(label: str, rows: Callable[[], Generator[Cells | Bad]]) -> Rows:
    columns: dict[str, Counter[str]] = {}
    sample = good = 0
    with readable(label, "JSON"), closing(rows()) as opened:
        for row in itertools.islice(opened, _SAMPLE):
            sample += 1
            if isinstance(row, Cells):
                good += 1
                for name, value in row.values.items():
                    columns.setdefault(name, Counter())[_type(value)] += 1
                few_columns(label, columns)
    if not sample:
        raise Refusal(f"{label}: it holds no rows, one at least is wanted")
    if not good:
        raise Refusal(f"{label}: none of its first {sample} rows is a JSON object, objects are wanted")

    def settle(column: str) -> str:
        return common_type(_type(row.values.get(column)) for row in rows() if isinstance(row, Cells))

    types = {name: _column_type(found) for name, found in columns.items()}
    return Rows(types, lambda _columns, _cell: rows(), settle)


def _column_type(types: Counter[str]) -> str:
    """A column mostly of lists, such as conversations, is one of them: the rest is what is wrong with it."""
    mostly = Counter({kind: count for kind, count in types.items() if kind != "NULL"}).most_common(1)
    return mostly[0][0] if mostly and mostly[0][0].endswith("]") else common_type(types)


def _type(value: Any) -> str:
    if isinstance(value, list):
        turns = bool(value) and all(isinstance(turn, dict) and {"role", "content"} <= set(turn) for turn in value)
        return MESSAGES if turns else "JSON[]"
    types: dict[type, str] = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR", dict: "JSON"}
    return types.get(type(value), "NULL")
