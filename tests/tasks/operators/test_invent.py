import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.sources.seed_tasks import SeedTask
from tasks.llm import LLM
from tasks.operators.invent import asked, invent, task_key

SEEDS = [
    SeedTask(instruction=f"Do thing {number}.", input=f"thing {number}", constraints="None.", group=number % 2)
    for number in range(6)
]


def boat(prompt: str, body: dict[str, Any]) -> str:
    return json.dumps({"instruction": " Name the boat. ", "input": "ferry", "constraints": "The reply is one word."})


def test_a_fourth_task_is_written_after_the_three_of_one_group(scripted_llm: Callable[..., LLM]) -> None:
    shown: list[tuple[str, ...]] = []

    def look(prompt: str, body: dict[str, Any]) -> str:
        turns = [turn["content"] for turn in body["messages"] if turn["role"] == "assistant"]
        shown.append(tuple(json.loads(turn)["input"] for turn in turns))
        return boat(prompt, body)

    tasks = invent(scripted_llm(look), SEEDS, "One more.", range(20))
    assert len(tasks) == 20
    assert set(shown) == {("thing 0", "thing 2", "thing 4"), ("thing 1", "thing 3", "thing 5")}
    assert len(tasks[0].origin[0].parents) == 3  # type: ignore[union-attr]


def test_a_task_is_its_instruction_its_input_and_its_constraints(scripted_llm: Callable[..., LLM]) -> None:
    (task,) = invent(scripted_llm(boat), SEEDS, "One more.", [7])
    assert (task.instruction, task.input, task.kind) == ("Name the boat.", "ferry", "core")
    assert task.prompt == "Name the boat.\n\nferry\n\nThe reply is one word."


@pytest.mark.parametrize("nothing", ["", "None", "none."])
def test_constraints_that_name_none_are_not_asked_for(nothing: str) -> None:
    assert asked("Name the boat.", "ferry", nothing) == "Name the boat.\n\nferry"


def test_two_tasks_are_the_same_whatever_their_case_and_constraints() -> None:
    one, other = SEEDS[0], SeedTask(instruction="do THING 0.", input="Thing 0", constraints="Be brief.", group=9)
    assert task_key(one) == task_key(other) != task_key(SEEDS[1])
