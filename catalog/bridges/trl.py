"""TRL's conversational formats, which OpenAI, Axolotl and most chat data share: turns of `role` and `content`.

https://huggingface.co/docs/trl/dataset_formats
"""

from collections.abc import Iterable
from typing import Any, cast

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import lists, pair, text, turn, turns
from catalog.formats.table import Fault
from catalog.records import Dialogue, Message, Preference, PromptCompletion, Record


def marks(columns: Columns) -> bool:
    """One of the columns holds turns, or answers are labelled as wanted or not."""
    labelled = {"prompt", "completion"} <= columns.keys() and columns.get("label") == "BOOLEAN"
    return labelled or any(lists(columns, name) for name in ("messages", "prompt", "completion", "chosen", "rejected"))


def shape(columns: Columns, rows: Iterable[Row]) -> type[Record] | None:
    """Preferences, dialogues, or prompts with completions where no prompt is more than a question."""
    if {"chosen", "rejected"} <= columns.keys():
        return Preference
    if "messages" in columns:
        return Dialogue
    if not {"prompt", "completion"} <= columns.keys():
        return None
    several = any(isinstance(asked := row.get("prompt"), list) and len(cast("list[Any]", asked)) > 1 for row in rows)
    return Dialogue if several else PromptCompletion


@bridge("TRL", reads=("messages", "prompt", "completion", "chosen", "rejected", "label"), marks=marks, shape=shape)
def trl(row: Row) -> dict[str, Any]:
    """The turns; a row whose answer is not wanted (`label`, as in KTO) has none to learn."""
    if row.get("chosen") is not None or row.get("rejected") is not None:
        asked = row.get("prompt") if row.get("prompt") is not None else row.get("messages")
        return pair([] if asked is None else _said(asked, "prompt", "user"), row)
    if row.get("label") is False:
        raise Fault("is labelled as unwanted: half of a pair, and nothing to learn")
    if row.get("messages") is not None:
        return {"messages": turns(row["messages"], "messages")}
    return {
        "messages": [
            *_said(row.get("prompt"), "prompt", "user"),
            *_said(row.get("completion"), "completion", "assistant"),
        ]
    }


def _said(value: Any, name: str, role: str) -> list[Message]:
    """What stands in a column: turns, or the text of one."""
    return turns(value, name) if isinstance(value, list) else [turn(role, text({name: value}, name))]
