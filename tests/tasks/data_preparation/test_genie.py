import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from catalog.records import Document
from tasks.data_preparation.genie import SHOTS, GroundedPair, genie
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.extract import sentences
from tasks.operators.ground import FORMS, Grounded, fault_of_form
from tasks.operators.score import support

BRIDGE = Document(
    title="Bridges",
    text="The old bridge was built of oak in 1640 and carried carts across the river. Two floods damaged it, and the "
    "town replaced it with a stone bridge. Today only people on foot may cross the stone bridge.",
)

FAITHFUL = {
    "question": "Why did the town replace the old bridge?",
    "answer": "The town replaced the old bridge because two floods damaged it.",
    "summary": "The old oak bridge was damaged by two floods and replaced with a stone bridge for people on foot.",
    "request": "List the materials of the bridges.",
    "items": ["oak", "stone", "the stone bridge"],
}


def good(prompt: str, body: dict[str, Any]) -> str:
    """Takes whole sentences of the passage as answer and summary, and its longest words as a list."""
    schema = body["response_format"]["json_schema"]["schema"]
    if "$defs" in schema:
        return json.dumps({name: {"rationale": "It is right.", "rating": 5} for name in schema["properties"]})
    passage = prompt.removeprefix("Text: ").rpartition("\n\n")[0]
    told = [one for one in sentences(passage) if one.endswith(".") and 40 < len(one) < 400] or [passage[:400]]
    about = sorted(set(re.findall(r"[a-z]{4,}", passage)), key=len)[-4:]
    content = {
        "question": f"What does the text say about {about[-1]} and {about[0]}?",
        "answer": max(told, key=len),
        "summary": told[0],
        "request": "List four things that the text speaks of.",
        "items": about,
    }
    return json.dumps({name: content[name] for name in schema["properties"]})


def promised(row: GroundedPair) -> bool:
    """A request about its passage, with an answer that the passage supports."""
    request = row.prompt.removeprefix(row.text).strip()
    return row.text in row.prompt and bool(request) and support(row.completion, row.text) >= 0.5


def _answering(content: dict[str, Any], rating: int = 4) -> Callable[[str, dict[str, Any]], str]:
    """A model that writes `content`, as far as the schema asks for it, and rates everything the same."""

    def answer(_prompt: str, body: dict[str, Any]) -> str:
        schema = body["response_format"]["json_schema"]["schema"]
        if "$defs" in schema:
            return json.dumps({name: {"rationale": "It is.", "rating": rating} for name in schema["properties"]})
        return json.dumps({name: content[name] for name in schema["properties"]})

    return answer


def _made(llm: LLM, **settings: Any) -> tuple[list[GroundedPair], Counter[str]]:
    with keep(Ledger()) as ledger:
        rows = list(genie([BRIDGE], llm, llm, **settings))
    return rows, Counter(drop.reason for drop in ledger.drops)


def test_a_passage_gives_a_question_a_summary_and_an_extraction(scripted_llm: Callable[..., LLM]) -> None:
    rows, _ = _made(scripted_llm(_answering(FAITHFUL)))
    assert [(row.task, row.prompt.removeprefix(BRIDGE.text).strip(), row.completion) for row in rows] == [
        ("question_answering", FAITHFUL["question"], FAITHFUL["answer"]),
        ("summarization", "Summarize the text above.", FAITHFUL["summary"]),
        ("information_extraction", FAITHFUL["request"], "- oak\n- stone\n- the stone bridge"),
    ]
    assert all(row.text == BRIDGE.text and row.faithfulness >= 0.5 and row.quality == 4 for row in rows)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("The bridge was destroyed by pirates who wanted gold and jewels from Norway.", "faithfulness: below 0.5"),
        ("The town replaced the old bridge because 17 floods damaged it.", "faithfulness: below 0.5"),
        (json.loads(SHOTS["question_answering"][3][1])["answer"], "format: an example was copied"),
    ],
)
def test_answers_that_break_the_format_or_leave_the_passage_are_dropped(
    scripted_llm: Callable[..., LLM], answer: str, reason: str
) -> None:
    llm = scripted_llm(_answering({**FAITHFUL, "answer": answer}))
    rows, reasons = _made(llm, tasks=("question_answering",), shortest=7)
    assert rows == []
    assert reasons == {reason: 1}


def test_so_many_passages_of_a_document_are_drawn(scripted_llm: Callable[..., LLM]) -> None:
    document = Document(text="\n\n".join(f"{BRIDGE.text} This was written in the year {year}." for year in range(6)))
    tried = Ledger()
    with keep(tried):
        list(genie([document], llm := scripted_llm(_answering(FAITHFUL)), llm, passage_tokens=80, passages_each=2))
    assert tried.steps["ground"].calls == 2 * 3


def test_pairs_that_the_judge_rates_low_are_dropped(scripted_llm: Callable[..., LLM]) -> None:
    rows, reasons = _made(scripted_llm(_answering(FAITHFUL, rating=2)))
    assert (rows, reasons) == ([], {"quality: below 3": 3})


def test_the_judge_is_asked_only_about_what_passed_the_other_filters(scripted_llm: Callable[..., LLM]) -> None:
    judged: list[str] = []

    def rate(prompt: str, body: dict[str, Any]) -> str:
        judged.append(prompt)
        return _answering(FAITHFUL)(prompt, body)

    invented = {**FAITHFUL, "summary": "Elephants played chess with their neighbours until the circus left for winter."}
    rows = genie([BRIDGE], scripted_llm(_answering(invented)), scripted_llm(rate))
    assert [row.task for row in rows] == ["question_answering", "information_extraction"]
    assert len(judged) == 2
    assert all(BRIDGE.text in prompt and "Elephants" not in prompt for prompt in judged)


def test_the_examples_keep_the_rules_that_they_teach() -> None:
    for task, shots in SHOTS.items():
        assert len(shots) == 4
        for text, written in shots:
            request, completion = TypeAdapter(FORMS[task]).validate_json(written).read()
            row = Grounded(prompt=f"{text}\n\n{request}", completion=completion, text=text, task=task)
            assert fault_of_form(row, (), 3, 150) == ""
