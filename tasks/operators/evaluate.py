"""`evaluate`: figures of a whole dataset, kept with the run in `catalog.metrics` (operators.md 27)."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from quality.measures import Axis, Figure
from tasks.ledger import current, operator
from tasks.method import Rows

T = TypeVar("T")


@operator
def evaluate(
    rows: Rows[T], figures: Callable[[Rows[T]], Mapping[str, float]], *, axis: Axis = "quality"
) -> dict[str, float]:
    """The figures of `rows`, by name; none of no rows, and none that is no finite number.

    In a run they stand in the version's scorecard on that `axis`, and a method may promise them (`measured`).
    """
    found = {name: value for name, value in figures(rows).items() if math.isfinite(value)} if rows else {}
    if ledger := current():
        for name, value in found.items():
            ledger.figure(Figure(name, value, len(rows), axis, "evaluate/1"))
    return found


class Point(NamedTuple):
    """A way to do something: what it costs, and how good it is."""

    name: str
    cost: float
    quality: float


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points on the Pareto front, by rising cost: no other is as cheap and better, or as good and cheaper."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.quality)):
        if not front or point.quality > front[-1].quality:
            front.append(point)
    return front


def allocation(
    rows: Sequence[tuple[float, bool]], *, threshold: float, human_cost: float, llm_cost: float
) -> dict[str, float]:
    """What it costs, and how good it is, to have people do the rows that a model is unsure of, and the model the rest.

    Args:
        rows: how unsure the model is of each row, and whether it is right; people are taken to be right.
        threshold: people do what the model is less sure of than this.
        human_cost: of one row that a person does.
        llm_cost: of one row that the model looks at, as it does at all of them.

    Returns:
        `cost` (of a row) and `quality` (the share that is right) of this split, and `frontier.SHARE`: the quality of
        those splits at a tenth of the rows, two tenths and so on that are on the Pareto front, by the share of people.
    """
    ranked = sorted(rows, key=lambda row: -row[0])

    def split(name: str, people: int) -> Point:
        right = people + sum(right for _, right in ranked[people:])
        return Point(name, llm_cost + human_cost * people / len(ranked), right / len(ranked))

    chosen = split("", sum(doubt > threshold for doubt, _ in ranked))
    front = frontier([split(f"frontier.{tenth / 10:g}", round(tenth / 10 * len(ranked))) for tenth in range(11)])
    return {"cost": chosen.cost, "quality": chosen.quality} | {point.name: point.quality for point in front}
