"""OpenAI's fine-tuning files: `messages`, or `input` with `preferred_output` and `non_preferred_output`.

https://platform.openai.com/docs/guides/supervised-fine-tuning
"""

from typing import Any, cast

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import lists, pair, turns
from catalog.records import Dialogue, Preference, Record


def marks(columns: Columns) -> bool:
    """Two outputs; `messages` alone are read as TRL's, which are the same."""
    return {"input", "preferred_output", "non_preferred_output"} <= columns.keys()


def shape(columns: Columns, _: object) -> type[Record] | None:
    """Preferences, or dialogues."""
    if marks(columns):
        return Preference
    return Dialogue if lists(columns, "messages") else None


@bridge(
    "OpenAI fine-tuning",
    reads=("messages", "input", "preferred_output", "non_preferred_output"),
    marks=marks,
    shape=shape,
)
def openai_ft(row: Row) -> dict[str, Any]:
    """The turns; those of tools are left as they are."""
    if row.get("input") is None:
        return {"messages": turns(row.get("messages"), "messages")}
    asked = cast("dict[str, Any]", row["input"]).get("messages") if isinstance(row["input"], dict) else None
    return pair(turns(asked, "input.messages"), row, "preferred_output", "non_preferred_output")
