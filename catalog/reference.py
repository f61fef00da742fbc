"""The page that names every system table, every mart, and their columns, as a lake has them."""

from itertools import groupby

from catalog.marts import COLUMNS, MARTS, load_marts
from catalog.store import Lake

_INTRO = """# Tables

Everything in the schemas `catalog` and `marts` of a lake, as `make docs` finds it. The other schemas hold your tables:
`raw` for what was imported, one for each stage, and `quarantine` for rows that a gate refused. Each of those has
`record_id`, the columns of its shape, and `parents`.
"""


def tables_page(lake: Lake) -> str:
    """The page, in Markdown."""
    with lake.read() as connection:
        comments = dict(
            connection.execute(
                "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE database_name = 'lake' "
                "UNION ALL SELECT schema_name || '.' || view_name, comment FROM duckdb_views() "
                "WHERE database_name = 'lake'"
            ).fetchall()
        )
        columns = connection.execute(
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = 'lake' AND schema_name IN ('catalog', ?) AND table_name <> ? "
            "ORDER BY schema_name, table_name, column_index",
            [MARTS, COLUMNS],
        ).fetchall()
    parts = [_INTRO]
    schema = ""
    for table, its in groupby(columns, key=lambda column: column[0]):
        if table.partition(".")[0] != schema:
            schema = table.partition(".")[0]
            parts.append(f"## {schema}\n")
        parts.append(f"### {table}\n\n{comments[table]}.\n")
        mart = load_marts().get(table.partition(".")[2]) if schema == MARTS else None
        parts.append(_listed([(name, kind, mart.columns[name] if mart else "") for _, name, kind in its]))
    return "\n".join(parts)


def _listed(columns: list[tuple[str, str, str]]) -> str:
    told = any(comment for *_, comment in columns)
    lines = ["| column | type | what it holds |", "|---|---|---|"] if told else ["| column | type |", "|---|---|"]
    for name, kind, comment in columns:
        lines.append(f"| `{name}` | {_short(kind)} |" + (f" {comment} |" if told else ""))
    return "\n".join(lines) + "\n"


def _short(kind: str) -> str:
    return kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
