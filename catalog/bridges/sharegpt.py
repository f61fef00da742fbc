"""ShareGPT, as LLaMA-Factory, Axolotl and many others read it: `conversations` of turns with `from` and `value`.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from typing import Any

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import has, lists, pair, text, turn, turns
from catalog.formats.table import Fault
from catalog.records import Dialogue, Preference, Record


def marks(columns: Columns) -> bool:
    """`conversations` holds lists."""
    return lists(columns, "conversations")


def shape(columns: Columns, _: object) -> type[Record] | None:
    """Preferences where there are two next turns."""
    if not marks(columns):
        return None
    return Preference if {"chosen", "rejected"} <= columns.keys() else Dialogue


@bridge(
    "ShareGPT",
    reads=("conversations", "system", "chosen", "rejected", "label", "kto_tag"),
    marks=marks,
    shape=shape,
)
def sharegpt(row: Row) -> dict[str, Any]:
    """The turns; a row whose answer is not wanted (`label`, as in KTO) has none to learn."""
    said = turns(row.get("conversations"), "conversations")
    if has(row, "system") and said[0]["role"] != "system":
        said = [turn("system", text(row, "system")), *said]
    if row.get("chosen") is not None or row.get("rejected") is not None:
        return pair(said, row)
    if row.get("label") is False or row.get("kto_tag") is False:
        raise Fault("is labelled as unwanted: half of a pair, and nothing to learn")
    return {"messages": said}
