"""`dedup`: leave out rows that repeat, or nearly repeat, an earlier one or a pool (operators.md 17)."""

import math
import re
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TypeVar

from rapidfuzz.distance import LCSseq

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)


@operator
def dedup(
    rows: Rows[R], by: Callable[[R], Hashable], *, reason: str = "it repeats another row", seen: Sequence[Hashable] = ()
) -> list[R]:
    """The first row of each value of `by`; none of a value that was `seen`."""
    known, kept = set(seen), list[R]()
    for row in rows:
        if (key := by(row)) in known:
            drop(row, reason)
        else:
            known.add(key)
            kept.append(row)
    return kept


@operator
def dedup_near(rows: Rows[R], by: Callable[[R], str], *, pool: Sequence[str] = (), threshold: float = 0.7) -> list[R]:
    """The rows whose text has a ROUGE-L below `threshold` to each text of the pool and each row kept before it.

    A text without Latin letters or digits is like no other: ROUGE sees no token in it.
    """
    texts, kept = list(pool), list[R]()
    for row in rows:
        text = by(row)
        if (found := nearest(text, texts, threshold)) is None:
            texts.append(text)
            kept.append(row)
        else:
            drop(row, f"its ROUGE-L to another is {threshold:g} or more", f"{rouge_l(text, found):.2f}: {found[:200]}")
    return kept


def nearest(text: str, pool: Sequence[str], threshold: float) -> str | None:
    """The first text of the pool whose ROUGE-L to this one reaches the threshold.

    The longest common subsequence is at most as long as the shorter text: most of a pool is passed over by its length.
    """
    mine = tokens(text)
    for other in pool:
        theirs = tokens(other)
        total = len(mine) + len(theirs)
        # One less than needed, since rounding may push a score up to the threshold: the exact formula decides.
        needed = math.ceil(threshold * total / 2) - 1
        if min(len(mine), len(theirs)) < needed or not mine or not theirs:
            continue
        common = LCSseq.similarity(mine, theirs, score_cutoff=max(0, needed))
        if _f1(common, len(mine), len(theirs)) >= threshold:
            return other
    return None


def rouge_l(one: str, other: str) -> float:
    """ROUGE-L (F1, no stemming) of two texts: Lin, 2004, as the package rouge-score computes it."""
    first, second = tokens(one), tokens(other)
    return _f1(LCSseq.similarity(first, second), len(first), len(second))


@lru_cache(maxsize=100_000)
def tokens(text: str) -> tuple[str, ...]:
    """The lower-case words of Latin letters and digits, as rouge-score cuts them."""
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def _f1(common: int, one: int, other: int) -> float:
    if not common:
        return 0.0
    precision, recall = common / one, common / other
    return 2 * precision * recall / (precision + recall)
