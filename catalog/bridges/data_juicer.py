"""Data-Juicer: `text`, or `query` with `response` and `history`, or `messages`, beside columns of its own (`__dj__…`).

https://datajuicer.github.io/data-juicer/en/main/tools/fmt_conversion/README.html
"""

from collections.abc import Iterable
from typing import Any

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import has, lists, talk, text, turns
from catalog.records import Dialogue, Document, Prompt, PromptCompletion, Record

_OWN = "__dj__"


def marks(columns: Columns) -> bool:
    """A column of its own, or a query with its response."""
    return any(name.startswith(_OWN) for name in columns) or {"query", "response"} <= columns.keys()


def shape(columns: Columns, rows: Iterable[Row]) -> type[Record] | None:
    """Dialogues where there is a history, or where the system says something."""
    if lists(columns, "messages"):
        return Dialogue
    if {"query", "response"} <= columns.keys():
        several = any(has(row, "history") or has(row, "system") for row in rows)
        return Dialogue if several else PromptCompletion
    if "query" in columns:
        return Prompt
    return Document if "text" in columns else None


@bridge(
    "Data-Juicer",
    reads=("text", "messages", "system", "instruction", "history", "query", "response"),
    marks=marks,
    shape=shape,
)
def data_juicer(row: Row) -> dict[str, Any]:
    """An instruction stands above the query."""
    if row.get("messages") is not None:
        return {"messages": turns(row["messages"], "messages")}
    if not has(row, "query"):
        return {"text": text(row, "text")}
    asked = "\n".join(text(row, name) for name in ("instruction", "query") if has(row, name))
    if "response" not in row:
        return {"prompt": asked}
    system = text(row, "system") if has(row, "system") else ""
    return talk(system, row.get("history"), asked, text(row, "response"))
