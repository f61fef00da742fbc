"""`iterate`: repeat a step that carries a state from round to round (operators.md 28)."""

from collections.abc import Callable
from typing import TypeVar

S = TypeVar("S")


def _same(_: object) -> int:
    return 0


# No `@operator`: the verbs of the step are what the ledger tells its reader of, not the loop around them.
def iterate(
    state: S,
    step: Callable[[S, int], S],
    *,
    rounds: int | None = None,
    size: Callable[[S], int] = _same,
    target: int | None = None,
    patience: int | None = None,
) -> S:
    """The state after the last round.

    Args:
        state: before the first round.
        step: makes the next state of one and the number of its round, counted from 1.
        rounds: how many at most.
        size: how far a state has come.
        target: the size at which there is no further round.
        patience: after so many rounds in a row by which the size does not grow there is no further one.

    Raises:
        ValueError: without `rounds` and `patience` it might never end.
    """
    if rounds is None and patience is None:
        raise ValueError("iterate: it would have no end; give it rounds or patience")
    number = barren = 0
    while number != rounds and barren != patience and (target is None or size(state) < target):
        number += 1
        before = size(state)
        state = step(state, number)
        barren = 0 if size(state) > before else barren + 1
    return state
