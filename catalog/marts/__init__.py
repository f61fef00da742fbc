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

from catalog.quoting import literal

if TYPE_CHECKING:
    import duckdb

MARTS = "marts"
"""The schema of the views."""
COLUMNS = "columns"
"""The view that explains every column of the others."""
SOURCES: Mapping[str, Mapping[str, str]] = {
    "completions": {"prompt": "VARCHAR", "completion": "VARCHAR"},
    "conversations": {"messages": "STRUCT(role VARCHAR, content VARCHAR)[]"},
    "pairs": {"prompt": "VARCHAR", "chosen": "VARCHAR", "rejected": "VARCHAR"},
}
"""What a mart writes in braces → the columns that a table must have, with their types.

It stands for all rows of all such tables, those of `raw` and `quarantine` left out, with `table_name`, `record_id`,
`parents` and `snapshot_id`.
"""
_PROVENANCE = {"record_id": "VARCHAR", "parents": "VARCHAR[]", "snapshot_id": "BIGINT"}


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
        connection.execute(f"COMMENT ON VIEW lake.{MARTS}.{mart.name} IS {literal(mart.comment)}")
    rows = ", ".join(
        f"({literal(mart.name)}, {literal(column)}, {literal(comment)})"
        for mart in load_marts().values()
        for column, comment in mart.columns.items()
    )
    connection.execute(
        f"CREATE OR REPLACE VIEW lake.{MARTS}.{COLUMNS} AS SELECT * FROM (VALUES {rows}) AS t (mart, name, comment)"
    )
    about = f"Every column of the other marts, explained (edition {edition()})"
    connection.execute(f"COMMENT ON VIEW lake.{MARTS}.{COLUMNS} IS {literal(about)}")


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
    columns = {**_PROVENANCE, **SOURCES[name]}
    nothing = ", ".join(f"NULL::{kind} AS {column}" for column, kind in columns.items())
    parts = [f"SELECT NULL::VARCHAR AS table_name, {nothing} WHERE false"] + [
        f"SELECT '{table}', {', '.join(columns)} FROM lake.{table}"
        for table, held in tables.items()
        if held.issuperset(SOURCES[name])
    ]
    return "(" + " UNION ALL ".join(parts) + ")"
