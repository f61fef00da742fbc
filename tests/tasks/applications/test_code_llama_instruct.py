import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Labelled
from tasks.applications.code_llama_instruct import Triplet, code_llama_instruct
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.verify import fault_of_tests
from tasks.sandbox import Program, open_sandbox

SANDBOX = open_sandbox()
TOPIC = Labelled(text="doubling a number", label="numbers")
QUESTION = "Write a function double(n) that returns two times n."
TESTS = ["assert double(2) == 4", "assert double(-1) == -2"]


def good(prompt: str, body: dict[str, Any]) -> str:
    """A question of its own for each topic and draw; the tests and the code belong to it."""
    if prompt.startswith("Topic: "):
        topic = prompt.partition("\n")[0].removeprefix("Topic: ")
        return f"Topic: {topic}. Write a function plus(n) that returns the sum of n and {body['seed'] % 1000}."
    number = int(prompt.partition("sum of n and ")[2].partition(".")[0])
    if "unit tests" in prompt:
        return json.dumps({"tests": [f"assert plus({n}) == {n + number}" for n in (0, 1, 7)]})
    return f"```python\ndef plus(n):\n    return n + {number}\n```"


def promised(row: Triplet) -> bool:
    """Whether the solution passes its tests, and something that does nothing does not."""
    right, nothing = SANDBOX.run(
        [Program(code=f"{code}\n{row.tests}", result="1") for code in (row.completion, "def plus(*_): pass")]
    )
    return right.result == "1" and not nothing.ok


def teacher(*solutions: str) -> Callable[[str, dict[str, Any]], str]:
    """A model that has one question, its tests, and several solutions in turn."""
    order: dict[int, str] = {}

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if prompt.startswith("Topic"):
            return QUESTION
        if "unit tests" in prompt:
            return json.dumps({"tests": TESTS})
        return order.setdefault(body["seed"], solutions[len(order) % len(solutions)])

    return answer


RIGHT, WRONG = "def double(n):\n    return n * 2", "def double(n):\n    return n + 2"


def run(llm: LLM, student: LLM | None = None, **settings: Any) -> list[Triplet]:
    return list(code_llama_instruct([TOPIC], llm, student or llm, SANDBOX, **{"rows": 1} | settings))


def test_a_solution_that_passes_its_tests_joins_and_the_others_do_not(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        (row,) = run(scripted_llm(teacher(WRONG, RIGHT, "I cannot.")), solutions=3)
    assert (row.prompt, row.completion, row.tests) == (QUESTION, RIGHT, "\n".join(TESTS))
    assert {drop.reason for drop in ledger.drops} >= {"the code fails its tests: error"}
    tested, solution = row.origin
    assert tested.origin[0].parents == (TOPIC.record_id,)
    assert solution.call


def test_the_first_of_several_solutions_that_pass_is_kept(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        rows = run(scripted_llm(teacher(RIGHT)), solutions=3)
    assert len(rows) == 1
    assert [drop.reason for drop in ledger.drops] == ["an earlier solution passes"] * 2


def test_where_no_solution_passes_there_is_no_row(scripted_llm: Callable[..., LLM]) -> None:
    assert run(scripted_llm(teacher(WRONG)), solutions=3) == []


def test_a_question_that_repeats_exactly_is_asked_once(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        rows = run(scripted_llm(teacher(RIGHT)), rows=3, solutions=1)
    assert len(rows) == 1
    assert [drop.reason for drop in ledger.drops] == ["the question repeats another"] * 2


def test_questions_come_from_the_generator_tests_and_solutions_from_the_student(
    scripted_llm: Callable[..., LLM],
) -> None:
    asked: dict[str, list[str]] = {"llm": [], "student": []}

    def heard(name: str) -> LLM:
        return scripted_llm(lambda prompt, body: asked[name].append(prompt) or teacher(RIGHT)(prompt, body))

    run(heard("llm"), heard("student"), solutions=2)
    assert [prompt.split(":")[0] for prompt in asked["llm"]] == ["Topic"]
    assert [prompt.split(":")[0] for prompt in asked["student"]] == ["Question"] * 3


@pytest.mark.parametrize(
    ("tests", "fault"),
    [
        ("assert f(1) == 2\nassert f(2) == 3", ""),
        ("assert even(2)\nassert not even(3)", ""),
        ("assert abs(f(1) - 0.5) < 0.1\nassert f(2) == 1", ""),
        ("assert f(1) == ", "the tests do not parse"),
        ("f(1)", "the tests are not asserts alone"),
        ("assert True == 1\nassert 1 == 1", "the tests do not call one function"),
        ("assert f(1) == 1\nassert g(2) == 2", "the tests do not call one function"),
        ("assert f(1) == 1\nassert f(2) == 1", "the tests all expect the same"),
    ],
)
def test_tests_that_would_tell_nothing_are_left_out(tests: str, fault: str) -> None:
    assert fault_of_tests(tests) == fault
