import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Answer, Code
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.cases import cases, inputs, is_literal
from tasks.sandbox import open_sandbox

HALF = Code(code="def half(n):\n    return n / 2", name="half")
JOIN = Code(code="def join(a, b, sep='-'):\n    return a + sep + b", name="join")


def test_a_model_is_asked_for_as_many_arguments_as_a_function_must_be_given(scripted_llm: Callable[..., LLM]) -> None:
    asked: dict[str, Any] = {}

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked[prompt] = body
        return json.dumps({"inputs": [["a", "b"]] * 3 if "join" in prompt else [[1], [2], [{"it's": 3}]]})

    pairs = inputs(scripted_llm(answer), [JOIN, HALF], "{name}: {code}")
    assert [(row.name, calls.value) for row, calls in pairs] == [
        ("join", ["join('a', 'b')"] * 3),
        ("half", ["half(1)", "half(2)", """half({"it's": 3})"""]),
    ]
    for prompt, body in asked.items():
        (inner,) = (body["response_format"]["json_schema"]["schema"]["properties"]["inputs"]["items"],)
        assert inner["minItems"] == inner["maxItems"] == (2 if "join" in prompt else 1)


def test_each_call_is_run_once_and_leads_back_to_its_function_and_answer() -> None:
    answer = Answer(["half(1)", "half(1)", "half(4)", "half('a')", "half(3)"], "a call")
    with keep(Ledger()) as ledger:
        ((row, found),) = cases(open_sandbox(), [(HALF, answer)])
    assert row is HALF
    assert [(case.call, case.output) for case in found] == [("half(1)", "0.5"), ("half(4)", "2.0"), ("half(3)", "1.5")]
    assert all(tuple(case.origin) == (HALF, answer) for case in found)
    assert [drop.reason for drop in ledger.drops] == ["the call fails: error"]
    assert ledger.drops[0].evidence.startswith("half('a'): TypeError")


@pytest.mark.parametrize(
    ("text", "written"), [("[1, {'a': b'x'}]", True), ("<object>", False), ("f()", False), ("", False)]
)
def test_what_can_be_written_out(text: str, written: bool) -> None:
    assert is_literal(text) is written
