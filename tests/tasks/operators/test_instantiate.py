import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import schema_of

from catalog.records import Answer
from tasks.llm import LLM
from tasks.operators.instantiate import Instance, Task, incomplete, instantiate

SHORTER = Task(prompt="Make it shorter.", is_classification=False)


def test_input_or_output_is_written_first_and_a_blank_input_is_none(scripted_llm: Callable[..., LLM]) -> None:
    orders: list[list[str]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        orders.append(list((schema_of(body) or {})["$defs"]["Instance"]["properties"]))
        return json.dumps({"instances": [{"input": "I go.", "output": "Go."}, {"input": "<None>", "output": "What?"}]})

    llm = scripted_llm(answer)
    first, second = instantiate(llm, [SHORTER], "{prompt}")
    assert (first.prompt, first.input, first.completion) == ("Make it shorter.\n\nI go.", "I go.", "Go.")
    assert (second.prompt, second.input) == ("Make it shorter.", "")
    assert isinstance(first.origin[1], Answer)
    instantiate(llm, [SHORTER], "{prompt}", first="output")
    assert orders == [["input", "output"], ["output", "input"]]


@pytest.mark.parametrize(
    ("given", "output", "reason"),
    [
        ("a", "a", "the output repeats what was asked"),
        ("a", "As follows:", "the instance breaks off"),
        ("a", "again and again it is " * 9, "the instance repeats itself"),
        ("a", "", "the output is blank"),
        ("a", "b", ""),
    ],
)
def test_an_instance_that_teaches_nothing_is_incomplete(given: str, output: str, reason: str) -> None:
    row = Instance(prompt="Do it.", completion=output, instruction="Do it.", input=given, is_classification=False)
    assert incomplete(row) == reason
