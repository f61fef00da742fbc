import json
from collections.abc import Callable
from typing import Any

from catalog.records import Document
from tasks.llm import LLM
from tasks.operators.invert import asks, invert

ASK = "Which question does this answer?\n\n{output}"
TEA = Document(text="Steep {it} for five minutes.")


def test_the_input_is_asked_for_and_shots_go_from_output_to_input(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[list[dict[str, Any]]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append(body["messages"])
        return json.dumps({"input": f" How long does tea steep ({len(prompt)})? "})

    ((row, found),) = invert(scripted_llm(answer), [TEA], "{text}", ASK, shots=[("Where is Rome?", "In Italy.")])
    assert row == TEA
    assert found.value == f"How long does tea steep ({len(ASK.format(output=TEA.text))})?"
    assert found.call
    assert [turn["content"] for turn in asked[0]] == [
        ASK.format(output="In Italy."),
        '{"input": "Where is Rome?"}',
        ASK.format(output=TEA.text),
    ]


def test_an_input_is_as_long_as_was_asked_for_and_shots_may_be_drawn_for_a_row(
    scripted_llm: Callable[..., LLM],
) -> None:
    llm = scripted_llm(lambda prompt, body: json.dumps({"input": "short" if body["messages"][:-1] else "x" * 40}))
    shown: list[Document] = []

    def shots(row: Document) -> list[tuple[str, str]]:
        shown.append(row)
        return []

    assert invert(llm, [TEA], "{text}", ASK, shots=shots, longest=20) == []
    assert len(invert(llm, [TEA], "{text}", ASK, shots=shots, longest=40, n=2)) == 2
    assert set(shown) == {TEA}


def test_a_question_or_a_request_asks_and_a_statement_does_not() -> None:
    assert all(map(asks, ["Is it late?", "Please list three teas.", "Explain rain", 'Who said "no"? ']))
    assert not any(map(asks, ["Rain is wet.", "", "A list of teas"]))
