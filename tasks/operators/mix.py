"""`mix`, `blend` and `mix_each`: put tables, or rows and what was made of them, together at ratios of tokens.

Operators.md 24.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Record, digest
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.extract import count_tokens
from tasks.operators.sample import dice

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


@operator
def blend(parts: Sequence[tuple[Rows[R], float]], text: Callable[[R], str], *, seed: int = 0) -> list[R]:
    """The rows of all parts in a random order, each with about its share of the tokens; the shares need no sum.

    Parts without rows are passed over: the others keep their ratios. As in `mix`, what is too many is dropped.
    """
    blended, weight = list[R](), 0.0
    for rows, share in parts:
        if rows and share > 0:
            blended = mix(blended, rows, text, ratio=share / weight, seed=seed) if blended else list(rows)
            weight += share
    return blended


@operator
def mix_each(
    rows: Rows[tuple[R, Sequence[R]]], text: Callable[[R], str], *, ratio: float = 1.0, seed: int = 0
) -> list[R]:
    """Rows and those made of each, with about `ratio` tokens of the second for each token of the first.

    What becomes of a row depends on no other, so that a part of a table is mixed as in the whole. Where one side of a
    row has too many tokens, each of its rows is kept with the probability at which the expected tokens are in the
    ratio, and dropped otherwise; a row of which nothing was made is dropped.
    """
    kept: list[R] = []
    for row, made in rows:
        have, wanted = count_tokens(text(row)) * ratio, sum(count_tokens(text(other)) for other in made)
        for each, side, against in ((row, have, wanted), *((other, wanted, have) for other in made)):
            if dice(seed, "mix", each.record_id).random() * side < against:
                kept.append(each)
            else:
                drop(each, "beyond the ratio of the mix")
    return kept


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
