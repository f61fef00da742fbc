"""Bursts: many rows that say nearly the same, as flooding a data set with one message leaves them."""

import math
from collections import defaultdict
from collections.abc import Sequence

from quality.duplicates.minhash import near_duplicates, signatures
from quality.poisoning import ALPHA, Finding

LARGE = 10
"""Rows of a burst, at least: a handful of equal texts, such as docstrings of one interface, is no flood."""


def find_bursts(texts: Sequence[str]) -> list[Finding]:
    """The groups of near duplicates that are larger than near duplicates of these texts are by chance.

    By chance a text has as many as all texts outside the group have on average (Poisson), one in all at least.
    """
    import polars as pl
    from scipy.stats import poisson

    pairs = near_duplicates(signatures([str(number) for number in range(len(texts))], texts))
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row, kept in pairs.select(pl.col("record_id", "kept_id").cast(pl.Int64)).iter_rows():
        groups[kept].append(row)
    found: list[Finding] = []
    for kept, copies in groups.items():
        usual = max(1, len(pairs) - len(copies)) / len(texts)
        chance = min(1.0, float(poisson.sf(len(copies) - 1, usual)) * len(texts))
        if len(copies) + 1 >= LARGE and chance <= ALPHA:
            z = (len(copies) - usual) / math.sqrt(usual)
            found.append(Finding("near duplicates", texts[kept][:200], tuple(sorted([kept, *copies])), z, chance))
    return found
