"""`blend`: mix any number of tables at shares of tokens (operators.md 24)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.mix import mix

R = TypeVar("R", bound=Record)


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
