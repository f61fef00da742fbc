"""Stop rules: when a run ends before its input does, and how much of the input to take next."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Rule = Literal["", "accepted", "candidates", "dollars", "input", "nothing new"]
"""What ended a run: a bound, the end of its input, or rounds that brought nothing new; empty where no bound was set."""

FIRST = 16
"""Rows of input in the first portion, while nothing is known of what comes of them."""
FIRST_PAID = 4
"""The same under a cap in dollars: nothing is known yet of what a row costs."""
LEAST = 8
"""Rows in a round of a method that makes a set: that one or two rows are not new does not say that none would be."""
GROWTH = 4
"""A portion is at most so many times all that went before: the first yields mislead."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How far a run has got: input rows taken (or rows asked for), candidates made of them, rows accepted, dollars.

    `old` candidates are in the table already: they say nothing about what the next rows will bring.
    """

    taken: int = 0
    candidates: int = 0
    accepted: int = 0
    old: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Bounds of a run, which ends at the first that it reaches; None sets none.

    `accepted` rows have entered the table by this run, exactly so many; `candidates` rows have been made, those dropped
    on the way included; `dollars` have been spent, by everything that one command runs.
    """

    accepted: int | None = None
    candidates: int | None = None
    dollars: float | None = None

    @property
    def counts_rows(self) -> bool:
        """Whether the run goes on until it has enough rows."""
        return self.accepted is not None or self.candidates is not None

    def reached(self, tally: Tally, refusal: str) -> Rule:
        """The bound that is reached; `refusal` is why nothing more may be spent."""
        if self.accepted is not None and tally.accepted >= self.accepted:
            return "accepted"
        if self.candidates is not None and tally.candidates >= self.candidates:
            return "candidates"
        return "dollars" if self.dollars is not None and refusal else ""

    def portion(
        self, tally: Tally, most: int | None, *, first: int = FIRST, least: int = 1, left: float | None = None
    ) -> int:
        """How many rows to take next, by what came of those before.

        Args:
            tally: what came of them.
            most: rows in one portion; None for any number.
            first: rows in the first portion.
            least: rows in a portion that shall bring accepted ones.
            left: dollars that the portion may cost, where they are bounded.
        """
        bounds = [most] if most is not None else []
        if left is None and not self.counts_rows:
            return min(bounds)
        if not tally.taken:
            return min([*bounds, first, *(bound for bound in (self.accepted, self.candidates) if bound is not None)])
        if self.accepted is not None:
            fresh = tally.candidates - tally.old
            new = tally.taken * fresh / tally.candidates if fresh > 0 else tally.taken
            bounds.append(max(least, _needed(self.accepted - tally.accepted, tally.accepted, new, math.ceil)))
        if self.candidates is not None:
            bounds.append(_needed(self.candidates - tally.candidates, tally.candidates, tally.taken, math.floor))
        if left is not None:
            bounds.append(_needed(left, tally.cost, tally.taken, math.floor))
        return max(1, min(bounds))

    def words(self, rule: Rule, tally: Tally, refusal: str) -> str:
        """What ended the run, for people."""
        wanted = f"{self.accepted:,} accepted" if self.accepted is not None else f"{self.candidates or 0:,} candidates"
        had = tally.accepted if self.accepted is not None else tally.candidates
        return {
            "": "",
            "accepted": f"stopped at {tally.accepted:,} rows accepted",
            "candidates": f"stopped at {tally.candidates:,} candidates",
            "dollars": f"stopped: {refusal}",
            "input": f"the input ran out at {had:,} of {wanted}",
            "nothing new": f"stopped at {had:,} of {wanted}: two rounds in a row brought nothing new",
        }[rule]


def _needed(missing: float, had: float, taken: float, rounded: Callable[[float], int]) -> int:
    """Rows that bring what is missing, if they are like those before."""
    return rounded(min(GROWTH * taken, missing * taken / had) if had else 2 * taken)
