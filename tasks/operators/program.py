"""`program`: make values of rows by code that draws at random but is the same for the same seed (operators.md 19)."""

import random
from collections.abc import Callable
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@operator
def program(
    rows: Rows[R], script: Callable[[R, random.Random], T], *, n: int = 1, tries: int = 3, seed: int = 0
) -> list[tuple[R, T]]:
    """Run `script` n times for each row; returns (row, value) pairs in the rows' order, n at most for each row.

    Each run has random numbers of its own under the seed, so what one row gives does not depend on the others. Values
    of one row are distinct by their `repr`. A script raises ValueError, saying why, for numbers it can do nothing
    with; it is then drawn again, up to `tries` times, as is a value that the row gave before, and in the end the row
    is dropped with the last reason.
    """
    pairs: list[tuple[R, T]] = []
    for row in rows:
        seen: set[str] = set()
        for run in range(n):
            reason = ""
            for attempt in range(tries):
                try:
                    value = script(row, dice(seed, row.record_id, run, attempt))
                except ValueError as error:
                    reason = str(error)
                    continue
                if repr(value) not in seen:
                    seen.add(repr(value))
                    pairs.append((row, value))
                    break
                reason = "every draw repeats one before"
            else:
                drop(row, reason)
    return pairs
