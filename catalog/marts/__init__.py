"""Marts: views for analysts, one file each, whose first lines say what the view and each of its columns hold.

A view over rows names every table that has the columns it needs (`SOURCES`); it is made anew whenever a table comes or
gets another shape.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MARTS = "marts"
"""The schema of the views."""
COLUMNS = "columns"
"""The view that explains every column of the others."""
_WORDS = ("prompt", "completion")
SOURCES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "completions": (
        _WORDS,
        "prompt VARCHAR, completion VARCHAR",
        "prompt, completion",
    ),
    "conversations": (
        ("messages",),
        "messages STRUCT(role VARCHAR, content VARCHAR)[]",
        "messages",
    ),
    "pairs": (
        ("prompt", "chosen", "rejected"),
        "prompt VARCHAR, chosen VARCHAR, rejected VARCHAR",
        "prompt, chosen, rejected",
    ),
}
"""What a mart writes in braces → the columns that a table must have, their types, and how they are selected.

It stands for all rows of all such tables, those of `raw` and `quarantine` left out, with `table_name`, `record_id`,
`parents` and `snapshot_id`.
"""
_PROVENANCE = "table_name VARCHAR, record_id VARCHAR, parents VARCHAR[], snapshot_id BIGINT"


@dataclass(frozen=True)
class Mart:
    """A view: what it says, what each of its columns holds, and how it is found."""

    name: str
    comment: str
    columns: Mapping[str, str]
    sql: str


@cache
def load_marts() -> Mapping[str, Mart]:
    """Every mart by name."""
    return {file.stem: _read(file) for file in sorted(Path(__file__).parent.glob("*.sql"))}


def edition() -> str:
    """8 hex digits that stand for the text of all marts."""
    return hashlib.sha256(repr(load_marts()).encode()).hexdigest()[:8]


def refresh(connection: "duckdb.DuckDBPyConnection") -> None:
    """Make the views anew, over the tables that there are; inside a transaction."""
    found = connection.execute(
        "SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns() "
        f"WHERE database_name = 'lake' AND schema_name NOT IN ('raw', 'quarantine', 'catalog', '{MARTS}') "
        "GROUP BY ALL ORDER BY ALL"  # DuckDB loads pandas where it is given a parameter
    ).fetchall()
    tables = {name: frozenset(held) for name, held in found}
    sources = {name: _source(name, tables) for name in SOURCES}
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{MARTS}")
    for mart in load_marts().values():
        sql = re.sub(r"\{(\w+)\}", lambda named: sources[named[1]], mart.sql)
        connection.execute(f"CREATE OR REPLACE VIEW lake.{MARTS}.{mart.name} AS {sql}")
        connection.execute(f"COMMENT ON VIEW lake.{MARTS}.{mart.name} IS {_quoted(mart.comment)}")
    rows = ", ".join(
        f"({_quoted(mart.name)}, {_quoted(column)}, {_quoted(comment)})"
        for mart in load_marts().values()
        for column, comment in mart.columns.items()
    )
    connection.execute(
        f"CREATE OR REPLACE VIEW lake.{MARTS}.{COLUMNS} AS SELECT * FROM (VALUES {rows}) AS t (mart, name, comment)"
    )
    about = f"Every column of the other marts, explained (edition {edition()})"
    connection.execute(f"COMMENT ON VIEW lake.{MARTS}.{COLUMNS} IS {_quoted(about)}")


def _read(file: Path) -> Mart:
    head, sql = re.fullmatch(r"((?:--[^\n]*\n)+)(.*)", file.read_text("utf-8"), re.DOTALL | re.ASCII).groups()  # type: ignore[union-attr]
    comment, columns = list[str](), dict[str, str]()
    for line in head.splitlines():
        text = line.removeprefix("--").strip()
        if named := re.fullmatch(r"(\w+): (.+)", text):
            columns[named[1]] = named[2]
        elif columns:
            columns[next(reversed(columns))] += f" {text}"
        else:
            comment.append(text)
    return Mart(file.stem, " ".join(comment), columns, sql.strip().rstrip(";"))


def _source(name: str, tables: Mapping[str, frozenset[str]]) -> str:
    needed, types, selected = SOURCES[name]
    nothing = ", ".join(f"NULL::{kind} AS {column}" for column, kind in _typed(f"{_PROVENANCE}, {types}"))
    parts = [f"SELECT {nothing} WHERE false"] + [
        f"SELECT '{table}', record_id, parents, snapshot_id, {selected} FROM lake.{table}"
        for table, held in tables.items()
        if held.issuperset(needed)
    ]
    return "(" + " UNION ALL ".join(parts) + ")"


def _typed(columns: str) -> list[tuple[str, str]]:
    return [tuple(column.split(" ", 1)) for column in re.split(r", (?![^(]*\))", columns)]  # type: ignore[misc]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
