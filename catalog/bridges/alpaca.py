"""Alpaca: `instruction`, `input` and `output`; `chosen` and `rejected` in place of the output where it is a preference.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from collections.abc import Iterable
from typing import Any

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import has, lists, pair, talk, text, turn
from catalog.records import Dialogue, Preference, PromptCompletion, Record


def marks(columns: Columns) -> bool:
    """An instruction, and an output or two answers."""
    return "instruction" in columns and ("output" in columns or {"chosen", "rejected"} <= columns.keys())


def shape(columns: Columns, rows: Iterable[Row]) -> type[Record] | None:
    """Dialogues where there is a history, or where the system says something."""
    if not marks(columns):
        return None
    if {"chosen", "rejected"} <= columns.keys():
        return Preference
    several = lists(columns, "history") or any(has(row, "system") for row in rows)
    return Dialogue if several else PromptCompletion


@bridge(
    "Alpaca",
    reads=("instruction", "input", "output", "system", "history", "chosen", "rejected"),
    marks=marks,
    shape=shape,
)
def alpaca(row: Row) -> dict[str, Any]:
    """The input stands below the instruction, on a line of its own."""
    asked = text(row, "instruction")
    if has(row, "input"):
        asked = f"{asked}\n{text(row, 'input')}"
    system = text(row, "system") if has(row, "system") else ""
    if row.get("chosen") is not None or row.get("rejected") is not None:
        return pair([*([turn("system", system)] if system else []), turn("user", asked)], row)
    return talk(system, row.get("history"), asked, text(row, "output"))
