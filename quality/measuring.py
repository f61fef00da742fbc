"""Measuring: every measure taken of a version, each on as many rows as it is made for."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalog.records import Record, columns
from infra.errors import Refusal
from quality.measures import Figure, Measure, Sample, load_measures
from quality.texts import texts_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MOST = 100_000
"""Rows that a measure without a size of its own is shown at most."""
COMPARED = 5_000
"""Texts of an earlier version, or of human text, that measures compare with at most."""
LABELS = ("label", "topic")
"""Columns that put a row into a class, the first that a shape has."""


@dataclass(frozen=True)
class Taken:
    """What measuring came to: the figures, and for each measure that broke off, why."""

    figures: list[Figure] = field(default_factory=list[Figure])
    broken: Mapping[str, str] = field(default_factory=dict[str, str])


def chosen(off: AbstractSet[str]) -> list[Measure]:
    """Every measure but those that are switched off.

    Raises:
        Refusal: for a measure that there is none of.
    """
    known = load_measures()
    for name in sorted(off - known.keys()):
        raise Refusal.unknown("measure", name, known)
    return [measure for name, measure in known.items() if name not in off]


def take(
    measures: Sequence[Measure],
    rows: "pl.LazyFrame",
    shape: type[Record],
    *,
    references: Sequence[str] = (),
    earlier: "pl.LazyFrame | None" = None,
    encode: "Callable[[Sequence[str]], np.ndarray] | None" = None,
    report: Callable[[str, int, int], None] = lambda _name, _done, _all: None,
) -> Taken:
    """Take every measure of a version's rows.

    A measure sees the rows whose `record_id`, a hash, is smallest: a random choice that is the same every time, and
    that of a smaller sample is part of that of a larger one.

    Args:
        measures: which.
        rows: the version's rows, with `record_id`.
        shape: what they are.
        references: human texts to compare with.
        earlier: the rows of the version before, if there is one.
        encode: texts → unit vectors.
        report: is told the name of each measure before it is taken, how many were, and how many will be.
    """
    figures: list[Figure] = []
    broken: dict[str, str] = {}
    drawn = _draw(rows, max((_size(measure) for measure in measures), default=0))
    ranks = drawn["record_id"].rank("ordinal")
    label = next((name for name in LABELS if name in columns(shape)), "")
    compared = texts_of(_draw(earlier, COMPARED).to_dicts(), shape, but=label) if earlier is not None else []
    samples: dict[int, Sample] = {}
    for number, measure in enumerate(measures):
        report(measure.name, number, len(measures))
        size = min(_size(measure), drawn.height)
        if size not in samples:
            shown: list[dict[str, Any]] = drawn.filter(ranks <= size).to_dicts()
            samples[size] = Sample(
                texts=texts_of(shown, shape, but=label),
                rows=shown,
                labels=[str(row[label]) for row in shown] if label else (),
                references=references,
                earlier=compared,
                encode=encode,
            )
        try:
            found = measure.run(samples[size])
        except Exception as error:  # noqa: BLE001 - a measure is no reason to lose rows; the check says what happened
            broken[measure.name] = f"{type(error).__name__}: {error}"
            continue
        for name, value in found.items():
            low, high = measure.bounds.get(name, (None, None))
            how = f"{measure.name}/{measure.version}"
            figures.append(Figure(name, float(value), size, measure.axis, how, low, high))
    return Taken(figures, broken)


def _size(measure: Measure) -> int:
    return min(measure.most or MOST, MOST)


def _draw(rows: "pl.LazyFrame", most: int) -> "pl.DataFrame":
    """The rows with the smallest ids, in their order."""
    import polars as pl

    ids = rows.select(pl.col("record_id").bottom_k(most)).collect()["record_id"]
    if not len(ids):
        return rows.head(0).collect()
    return rows.filter(pl.col("record_id") <= ids.max()).collect()
