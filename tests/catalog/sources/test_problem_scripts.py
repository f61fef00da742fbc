import math
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from catalog.sources import problem_scripts as scripts
from catalog.sources.problem_scripts import SCRIPTS, Drawn, read_answer


def _drawn(name: str, level: int, count: int) -> Iterator[Drawn]:
    made = 0
    for i in range(400):
        try:
            drawn = SCRIPTS[name](Random(f"{name} {level} {i}"), level)
        except ValueError:
            continue
        yield drawn
        made += 1
        if made == count:
            return
    raise AssertionError(f"{name} drew {made} problems of {count} in 400 tries")


def _wrong(answer: Any) -> list[Any]:
    """Answers that are near to a right one."""
    import sympy

    if isinstance(answer, (tuple, sympy.Tuple)):
        parts = list(answer)
        return [sympy.Tuple(*parts[:i], part + 1, *parts[i + 1 :]) for i, part in enumerate(parts)]
    if isinstance(answer, list):
        head, *rest = answer
        return [[[head[0] + 1, *head[1:]], *rest]] if isinstance(head, list) else [[*answer[:-1], answer[-1] + 1]]
    return [answer + 1, answer * 2 if answer != 0 else answer - 1]


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_check_accepts_the_answer_and_refuses_answers_near_to_it(name: str, level: int) -> None:
    for drawn in _drawn(name, level, 5):
        answer = read_answer(drawn.answer)
        assert drawn.check(answer), drawn
        for wrong in _wrong(answer):
            assert not drawn.check(wrong), (drawn, wrong)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_steps_and_draws_many_problems(name: str) -> None:
    drawn = list(_drawn(name, 2, 20))
    assert len({problem.question for problem in drawn}) >= 10
    assert all(len(problem.steps) >= 1 and all(problem.steps) for problem in drawn)
    assert all(text.count("$") % 2 == 0 for problem in drawn for text in (problem.question, *problem.steps))


def test_euclid_is_shown_as_on_paper() -> None:
    drawn = scripts.greatest_common_divisor(Random("7"), 1)
    first, second = (int(word.strip(".")) for word in drawn.question.split() if word.strip(".").isdigit())
    assert drawn.answer == str(math.gcd(first, second))
    assert drawn.steps[0] == f"${first} = {first // second} \\cdot {second} + {first % second}$."


def test_a_higher_level_draws_larger_numbers() -> None:
    def size(level: int) -> float:
        drawn = _drawn("arithmetic_series", level, 50)
        return sum(abs(int(problem.answer)) for problem in drawn) / 50

    assert size(1) < size(2) < size(3)


def test_every_script_is_a_row_with_its_code_and_topic() -> None:
    rows = [row for row, _ in scripts.problem_scripts()]
    assert len(rows) >= 40
    assert len({row.topic for row in rows}) >= 8
    assert all(f"def {row.name}(" in row.source_code for row in rows)
