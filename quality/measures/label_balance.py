"""Label balance: how evenly the rows cover the labels or topics that they have (operators.md 2.2)."""

import math
from collections import Counter
from collections.abc import Sequence

from quality.measures import Bounds, Sample, measure
from quality.measures.long_tail import chao1, unseen_mass


@measure("coverage", bounds={"label_entropy": Bounds(low=0.6), "largest_label": Bounds(high=0.8)})
def label_balance(sample: Sample) -> dict[str, float]:
    """How evenly the labels are spread.

    - `labels`: how many different ones there are;
    - `label_entropy`: the entropy of their shares over its highest value; 0 where there is one;
    - `largest_label`: the share of the most common one;
    - `label_gini`: 0 where all are as common, towards 1 where one has all;
    - `label_unseen`: the probability that the next row has a new label (Good-Turing);
    - `label_coverage`: labels that were seen over those there are (Chao1).
    """
    counts = list(Counter(sample.labels).values())
    if not counts:
        return {}
    return {
        "labels": float(len(counts)),
        "label_entropy": normalised_entropy(counts),
        "largest_label": max(counts) / sum(counts),
        "label_gini": gini(counts),
        "label_unseen": unseen_mass(counts),
        "label_coverage": len(counts) / chao1(counts),
    }


def normalised_entropy(counts: Sequence[int]) -> float:
    """The entropy of the shares of positive counts, from 0 (one has all, or is alone) to 1 (all are equal)."""
    total = sum(counts)
    if len(counts) < 2:
        return 0.0
    return -sum(count / total * math.log(count / total) for count in counts) / math.log(len(counts))


def gini(counts: Sequence[int]) -> float:
    """The Gini coefficient of positive counts."""
    n, total = len(counts), sum(counts)
    weighted = sum(place * count for place, count in enumerate(sorted(counts), 1))
    return 2 * weighted / (n * total) - (n + 1) / n
