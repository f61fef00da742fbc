"""Answers to questions in SQL, as they come from DuckDB: shown as a table, written as CSV, JSON or Parquet."""

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console, printable

if TYPE_CHECKING:
    import duckdb

    from tasks.outcome import Outcome

Form = Literal["table", "csv", "json", "parquet"]

SHOWN = 10_000
"""Rows that a table shows at most: it is laid out as a whole."""
_AT_ONCE = 1000
_BATCH = 100_000
_NUMBERS = {"tinyint", "smallint", "integer", "bigint", "hugeint", "float", "double", "decimal"}


def show_answer(found: "duckdb.DuckDBPyConnection", form: Form = "table", empty: str = "no rows") -> None:
    """Print what DuckDB has found; `empty` is what a table without rows says."""
    if form == "parquet":
        _write_parquet(found)
    elif form == "csv":
        _write(_names(found))
        for row in _rows(found):
            _write(row)
    elif form == "json":
        _write_json(found)
    else:
        _show(found, empty)


def _write_parquet(found: "duckdb.DuckDBPyConnection") -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    batches: pa.RecordBatchReader = found.to_arrow_reader(_BATCH)
    with pq.ParquetWriter(sys.stdout.buffer, batches.schema, compression="zstd") as file:
        for batch in batches:
            file.write_batch(batch)


def _write_json(found: "duckdb.DuckDBPyConnection") -> None:
    """Write an array, row by row: an answer may be larger than memory."""
    names, before = _names(found), "["
    for row in _rows(found):
        text = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str, indent=2)
        sys.stdout.write(f"{before}\n  " + text.replace("\n", "\n  "))
        before = ","
    print("[]" if before == "[" else "\n]")


def show_outcomes(outcomes: "Sequence[Outcome]") -> None:
    """The table of results."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    lines = [line(outcome) for outcome in outcomes]
    for name in lines[0] if lines else ():
        numeric = name in {"rows in", "made", "kept", "failed", "tokens", "dollars", "seconds"}
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for cells in lines:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells.values()))
    console().print(table)


def line(outcome: "Outcome") -> dict[str, Any]:
    """An outcome as a line of the results; `+` marks tokens of which some are not known."""
    from tasks.ledger import dollars

    return {
        "stage": outcome.stage,
        "method": outcome.method,
        "rows in": outcome.rows_in,
        "made": outcome.made,
        "kept": outcome.kept,
        "rejected": counts(outcome.rejected),
        "dropped": counts(outcome.dropped),
        "failed": outcome.failed,
        "tokens": f"{outcome.tokens:,}+" if outcome.unmetered else outcome.tokens,
        "dollars": "not known" if outcome.cost is None else dollars(outcome.cost),
        "seconds": round(outcome.seconds, 1),
        "version": outcome.version if outcome.status == "published" else f"{outcome.version or '–'} ({outcome.status})",
    }


def counts(by_name: Mapping[str, int]) -> str:
    """`duplicate 3, malformed 1`."""
    return ", ".join(f"{name} {count}" for name, count in by_name.items()) or "0"


def _show(found: "duckdb.DuckDBPyConnection", empty: str) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for column in found.description or []:
        numeric = str(column[1].id).removeprefix("u") in _NUMBERS
        table.add_column(column[0], justify="right" if numeric else "left", overflow="fold")
    for row in itertools.islice(_rows(found), SHOWN):
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    if table.row_count:
        console().print(table)
        if table.row_count == SHOWN and found.fetchone():
            console(stderr=True).print(f"these are the first {SHOWN:,} rows; --format csv writes all", style="dim")
    else:
        console(stderr=True).print(empty, style="dim", highlight=False)


def _rows(found: "duckdb.DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    while rows := found.fetchmany(_AT_ONCE):
        yield from rows


def _names(found: "duckdb.DuckDBPyConnection") -> list[str]:
    """The columns' names; of equal ones, as a join has them, the later are numbered."""
    names: list[str] = []
    for column in found.description or []:
        name, number = column[0], 0
        while name in names:
            number += 1
            name = f"{column[0]}_{number}"
        names.append(name)
    return names


def _write(row: Sequence[Any]) -> None:
    sys.stdout.write(",".join(map(_csv, row)) + "\n")


def _csv(cell: Any) -> str:
    """A cell of CSV: nothing for NULL, and JSON for lists and structs, which CSV does not have."""
    if cell is None:
        return ""
    plain = not isinstance(cell, (bool, list, dict))
    text = str(cell) if plain else json.dumps(cell, ensure_ascii=False, default=str)
    if not text or any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
