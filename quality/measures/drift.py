"""Drift: whether a version loses what the one before it had (operators.md 2.5, collapse watch).

Models trained on their own output lose the tails first, then the variance (Shumailov et al., 2023,
https://arxiv.org/abs/2305.17493); figures of one version beside the last show it early.
"""

import math
from collections import Counter
from collections.abc import Sequence

from quality.measures import Bounds, Sample, measure
from quality.measures._words import blocks, mean, shuffled
from quality.measures.fidelity import FEWEST, two_sample_auc
from quality.measures.lexical_diversity import distinct
from quality.measures.long_tail import unseen_mass
from quality.measures.semantic_diversity import spread
from quality.texts import words

MOST = 1000
_EMBEDDED = 300
"""Rows of each side that are embedded."""


@measure(
    "fidelity",
    bounds={
        "length_shift": Bounds(-0.5, 0.5),
        "distinct_2_ratio": Bounds(low=0.9),
        "tail_ratio": Bounds(low=0.8),
        "spread_ratio": Bounds(low=0.9),
        "earlier_auc": Bounds(high=0.8),
    },
    most=MOST,
)
def drift(sample: Sample) -> dict[str, float]:
    """What has changed since the earlier version, where each has 100 rows.

    - `length_shift`: how much longer rows are: the difference of the mean logarithms, in standard deviations;
    - `distinct_2_ratio`, `tail_ratio`: different pairs of words, and the mass of words not seen yet, in 1,000 words,
      over what they were;
    - `spread_ratio`: the mean cosine distance of two rows over what it was, where there is an encoder;
    - `earlier_auc`: how well a classifier tells the versions apart; 0.5 is not at all.
    """
    if min(len(sample.texts), len(sample.earlier)) < FEWEST:
        return {}
    now, then = shuffled(sample.texts, sample.seed)[:MOST], shuffled(sample.earlier, sample.seed)[:MOST]
    out = {"length_shift": length_shift(now, then), "earlier_auc": two_sample_auc(now, then, sample.seed)}
    new, old = blocks(now, sample.seed), blocks(then, sample.seed)
    if new and old:
        out["distinct_2_ratio"] = mean([distinct(b, 2) for b in new]) / mean([distinct(b, 2) for b in old])
        if tail := mean([_unseen(block) for block in old]):
            out["tail_ratio"] = mean([_unseen(block) for block in new]) / tail
    if sample.encode and (was := spread(sample.encode(then[:_EMBEDDED]))) > 1e-6:
        out["spread_ratio"] = spread(sample.encode(now[:_EMBEDDED])) / was
    return out


def length_shift(now: Sequence[str], then: Sequence[str]) -> float:
    """The difference of the mean logarithms of the numbers of words, in units of their pooled standard deviation.

    Infinite where each side has rows of one length, and another one.
    """
    new, old = ([math.log(1 + len(words(text))) for text in side] for side in (now, then))
    a, b = mean(new), mean(old)
    variance = (sum((x - a) ** 2 for x in new) + sum((x - b) ** 2 for x in old)) / (len(new) + len(old))
    if variance < 1e-12:
        return 0.0 if math.isclose(a, b) else math.copysign(math.inf, a - b)
    return (a - b) / math.sqrt(variance)


def _unseen(block: Sequence[str]) -> float:
    return unseen_mass(list(Counter(block).values()))
