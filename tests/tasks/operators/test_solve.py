from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Prompt
from tasks.llm import LLM
from tasks.operators.solve import read_reasoning, solve


def test_with_examples_an_answer_is_a_chain_of_thought_that_states_its_answer(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        assert [turn["content"] for turn in body["messages"]] == ["1 + 1", "It is 2.", "2 + 1"]
        return "Count on from 2.\nThe answer is 3."

    llm = scripted_llm(answer)
    solved = solve(llm, [Prompt(prompt="2 + 1")], shots=lambda row: [("1 + 1", "It is 2.")], n=2)
    assert [answer.value for _, answer in solved] == ["Count on from 2.\nThe answer is: 3"] * 2


def test_without_examples_the_prompt_is_asked_as_it_is(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: f"{prompt} {body['messages'][0]['content']}")
    ((_, answer),) = solve(llm, [Prompt(prompt="hello")], system="be kind")
    assert answer.value == "hello be kind"


def test_what_follows_the_first_stated_answer_is_cut_off() -> None:
    assert read_reasoning("2 * 3 = 6, so the answer is 6.\n\nNow 7.\nThe answer is: 7") == (
        "2 * 3 = 6, so the answer is 6.\nThe answer is: 6"
    )


def test_a_solution_without_an_answer_is_none() -> None:
    with pytest.raises(ValueError, match="no answer"):
        read_reasoning("I do not know.")


def test_a_program_of_thought_is_read_out_of_its_fence_and_asked_again_where_it_is_none(
    scripted_llm: Callable[..., LLM],
) -> None:
    replies = iter(["I would add them.", "Here it is:\n```python\nprint(2 + 1)\n```\nIt prints 3."])
    llm = scripted_llm(lambda prompt, body: next(replies))
    ((_, answer),) = solve(llm, [Prompt(prompt="2 + 1")], shots=lambda row: [("1 + 1", "print(1 + 1)")], program=True)
    assert answer.value == "print(2 + 1)"
