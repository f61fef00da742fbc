"""Axolotl: TRL's turns, with a single next turn as `chosen` and `rejected` where it is a preference.

https://docs.axolotl.ai/docs/dataset-formats
"""

from typing import Any

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import lists, pair, text, turns
from catalog.records import Dialogue, Document, Preference, Record


def marks(columns: Columns) -> bool:
    """Turns with two next ones; `messages` alone are read as TRL's, which are the same."""
    return lists(columns, "messages") and {"chosen", "rejected"} <= columns.keys() and "prompt" not in columns


def shape(columns: Columns, _: object) -> type[Record] | None:
    """Preferences, dialogues, or texts."""
    if lists(columns, "messages"):
        return Preference if marks(columns) else Dialogue
    return Document if "text" in columns else None


@bridge("Axolotl", reads=("messages", "chosen", "rejected", "text"), marks=marks, shape=shape)
def axolotl(row: Row) -> dict[str, Any]:
    """The turns."""
    if row.get("messages") is None:
        return {"text": text(row, "text")}
    said = turns(row["messages"], "messages")
    return pair(said, row) if row.get("chosen") is not None or row.get("rejected") is not None else {"messages": said}
