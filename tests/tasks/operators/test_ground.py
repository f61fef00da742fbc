import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Document
from tasks.llm import LLM
from tasks.operators.ground import Grounded, fault_of_form, ground

BRIDGE = Document(text='Two floods damaged the "old" bridge of oak.')
EXAMPLE = ("Bees dance.", json.dumps({"question": "What do bees do?", "answer": "They dance, as everyone can see."}))


def test_a_passage_gets_a_request_and_an_answer_after_what_is_shown(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[list[str]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append([message["content"] for message in body["messages"]])
        return json.dumps({"request": "List the materials.", "items": ["oak", "**", "floods", "oak"]})

    (row,) = ground(scripted_llm(answer), [BRIDGE], "information_extraction", "Do {it}.", "Go.", shots=[EXAMPLE])
    assert asked == [
        [f"Do {{it}}.\n\nText: {EXAMPLE[0]}\nJSON: {EXAMPLE[1]}", f"Text: {BRIDGE.text}\n\nGo.".replace('"', "'")]
    ]
    assert (row.prompt, row.completion) == (f"{BRIDGE.text}\n\nList the materials.", "- oak\n- floods")


@pytest.mark.parametrize(
    ("task", "request_", "answer", "fault"),
    [
        ("question_answering", "What damaged it?", "Two floods damaged the old bridge.", ""),
        ("question_answering", "The floods.", "Two floods damaged it.", "the question does not end as one"),
        ("question_answering", "Why is that?", "Two floods damaged", "the answer does not end as a sentence"),
        ("question_answering", "Did two floods?", "two floods.", "the answer repeats the request"),
        ("question_answering", "Why is that?", "Floods.", "the answer is not 4 to 9 tokens long"),
        ("question_answering", "Why is that?", "They dance, as everyone can see.", "an example was copied"),
        ("information_extraction", "List the materials.", "- the old oak", "the list has fewer than two items"),
    ],
)
def test_the_form_of_a_request_and_its_answer(task: str, request_: str, answer: str, fault: str) -> None:
    row = Grounded(prompt=f"{BRIDGE.text}\n\n{request_}", completion=answer, text=BRIDGE.text, task=task)
    shots = [EXAMPLE] if task == "question_answering" else []
    assert fault_of_form(row, shots, 4, 9) == (f"format: {fault}" if fault else "")
