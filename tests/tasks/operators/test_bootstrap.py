from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Prompt
from tasks.llm import LLM
from tasks.operators.bootstrap import Shown, bootstrap, read_tasks, unfit

SEEDS = [Prompt(prompt=f"human task number {number}") for number in range(20)]
MADE = [Prompt(prompt=f"task {number} of the model") for number in range(3)]


def test_tasks_are_thought_of_beside_some_by_people_and_some_of_its_own(scripted_llm: Callable[..., LLM]) -> None:
    shown: list[list[str]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        shown.append([turn["content"] for turn in body["messages"] if turn["role"] == "assistant"])
        return "1. Explain bread.\n2. Count the stars."

    new = bootstrap(scripted_llm(answer), SEEDS, MADE, "Another.", range(4), human=6, machine=2)
    assert [task.prompt for task in new] == ["Explain bread.", "Count the stars."] * 4
    assert [sum("of the model" in task for task in tasks) for tasks in shown] == [2] * 4
    assert {len(tasks) for tasks in shown} == {8}
    assert len({tuple(tasks) for tasks in shown}) == 4
    assert isinstance(new[0].origin[0], Shown)


def test_more_are_by_people_while_the_model_has_made_too_few(scripted_llm: Callable[..., LLM]) -> None:
    (task,) = bootstrap(scripted_llm(lambda prompt, body: "Explain bread."), SEEDS, [], "Another.", range(1))
    assert len(set(task.origin[0].parents)) == 8  # type: ignore[union-attr]


def test_a_list_is_read_item_by_item_and_other_text_by_its_first_line() -> None:
    assert read_tasks("Sure:\nTask 1. Explain bread.\n**2)** Count.") == ["Explain bread.", "Count."]
    assert read_tasks('"Explain bread."\nThat is a task.') == ["Explain bread."]
    with pytest.raises(ValueError, match="no task"):
        read_tasks("  ")


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("Explain bread now.", "the instruction is too short"),
        ("word " * 151, "the instruction is too long"),
        ("Describe what the Picture below shows.", "a model cannot do it with text alone: picture"),
        ("Draw me a small house.", "a model cannot do it with text alone: draw"),
        ("Write a program that sorts a list.", "it asks for a program"),
        ("(Tell me of the sea)", "it starts with no letter or digit"),
        ("Explain what a paragraph is about.", ""),
    ],
)
def test_an_instruction_that_a_language_model_cannot_follow_is_unfit(instruction: str, reason: str) -> None:
    assert unfit(Prompt(prompt=instruction)) == reason
