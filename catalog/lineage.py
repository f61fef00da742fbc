"""Lineage: from a row up to its seeds through every model call, or down to its offspring; between tables likewise."""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from catalog.records import PROVENANCE, Record
from catalog.store import SCHEMAS, Lake, TableRef, Version
from infra.errors import Refusal

if TYPE_CHECKING:
    import duckdb

Direction = Literal["up", "down"]
_DIGITS = 32
"""Of a record id."""


@dataclass(frozen=True)
class Node:
    """A row, an intermediate row (made on the way, stored nowhere), a model call, or a version of a table."""

    id: str
    kind: Literal["row", "intermediate", "call", "table"]
    table: str = ""
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Graph:
    """What was found from `root`: nodes by id, and for each the ids it leads to in the direction asked for."""

    root: str
    nodes: Mapping[str, Node]
    next: Mapping[str, Sequence[str]]

    def to_json(self) -> str:
        """Root, nodes and edges as JSON."""
        edges = [{"from": one, "to": other} for one, others in self.next.items() for other in others]
        nodes = [asdict(node) for node in self.nodes.values()]
        return json.dumps(
            {"root": self.root, "nodes": nodes, "edges": edges}, ensure_ascii=False, indent=2, default=str
        )

    def to_mermaid(self) -> str:
        """A Mermaid flowchart."""
        number = {node: f"n{index}" for index, node in enumerate(self.nodes)}
        shapes = {"call": '(["{}"])', "intermediate": '["{}"]:::dim'}
        lines = ["flowchart TD", "  classDef dim stroke-dasharray: 4"]
        for node in self.nodes.values():
            label = f"{node.table or node.kind}<br/>{node.id[:12]}" if node.kind != "table" else node.id
            lines.append(f"  {number[node.id]}" + shapes.get(node.kind, '["{}"]').format(label))
        lines += [f"  {number[one]} --> {number[other]}" for one, others in self.next.items() for other in others]
        return "\n".join(lines)


def edges_of(
    rows: Iterable[Record], stored: Mapping[str, str]
) -> tuple[list[dict[str, str | None]], dict[str, tuple[str, ...]]]:
    """The lineage of rows, intermediate rows included, from the objects they were made of.

    Args:
        rows: the rows to be published.
        stored: record id → table, for every row that the lake holds or is about to.

    Returns:
        The edges (columns of `spool.EDGE`), and each row's nearest stored ancestors.
    """
    edges: dict[tuple[str, str], dict[str, str | None]] = {}
    nearest: dict[str, tuple[str, ...]] = {}
    for row in rows:
        ancestors: dict[str, None] = {}
        seen: set[str] = set()
        queue: list[Record] = [row]
        while queue:
            made = queue.pop()
            if made.record_id in seen:
                continue
            seen.add(made.record_id)
            for source in made.origin:
                is_row = isinstance(source, Record)
                parent = source.record_id if is_row else source.call
                table = stored.get(parent) if is_row else None
                edges[made.record_id, parent] = {
                    "record_id": made.record_id,
                    "kind": "row" if is_row else "call",
                    "parent_id": parent,
                    "parent_table": table,
                }
                if is_row and table:
                    ancestors[parent] = None
                elif is_row:
                    queue.append(source)
        nearest[row.record_id] = tuple(ancestors)
    return list(edges.values()), nearest


def tell_models(lake: Lake, edges: Iterable[dict[str, str | None]]) -> None:
    """Note with each edge to a call which model was asked, in which role."""
    to_calls = [edge for edge in edges if edge["kind"] == "call"]
    asked = lake.asked(list({edge["parent_id"] or "": None for edge in to_calls}))
    for edge in to_calls:
        edge["model"], edge["role"] = asked.get(edge["parent_id"] or "", (None, None))


def edges_without(
    edges: Iterable[Mapping[str, str | None]], kept: Iterable[str], gone: AbstractSet[str]
) -> tuple[list[Mapping[str, str | None]], dict[str, tuple[str, ...]]]:
    """Of the lineage of rows, as `edges_of` found it, that of those that are kept, where others have `gone` since.

    A row that has gone is from then on an intermediate one: what it was made from is what was made of it, too.
    """
    of: dict[str | None, list[Mapping[str, str | None]]] = {}
    for edge in edges:
        of.setdefault(edge["record_id"], []).append(edge)
    found: dict[tuple[str, str | None], Mapping[str, str | None]] = {}
    nearest: dict[str, tuple[str, ...]] = {}
    for row in kept:
        ancestors: dict[str, None] = {}
        seen: set[str] = set()
        queue = [row]
        while queue:
            made = queue.pop()
            if made in seen:
                continue
            seen.add(made)
            for edge in of.get(made, ()):
                parent = edge["parent_id"] or ""
                table = None if parent in gone else edge["parent_table"]
                found[made, parent] = {**edge, "parent_table": table}
                if edge["kind"] == "row" and table:
                    ancestors[parent] = None
                elif edge["kind"] == "row":
                    queue.append(parent)
        nearest[row] = tuple(ancestors)
    return list(found.values()), nearest


def trace(lake: Lake, subject: str, direction: Direction = "up") -> Graph:
    """The lineage of a table (`stage.method[@version]`) or of a row (its record id, or the first 6 digits or more).

    Raises:
        Refusal: for a table or a row that the lake does not hold.
    """
    with lake.read() as connection:
        if "." in subject:
            return _trace_table(connection, lake.find(TableRef.parse(subject)), direction)
        versions = lake.versions()
        root, table = _find_row(connection, versions, subject)
        return _trace_row(connection, lake, versions, root, table, direction)


def licences_of(lake: Lake, version: Version) -> dict[str, frozenset[str]]:
    """Record id → the licences of everything in `raw.*` that the row was made from; `unknown` where one is not told."""
    with lake.read() as connection:
        found = connection.execute(
            f"""
            WITH RECURSIVE up AS (
                SELECT record_id AS row, record_id AS one, ? AS held
                FROM {version.sql}
                UNION
                SELECT up.row, l.parent_id, coalesce(l.parent_table, '')
                FROM up JOIN catalog.lineage AS l ON l.record_id = up.one WHERE l.kind = 'row'
            )
            SELECT row, one, held FROM up WHERE starts_with(held, 'raw.')
            """,
            [version.ref.table],
        ).fetchall()
        with_licence = {
            one: row.get("licence") or "unknown"
            for one, (_, row) in _contents(connection, lake.versions(), {one: held for _, one, held in found}).items()
        }
        ids = connection.execute(f"SELECT record_id FROM {version.sql}").fetchall()
    licences: dict[str, set[str]] = {record_id: set() for (record_id,) in ids}
    for row, one, _ in found:
        licences[row].add(with_licence.get(one, "unknown"))
    return {row: frozenset(its) for row, its in licences.items()}


def _trace_table(connection: "duckdb.DuckDBPyConnection", version: Version, direction: Direction) -> Graph:
    here, there = ("parent", "table") if direction == "down" else ("table", "parent")
    column = {"table": ("table_name", "version"), "parent": ("parent_table", "parent_version")}
    (name, number), (other, other_number) = column[here], column[there]
    found = connection.execute(
        f"""
        WITH RECURSIVE walk AS (
            SELECT ?::VARCHAR AS one, NULL::VARCHAR AS other
            UNION
            SELECT {name} || '@' || {number}, {other} || '@' || {other_number}
            FROM catalog.table_lineage JOIN walk ON {name} || '@' || {number} = coalesce(walk.other, walk.one)
        )
        SELECT DISTINCT one, other FROM walk WHERE other IS NOT NULL ORDER BY ALL
        """,
        [str(version.ref)],
    ).fetchall()
    following: dict[str, list[str]] = {str(version.ref): []}
    for one, two in found:
        following.setdefault(one, []).append(two)
        following.setdefault(two, [])
    return Graph(str(version.ref), {name: Node(name, "table") for name in following}, following)


def _find_row(connection: "duckdb.DuckDBPyConnection", versions: Sequence[Version], prefix: str) -> tuple[str, str]:
    if len(prefix) < 6 or not all(c in "0123456789abcdef" for c in prefix):
        raise Refusal(
            f"lineage {prefix!r}: neither a table nor a record id; give STAGE.METHOD[@VERSION] or 6 to 32 hex digits"
        )
    meant = "record_id = $prefix" if len(prefix) == _DIGITS else "starts_with(record_id, $prefix)"
    tables = sorted({version.ref.table for version in versions})
    places = [f"SELECT record_id, '{table}' FROM {TableRef.parse(table).sql}" for table in tables]
    places.append("SELECT record_id, '' FROM catalog.lineage")
    asked = " UNION ALL ".join(f"({place} WHERE {meant} LIMIT 5)" for place in places)
    found = dict[str, str]()
    for record_id, table in connection.execute(asked, {"prefix": prefix}).fetchall():
        found[record_id] = found.get(record_id) or table
    if not found:
        raise Refusal(f"row {prefix!r}: no table holds it; list ids with `everspring sql 'select record_id from …'`")
    if len(found) > 1:
        raise Refusal(f"row {prefix!r}: stands for several rows ({', '.join(sorted(found)[:5])}); give more digits")
    return next(iter(found.items()))


def _trace_row(
    connection: "duckdb.DuckDBPyConnection",
    lake: Lake,
    versions: Sequence[Version],
    root: str,
    table: str,
    direction: Direction,
) -> Graph:
    tables = {root: table}
    calls: set[str] = set()
    following: dict[str, list[str]] = {root: []}
    for record_id, its, parent_id, parent_table, table_name in _edges(connection, root, table, direction):
        one, other = (record_id, parent_id) if direction == "up" else (parent_id, record_id)
        following.setdefault(one, []).append(other)
        following.setdefault(other, [])
        if its == "call":
            calls.add(parent_id)
        if parent_table:
            tables[parent_id] = parent_table
        if direction == "down":
            tables.setdefault(record_id, table_name)
    contents = _contents(connection, versions, tables)
    nodes = {
        node: Node(node, "call", "catalog.calls", called)
        for node, called in _calls(lake, calls).items()
        if node in following
    }
    for node in following:
        if node not in nodes:
            held, row = contents.get(node, ("", {}))
            kind: Literal["row", "intermediate", "call"] = "row" if held else "intermediate"
            nodes[node] = Node(node, "call" if node in calls else kind, held, row)
    return Graph(root, {node: nodes[node] for node in following}, following)


_Edge = tuple[str, str, str, str | None, str]
"""`record_id`, `kind`, `parent_id`, `parent_table` and `table_name`."""


def _edges(connection: "duckdb.DuckDBPyConnection", root: str, table: str, direction: Direction) -> list[_Edge]:
    """The edges of `catalog.lineage` that lead from a row, generation by generation.

    A recursive query would join all of the lineage with each generation. This one looks for the few rows that are left,
    and where their table is known only at what that table's versions have brought: DuckLake keeps these apart.
    """
    found = dict[_Edge, None]()
    seen, left = {root}, {table: [root]}
    while left:
        edges = [edge for its, ids in left.items() for edge in _next_edges(connection, ids, its, direction)]
        found |= dict.fromkeys(edges)
        left = dict[str, list[str]]()
        for record_id, _, parent_id, parent_table, table_name in edges:
            other, its = (record_id, table_name) if direction == "down" else (parent_id, parent_table or table_name)
            if other not in seen:
                seen.add(other)
                left.setdefault(its if its.partition(".")[0] in SCHEMAS else "", []).append(other)
    return list(found)


def _next_edges(
    connection: "duckdb.DuckDBPyConnection", ids: Sequence[str], table: str, direction: Direction
) -> list[_Edge]:
    """The edges that lead from rows of a table, or from rows that were intermediate in making it."""
    if not table:
        wheres = ["true"]
    elif direction == "up":
        wheres = ["table_name = $table"]
    else:
        wheres = ["parent_table = $table", "parent_table IS NULL AND table_name = $table"]
    start = "record_id" if direction == "up" else "parent_id"
    asked = " UNION ALL ".join(
        f"SELECT record_id, kind, parent_id, parent_table, table_name FROM catalog.lineage "
        f"WHERE {where} AND {start} IN (SELECT unnest($ids))"
        for where in wheres
    )
    given = {"ids": list(ids), **({"table": table} if table else {})}
    return connection.execute(f"SELECT DISTINCT * FROM ({asked}) ORDER BY ALL", given).fetchall()


def _contents(
    connection: "duckdb.DuckDBPyConnection", versions: Sequence[Version], tables: Mapping[str, str]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Table and content of each row, from the last version of its table that holds it."""
    out: dict[str, tuple[str, dict[str, Any]]] = {}
    for table in sorted({t for t in tables.values() if t}):
        wanted = [record_id for record_id, held in tables.items() if held == table]
        for version in reversed([each for each in versions if each.ref.table == table and each.readable]):
            left = [record_id for record_id in wanted if record_id not in out]
            if not left:
                break
            cursor = connection.execute(
                f"FROM {version.sql} WHERE record_id IN (SELECT unnest(?))",
                [left],
            )
            names = [column[0] for column in cursor.description or []]
            for row in cursor.fetchall():
                fields = dict(zip(names, row, strict=True))
                content = {name: value for name, value in fields.items() if name not in PROVENANCE}
                out[fields["record_id"]] = (table, content)
    return out


def _calls(lake: Lake, ids: set[str]) -> dict[str, dict[str, Any]]:
    shown = ("role", "model", "endpoint", "request", "text", "prompt_tokens", "completion_tokens")
    return {call.call_id: {name: getattr(call, name) for name in shown} for call in lake.calls(sorted(ids))}
