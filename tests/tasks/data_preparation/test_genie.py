import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Answer, Document
from tasks.data_preparation.genie import EXAMPLES, TASKS, GroundedPair, genie
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

BRIDGE = Document(
    title="Bridges",
    text="The old bridge was built of oak in 1640 and carried carts across the river. Two floods damaged it, and the "
    "town replaced it with a stone bridge. Today only people on foot may cross the stone bridge.",
)
GRAMMAR = Document(
    text='x ::= "a" | "b" ("," | ";")* [y]+ {z} <=> (1, 2, 3) :: == != >= <= *** +++ --- /// [] {} () @@'
)

FAITHFUL = {
    "question": "Why did the town replace the old bridge?",
    "answer": "The town replaced the old bridge because two floods damaged it.",
    "summary": "The old oak bridge was damaged by two floods and replaced with a stone bridge for people on foot.",
    "request": "List the materials of the bridges.",
    "items": ["oak", "stone", "the stone bridge"],
}


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


def test_the_model_sees_four_pairs_of_content_and_example_before_the_passage(scripted_llm: Callable[..., LLM]) -> None:
    seen: list[str] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        seen.append(" ".join(message["content"] for message in body["messages"]))
        return _answering(FAITHFUL)(prompt, body)

    _made(scripted_llm(answer), tasks=("question_answering",))
    asked = seen[0]
    assert len(EXAMPLES) == 4
    places = [asked.index(example[name]) for example in EXAMPLES for name in ("text", "question", "answer")]
    assert places == sorted(places)
    assert places[-1] < asked.index(BRIDGE.text)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("The bridge was destroyed by pirates who wanted gold and jewels from Norway.", "faithfulness: below 0.5"),
        ("The town replaced the old bridge because 17 floods damaged it.", "faithfulness: below 0.5"),
        (
            "The town replaced the old bridge because two floods damaged",
            "format: the answer does not end as a sentence",
        ),
        ("The town replaced the bridge.", "format: the answer is not 7 to 150 tokens long"),
        (EXAMPLES[3]["answer"], "format: an example was copied"),
    ],
)
def test_answers_that_break_the_format_or_leave_the_passage_are_dropped(
    scripted_llm: Callable[..., LLM], answer: str, reason: str
) -> None:
    llm = scripted_llm(_answering({**FAITHFUL, "answer": answer}))
    rows, reasons = _made(llm, tasks=("question_answering",), shortest=7)
    assert rows == []
    assert reasons == {reason: 1}


def test_a_question_must_end_as_one(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(_answering({**FAITHFUL, "question": "The town replaced the bridge."}))
    rows, reasons = _made(llm, tasks=("question_answering",))
    assert (rows, reasons) == ([], {"format: the question does not end as one": 1})


def test_a_list_needs_two_items_that_are_words(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(_answering({**FAITHFUL, "items": ["the stone bridge", "***", "the stone bridge"]}))
    rows, reasons = _made(llm, tasks=("information_extraction",), shortest=1)
    assert (rows, reasons) == ([], {"format: the list has fewer than two items": 1})


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


def test_passages_without_prose_are_left_out_before_a_model_is_asked(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda _prompt, _body: pytest.fail("asked"))
    with keep(Ledger()) as ledger:
        assert genie([GRAMMAR], llm, llm) == []
    assert [drop.reason for drop in ledger.drops] == ["the passage is less than 80 % letters"]


def test_a_pair_leads_to_its_document_through_both_calls(scripted_llm: Callable[..., LLM]) -> None:
    (row, *_), _ = _made(scripted_llm(_answering(FAITHFUL)))
    draft, verdict = row.origin
    passage, written = draft.origin  # type: ignore[union-attr]
    assert isinstance(verdict, Answer)
    assert isinstance(written, Answer)
    assert passage.parents == (BRIDGE.record_id,)


def test_the_seed_reaches_the_model(scripted_llm: Callable[..., LLM]) -> None:
    seeds: list[int] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        seeds.append(body["seed"])
        return _answering(FAITHFUL)(prompt, body)

    llm = scripted_llm(answer)
    first, _ = _made(llm, seed=1)
    again, _ = _made(llm, seed=1)
    asked = len(seeds)
    other, _ = _made(llm, seed=2)
    assert first == again
    assert not set(seeds[:asked]) & set(seeds[asked:])
    assert [row.completion for row in first] == [row.completion for row in other]


def test_the_examples_keep_the_rules_that_they_teach() -> None:
    assert list(TASKS) == ["question_answering", "summarization", "information_extraction"]
    for example in EXAMPLES:
        assert example["question"].endswith("?")
        assert re.search(r"[.!?]$", example["answer"])
        assert all(len(example[name]) <= 160 for name in ("question", "request"))
