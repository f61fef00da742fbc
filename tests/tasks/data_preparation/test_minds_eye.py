from collections import Counter
from functools import cache

from catalog.sources.physics_questions import PhysicsQuestion, physics_questions
from tasks.data_preparation.minds_eye import Simulated, minds_eye

SAME_IN = {  # what is varied makes no difference to what is asked
    *(("free fall", f"mass, {asked}") for asked in ("acceleration", "falling time", "impact speed")),
    ("free fall", "height, acceleration"),
    *(("projection", f"mass, {asked}") for asked in ("range", "falling time", "impact speed")),
    ("projection", "initial speed, falling time"),
    ("friction", "mass, stopping distance"),
    ("friction", "mass, stopping time"),
    ("slope", "mass, sliding time"),
    ("slope", "mass, speed"),
    ("collision", "mass, push"),
    ("collision", "initial speed, push"),
    ("collision", "initial speed, velocity change"),
}
LESS_IN = {  # the body that has more of what is varied has less of what is asked about
    *(("motion", f"mass, {asked}") for asked in ("acceleration", "speed", "distance")),
    ("friction", "friction, stopping distance"),
    ("friction", "friction, stopping time"),
    ("slope", "friction, speed"),
    ("slope", "angle, sliding time"),
    ("collision", "mass, speed"),
    ("collision", "mass, velocity change"),
    ("collision", "initial speed, speed"),  # equal balls swap their velocities
}


@cache
def templates() -> list[PhysicsQuestion]:
    return [row for row, _ in physics_questions()]


def parts(row: Simulated) -> PhysicsQuestion:
    return next(t for t in templates() if (t.scene, f"{t.varied}, {t.asked}") == (row.topic, row.kind))


def truth(row: Simulated) -> str:
    """What physics says, read off the words of the question."""
    told, more = parts(row), ""
    for one, other in (("X", "Y"), ("Y", "X")):
        if f"{told.more.format(one=one, other=other)}." in row.prompt:
            more = one
        if f"{told.less.format(one=other, other=one)}." in row.prompt:
            more = one
    if not more or (row.topic, row.kind) in SAME_IN:
        return "the same"
    less = "Y" if more == "X" else "X"
    most = less if (row.topic, row.kind) in LESS_IN else more
    return most if told.most in row.prompt else "Y" if most == "X" else "X"


def good(prompt: str, body: dict[str, object]) -> str:
    raise AssertionError(f"no model is asked: {prompt}")


def promised(row: Simulated) -> bool:
    relation = "the same as" if truth(row) == "the same" else "than"
    return row.answer == truth(row) and relation in row.hint and row.hint not in row.prompt


def test_the_simulation_gives_the_answer_that_physics_gives_in_each_of_39_kinds() -> None:
    rows = minds_eye(templates(), rows=39 * 6)
    assert len({(row.topic, row.kind) for row in rows}) == 39
    assert [(row.prompt, row.answer, truth(row)) for row in rows if row.answer != truth(row)] == []
    assert set(Counter(row.answer for row in rows)) == {"X", "Y", "the same"}
    assert all(map(promised, rows))


def test_the_six_scenes_take_turns() -> None:
    rows = minds_eye(templates(), rows=12)
    assert set(Counter(row.topic for row in rows).values()) == {2}
    assert len(rows) == 12


def test_the_hint_says_what_was_simulated_and_holds_no_number() -> None:
    for row in minds_eye(templates(), rows=30):
        assert row.hint.startswith("In a simulation, ")
        assert parts(row).measure in row.hint
        assert not any(mark.isdigit() for mark in row.hint + row.prompt)


def test_questions_are_distinct_and_lead_back_to_their_template() -> None:
    rows = minds_eye(templates(), rows=200)
    assert len({row.prompt for row in rows}) == 200
    assert {row.origin[0].parents[0] for row in rows} <= {template.record_id for template in templates()}


def test_another_seed_draws_other_questions() -> None:
    first, again, other = (minds_eye(templates(), rows=8, seed=seed) for seed in (0, 0, 1))
    assert [row.record_id for row in first] == [row.record_id for row in again]
    assert {row.prompt for row in first} != {row.prompt for row in other}
