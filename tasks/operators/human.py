"""`human`: leave the rows that a model is unsure of to people (operators.md 25)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Record, columns
from catalog.reviews import ANNOTATOR, Review
from tasks.ledger import current, operator
from tasks.method import Rows
from tasks.operators.generate import Prompting, fill

R = TypeVar("R", bound=Record)


@operator
def human(
    rows: Rows[R],
    why: Callable[[R], str],
    *,
    decides: str,
    question: "Prompting[R]",
    text: "Prompting[R]",
    choices: Sequence[str] | Callable[[R], Sequence[str]] = (),
) -> list[R]:
    """The rows that need no person; the others wait in `catalog.reviews` for `everspring review`.

    Args:
        rows: rows of the method's own shape; what people decide on one is published as such a row.
        why: the reason that a row needs a person, or an empty text where it needs none.
        decides: the column that people decide; what it holds is not shown to them.
        question: what they are asked.
        text: what they are asked about.
        choices: the answers to choose from; none to have them write one.

    The shape has a column `annotator`, which will say who decided.

    Raises:
        TypeError: where the rows lack one of the two columns.
    """
    kept: list[R] = []
    ledger = current()
    for row in rows:
        if missing := {decides, ANNOTATOR} - columns(type(row)).keys():
            raise TypeError(f"human: {type(row).__name__} has no column {', '.join(sorted(missing))}")
        if not (reason := why(row)):
            kept.append(row)
        elif ledger is not None:
            its = tuple(choices(row) if callable(choices) else choices)
            ledger.reviews.append(Review(row, decides, fill(question, row), fill(text, row), its, reason))
    return kept
