from math import cos, radians, sin, sqrt

import pytest

from catalog.records import Document
from tasks.ledger import Ledger, keep
from tasks.operators.scenes import measure, scene_of
from tasks.operators.simulate import Body, Scene, State, simulate

ROW = Document(text="two bodies")
G = 9.81
X = {"mass": 2.0, "force": 6.0, "friction": 0.2, "initial speed": 5.0, "height": 20.0, "angle": 30.0}
Y = {**X, "mass": 4.0}
DOWN = G * (sin(radians(30)) - 0.2 * cos(radians(30)))


def run(name: str) -> tuple[State, ...]:
    ((row, states),) = simulate([ROW], lambda row: scene_of(name, X, Y))
    assert row is ROW
    return states


@pytest.mark.parametrize(
    ("scene", "quantity", "of_x", "of_y"),
    [
        ("motion", "acceleration", 3.0, 1.5),
        ("motion", "distance", 6.0, 3.0),
        ("friction", "stopping distance", 25 / (2 * 0.2 * G), 25 / (2 * 0.2 * G)),
        ("friction", "stopping time", 5 / (0.2 * G), 5 / (0.2 * G)),
        ("free fall", "falling time", sqrt(40 / G), sqrt(40 / G)),
        ("free fall", "impact speed", sqrt(40 * G), sqrt(40 * G)),
        ("projection", "range", 5 * sqrt(40 / G), 5 * sqrt(40 / G)),
        ("slope", "sliding time", sqrt(20 / DOWN), sqrt(20 / DOWN)),
        ("collision", "speed", 25 / 3, 5 / 3),
        ("collision", "push", 2 * 40 / 3, 4 * 20 / 3),
    ],
)
def test_the_engine_agrees_with_the_formula(scene: str, quantity: str, of_x: float, of_y: float) -> None:
    measured = [measure(quantity, state) for state in run(scene)]
    assert measured == pytest.approx([of_x, of_y], rel=0.01)


def test_a_row_whose_bodies_are_never_done_is_dropped() -> None:
    def rising(_: Document) -> tuple[Scene, ...]:
        return (Scene(bodies=(Body(),), gravity=(0.0, 1.0), done=lambda state: state.y < 0),)

    with keep(Ledger()) as ledger:
        assert simulate([ROW], rising, longest=1) == []
    assert [drop.reason for drop in ledger.drops] == ["a body of the scene is not done after 1 s"]
