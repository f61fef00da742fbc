"""Long tail: how much of what is rare the texts still have (operators.md 2.2)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from quality.measures import Bounds, Sample, measure
from quality.measures._words import blocks, mean


@measure("coverage", bounds={"unseen_mass": Bounds(low=0.09)})
def long_tail(sample: Sample) -> dict[str, float]:
    """What is rare, as means over blocks of 1,000 words.

    - `unseen_mass`: the probability that the next word is a new one (Good, 1953,
      https://doi.org/10.1093/biomet/40.3-4.237);
    - `chao1_words`: the number of words that the block was drawn from, at least (Chao, 1984);
    - `zipf_exponent`: how steeply frequency falls with rank; about 0.8 to 1 for text, 0 for words all as frequent.
    """
    found = [list(Counter(block).values()) for block in blocks(sample.texts, sample.seed)]
    if not found:
        return {}
    return {
        "unseen_mass": mean([unseen_mass(counts) for counts in found]),
        "chao1_words": mean([chao1(counts) for counts in found]),
        "zipf_exponent": mean([zipf_exponent(counts) for counts in found]),
    }


def unseen_mass(counts: Sequence[int]) -> float:
    """The Good-Turing estimate of the mass of the kinds that were not seen: those seen once over all things seen."""
    return counts.count(1) / sum(counts)


def chao1(counts: Sequence[int]) -> float:
    """The bias-corrected lower bound of the number of kinds, from how often each kind was seen."""
    once, twice = counts.count(1), counts.count(2)
    return len(counts) + once * (once - 1) / (2 * (twice + 1))


def zipf_exponent(counts: Sequence[int]) -> float:
    """The exponent, from 0 to 5, under which the counts in the order of their ranks are most likely."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    logs = np.log(np.arange(1, len(counts) + 1))
    seen = float(np.sort(counts)[::-1] @ logs)
    total = sum(counts)

    def unlikely(exponent: float) -> float:
        return exponent * seen + total * float(np.log(np.exp(-exponent * logs).sum()))

    found: Any = minimize_scalar(unlikely, bounds=(0, 5), method="bounded")
    return float(found.x)
