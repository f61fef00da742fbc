"""`mix`: blend two tables at a ratio of tokens (operators.md 24)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Record, digest
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.extract import count_tokens

R = TypeVar("R", bound=Record)


@operator
def mix(rows: Rows[R], others: Rows[R], text: Callable[[R], str], *, ratio: float = 1.0, seed: int = 0) -> list[R]:
    """Rows and others in a random order, with about `ratio` tokens of `others` for each token of `rows`.

    The side that has too many is cut to a random part of it, to the row nearest the ratio; what is cut is dropped with
    the reason. One row is kept of each side; where one is empty, so is the mix.
    """
    have = sum(count_tokens(text(row)) for row in rows)
    wanted = sum(count_tokens(text(row)) for row in others)
    if have * ratio > wanted:
        first, second = _part(rows, wanted / ratio, text, seed), list(others)
    else:
        first, second = list(rows), _part(others, have * ratio, text, seed)
    return _shuffled([*first, *second], seed)


def _part(rows: Sequence[R], tokens: float, text: Callable[[R], str], seed: int) -> list[R]:
    """A random part of the rows that holds as near to `tokens` as whole rows can."""
    kept: list[R] = []
    held = 0
    for row in _shuffled(rows, seed):
        size = count_tokens(text(row))
        if (tokens and not kept) or abs(held + size - tokens) <= abs(held - tokens):
            kept.append(row)
            held += size
        else:
            drop(row, "beyond the ratio of the mix")
    return kept


def _shuffled(rows: Sequence[R], seed: int) -> list[R]:
    return sorted(rows, key=lambda row: digest(["mix", seed, row.record_id]))
