"""`keep`: leave out the rows that fail a test, and say why (operators.md 16)."""

from collections.abc import Callable
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)


@operator
def keep(rows: Rows[R], fault: Callable[[R], str]) -> list[R]:
    """The rows in which `fault` finds none; it returns the reason to drop a row, or an empty text."""
    kept: list[R] = []
    for row in rows:
        if reason := fault(row):
            drop(row, reason)
        else:
            kept.append(row)
    return kept


def cut(row: Record) -> str:
    """Why a row is not whole, or an empty text: an answer that it was made from reached the length allowed."""
    answers = [made for made in row.origin if isinstance(made, Answer)]
    return "an answer was cut before its end" if any(made.finish_reason == "length" for made in answers) else ""
