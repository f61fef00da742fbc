"""Reliability: how far verifiers, repeated answers and judges bear the rows out (operators.md 2.4 and 2.12).

The rows' own columns say it, where a table has them: `verified` (true or false), `answers` (several answers to one
prompt), `judgements` (of several judges, in one order; null where one gave none), and `verdict` with `swapped_verdict`
(of one judge, before and after the two answers changed places, both in terms of the answers as they first stood).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, cast

from quality.measures import Bounds, Sample, measure
from quality.measures._words import mean

Level = Literal["nominal", "ordinal", "interval"]


@measure(
    "quality",
    bounds={
        "verified_share": Bounds(low=0.9),
        "self_consistency": Bounds(low=0.5),
        "judge_alpha": Bounds(low=0.667),
        "order_consistency": Bounds(low=0.8),
    },
)
def reliability(sample: Sample) -> dict[str, float]:
    """What the columns say, of the rows that have them.

    - `verified_share`: rows that were verified;
    - `self_consistency`: the share of a row's answers that are its most common one, a mean;
    - `judge_alpha`: Krippendorff's alpha of the judges, on an interval scale where they give numbers; from 0.667 on
      it allows for tentative conclusions, from 0.8 on for firm ones;
    - `order_consistency`: verdicts that stay when the answers change places.
    """
    out: dict[str, float] = {}
    if verified := [row["verified"] for row in sample.rows if isinstance(row.get("verified"), bool)]:
        out["verified_share"] = mean(verified)
    if answers := [found for row in sample.rows if len(found := _listed(row, "answers")) > 1]:
        out["self_consistency"] = mean([majority_share(found) for found in answers])
    judgements = [found for row in sample.rows if len(found := _listed(row, "judgements")) > 1]
    level: Level = "interval" if all(isinstance(one, int | float) for unit in judgements for one in unit) else "nominal"
    if (alpha := krippendorff_alpha(judgements, level)) is not None:
        out["judge_alpha"] = alpha
    verdicts = [
        (row["verdict"], row["swapped_verdict"]) for row in sample.rows if _has(row, "verdict", "swapped_verdict")
    ]
    if verdicts:
        out["order_consistency"] = mean([first == second for first, second in verdicts])
    return out


def majority_share(answers: Sequence[Hashable]) -> float:
    """The share of at least one answer that the most common one has: the vote of self-consistency."""
    return Counter(answers).most_common(1)[0][1] / len(answers)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """The agreement of two raters of the same things beyond chance, from -1 to 1; 1 where both only ever say one thing.

    Cohen, 1960, https://doi.org/10.1177/001316446002000104.

    Raises:
        ValueError: for lists of unlike length, or empty ones.
    """
    if not first:
        raise ValueError("cohen_kappa: no ratings were given; give at least one of each rater")
    agreed = mean([a == b for a, b in zip(first, second, strict=True)])
    mine, theirs = Counter(first), Counter(second)
    chance = sum(mine[value] * theirs[value] for value in mine) / len(first) ** 2
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def fleiss_kappa(units: Sequence[Sequence[Hashable]]) -> float:
    """The agreement beyond chance of as many ratings, at least two, of each unit; 1 where there is only one value.

    Fleiss, 1971, https://doi.org/10.1037/h0031619.

    Raises:
        ValueError: where units have unlike numbers of ratings, or fewer than two.
    """
    sizes = {len(unit) for unit in units}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError(f"fleiss_kappa: units with {sorted(sizes)} ratings; give the same number, 2 or more, of each")
    n = sizes.pop()
    counts = [Counter(unit) for unit in units]
    agreed = mean([sum(count * (count - 1) for count in unit.values()) / (n * (n - 1)) for unit in counts])
    totals: Counter[Hashable] = Counter()
    for unit in counts:
        totals.update(unit)
    chance = sum((count / (n * len(units))) ** 2 for count in totals.values())
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def krippendorff_alpha(units: Sequence[Sequence[Any]], level: Level = "nominal") -> float | None:
    """The agreement of any number of ratings a unit, 1 at best and 0 by chance; None where no unit has two ratings.

    Krippendorff, 2011, https://repository.upenn.edu/asc_papers/43. Nulls are ratings that are missing; 1 where all
    ratings are the same value.
    """
    rated = [kept for unit in units if len(kept := [value for value in unit if value is not None]) > 1]
    if not rated:
        return None
    totals = Counter(value for unit in rated for value in unit)
    n = totals.total()
    apart = _distance(level, totals)
    expected = sum(2 * totals[a] * totals[b] * apart(a, b) for a, b in combinations(totals, 2)) / (n * (n - 1))
    if not expected:
        return 1.0
    observed = 0.0
    for unit in rated:
        counts = Counter(unit)
        observed += sum(2 * counts[a] * counts[b] * apart(a, b) for a, b in combinations(counts, 2)) / (len(unit) - 1)
    return 1 - observed / n / expected


def _distance(level: Level, totals: Mapping[Any, int]) -> Callable[[Any, Any], float]:
    """The squared difference of two different values on a level."""
    if level == "nominal":
        return _unlike
    if level == "interval":
        return lambda a, b: float(a - b) ** 2
    ranks, below = dict[Any, float](), 0
    for value in sorted(totals):
        ranks[value] = below + totals[value] / 2
        below += totals[value]
    return lambda a, b: (ranks[a] - ranks[b]) ** 2


def _unlike(_first: Any, _second: Any) -> float:
    return 1.0


def _has(row: Mapping[str, Any], *names: str) -> bool:
    return all(row.get(name) is not None for name in names)


def _listed(row: Mapping[str, Any], name: str) -> list[Any]:
    """The values of a list column without nulls; none where the row has no list there."""
    value = row.get(name)
    if not isinstance(value, list | tuple):
        return []
    return [one for one in cast("Sequence[Any]", value) if one is not None]
