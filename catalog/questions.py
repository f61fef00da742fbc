"""Questions in SQL: what one may name. DuckDB parses it, and what comes of that is compared with lists.

DuckDB's own locks keep it from files, but not its extensions: those of SQLite and PostgreSQL open what they are told
to, and functions of DuckLake tidy up the lake. So a table function is refused unless it is known only to read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from catalog.records import clean
from infra.errors import Refusal

if TYPE_CHECKING:
    import duckdb

TABLE_FUNCTIONS = frozenset(
    {
        *("generate_series", "range", "repeat", "repeat_row", "unnest", "json_each", "json_tree", "summary"),
        *("histogram", "histogram_values", "icu_calendar_names", "pg_timezone_names"),
        *("duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_indexes"),
        *("duckdb_keywords", "duckdb_memory", "duckdb_schemas", "duckdb_secrets", "duckdb_settings", "duckdb_tables"),
        *("duckdb_types", "duckdb_variables", "duckdb_views", "pragma_show", "pragma_table_info", "pragma_version"),
        *("current_snapshot", "last_committed_snapshot", "options", "settings", "snapshots", "table_changes"),
        *("table_deletions", "table_info", "table_insertions", "ducklake_current_snapshot", "ducklake_list_files"),
        *("ducklake_last_committed_snapshot", "ducklake_options", "ducklake_settings", "ducklake_snapshots"),
        *("ducklake_table_changes", "ducklake_table_deletions", "ducklake_table_info", "ducklake_table_insertions"),
    }
)
"""Table functions that a question may use; the last are DuckLake's, as `lake.snapshots()` too."""
_SCALARS = frozenset({"json_serialize_plan", "write_log"})
"""Functions that a question may not use: one opens what a text of SQL names, the other writes."""
_CATALOGUE = "__ducklake_metadata"
"""Where DuckLake attaches its catalogue's database, which holds more than the lake."""
_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*\n)*EXPLAIN\s+(?:ANALYZE\s+|\(\s*(?:(?:ANALYZE|FORMAT\s+\w+)\s*,?\s*)+\)\s*)?", re.IGNORECASE
)


def check(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    """Refuse what is no question, or names what none may.

    Raises:
        Refusal: saying what was found and what is wanted instead.
    """
    parsed = _parsed(connection, sql)
    if parsed.get("error_type") == "not implemented" and (explained := _EXPLAIN.match(sql)):
        parsed = _parsed(connection, sql[explained.end() :])
    if parsed["error"] or not parsed["statements"]:
        # DuckDB names the statements, or where the error is, better than its serializer does.
        kinds = {statement.type.name for statement in connection.extract_statements(sql)} - {"SELECT"}
        found = (
            ", ".join(sorted(kinds)) or sql.strip(" ;\n\t").partition(" ")[0].upper() or "nothing"
        )  # PRAGMA is SELECT
        raise Refusal(f"sql: {found} was given, SELECT is wanted, or EXPLAIN of one; the lake is read-only here")
    for node in _nodes(parsed["statements"]):
        _check(node)


def _parsed(connection: "duckdb.DuckDBPyConnection", sql: str) -> dict[str, Any]:
    if "\0" in sql or clean(sql) != sql:
        raise Refusal("sql: the question is no UTF-8 or holds a NUL, text is wanted; see which characters are in it")
    quoted = "'" + sql.replace("'", "''") + "'"
    try:
        # Not as a parameter: for the first of those DuckDB imports pandas.
        (text,) = connection.execute(f"SELECT json_serialize_sql({quoted})").fetchone() or ("{}",)
        return json.loads(text)
    except RecursionError:
        raise Refusal("sql: the question is nested too deeply, a simpler one is wanted; take it apart") from None


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a parsed question. Without recursion: a question may be nested deeper than Python's stack."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)


def _check(node: Mapping[str, Any]) -> None:
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise Refusal(
                f"sql: the function {name}() was named, a table of the lake is wanted; "
                "files and other databases are out of reach here, see `everspring import`"
            )
    elif kind == "FUNCTION" and str(node.get("function_name", "")).lower() in _SCALARS:
        raise Refusal(f"sql: the function {node['function_name']}() was named, it is out of reach here; leave it out")
    elif kind == "BASE_TABLE" and re.search(r"[/\\:*?.]", str(node["table_name"])):
        raise Refusal(
            f"sql: the file {node['table_name']!r} was named, a table of the lake is wanted; "
            "take it into one with `everspring import`"
        )
    for key in ("catalog_name", "schema_name", "catalog", "schema"):
        if str(node.get(key) or "").lower().startswith(_CATALOGUE):
            raise Refusal(f"sql: {node[key]} was named, it is out of reach here; catalog.* holds what is to be known")
