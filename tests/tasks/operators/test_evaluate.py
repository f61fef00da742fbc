import math

import pytest

from tasks.ledger import Ledger, keep
from tasks.operators.evaluate import Point, allocation, evaluate, frontier


def test_figures_are_given_and_kept_with_the_run() -> None:
    with keep(Ledger()) as ledger:
        assert evaluate([1, 2, 3], lambda rows: {"mean": sum(rows) / len(rows), "odd": math.nan}) == {"mean": 2.0}
    assert [(f.metric, f.value, f.n, f.axis) for f in ledger.figures.values()] == [("mean", 2.0, 3, "quality")]


def test_figures_of_several_parts_are_their_mean_by_rows() -> None:
    with keep(Ledger()) as ledger:
        evaluate([1.0], lambda rows: {"mean": rows[0]})
        evaluate([4.0, 4.0, 4.0], lambda rows: {"mean": rows[0]})
    assert (ledger.figures["mean"].value, ledger.figures["mean"].n) == (3.25, 4)


def test_no_rows_have_no_figures() -> None:
    assert evaluate([], lambda rows: {"count": len(rows)}) == {}


def test_what_another_beats_at_no_higher_cost_is_not_on_the_front() -> None:
    cheap, dear, beaten, same = (
        Point("cheap", 1, 0.5),
        Point("dear", 3, 0.9),
        Point("beaten", 2, 0.4),
        Point("s", 3, 0.8),
    )
    assert frontier([dear, beaten, same, cheap]) == [cheap, dear]


def test_people_do_the_rows_that_the_model_is_least_sure_of() -> None:
    rows = [(0.0, True), (0.9, False), (0.1, True), (0.8, False), *[(0.2, True)] * 6]
    found = allocation(rows, threshold=0.5, human_cost=1.0, llm_cost=0.1)
    assert found["cost"] == pytest.approx(0.1 + 0.2)
    assert found["quality"] == 1.0
    front = {name: value for name, value in found.items() if name.startswith("frontier")}
    assert front == {"frontier.0": 0.8, "frontier.0.1": 0.9, "frontier.0.2": 1.0}
