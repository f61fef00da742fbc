"""Agreement of annotators on nominal labels, beyond chance (operators.md 2.4)."""

import math
import warnings
from collections.abc import Mapping, Sequence

TENTATIVE, GOOD = 0.667, 0.8
"""Krippendorff's α from which conclusions are tentative, and from which they are good (operators.md 2.4)."""


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Cohen's κ of two annotators' labels of the same rows; not a number where both use one label throughout.

    Raises:
        ValueError: for lists that are empty or of different lengths.
    """
    from sklearn.metrics import cohen_kappa_score

    if not first or len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} labels, as many of both are wanted")
    if len({*first, *second}) < 2:
        return math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(cohen_kappa_score(first, second))


def krippendorff_alpha(labels: Mapping[str, Mapping[str, str]]) -> float:
    """Krippendorff's α, nominal, of annotator → row → label; any annotator may have left out any row.

    Not a number where no row has two labels, or where one label is all there is.
    """
    import krippendorff
    import numpy as np

    rows = sorted({row for its in labels.values() for row in its})
    values = sorted({label for its in labels.values() for label in its.values()})
    counts = np.array(
        [[sum(its.get(row) == value for its in labels.values()) for value in values] for row in rows], dtype=float
    )
    pairable = counts[counts.sum(axis=1) > 1] if rows else counts
    if (pairable.sum(axis=0) > 0).sum() < 2 if pairable.size else True:
        return math.nan
    return float(krippendorff.alpha(value_counts=pairable, level_of_measurement="nominal"))
