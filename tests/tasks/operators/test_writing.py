"""`list_and_pick`, `write_pair` and `pre_query`: what a model writes from next to nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.list_and_pick import list_and_pick
from tasks.operators.pre_query import pre_query
from tasks.operators.write_pair import Pair, write_pair

ROWS = [Prompt(prompt=f"list {number}") for number in range(40)]


def test_every_distinct_item_is_drawn_and_the_same_seed_draws_the_same(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: json.dumps({"options": ["tea", "tea.", "rain ", "snow"]}))
    first, again, other = (list_and_pick(llm, ROWS, "{prompt}", options=4, seed=seed) for seed in (0, 0, 1))
    assert {item.value for _, item in first} == {"tea", "rain", "snow"}
    assert [item.value for _, item in first] == [item.value for _, item in again]
    assert [item.value for _, item in first] != [item.value for _, item in other]


@pytest.mark.parametrize(("picked", "reason"), [("hail", "the pick is not on the list"), ("snow", "")])
def test_the_models_own_pick_must_be_on_its_list(scripted_llm: Callable[..., LLM], picked: str, reason: str) -> None:
    llm = scripted_llm(lambda prompt, body: json.dumps({"options": ["rain", "snow"], "picked": picked}))
    with keep(Ledger()) as ledger:
        found = list_and_pick(llm, ROWS[:1], "{prompt}", options=2, by="model")
    assert [item.value for _, item in found] == ([] if reason else ["snow"])
    assert [drop.reason for drop in ledger.drops] == ([reason] if reason else [])


def test_a_list_of_nothing_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: json.dumps({"options": ["..", "--"]}))
    with keep(Ledger()) as ledger:
        assert list_and_pick(llm, ROWS[:1], "{prompt}", options=2) == []
    assert [drop.reason for drop in ledger.drops] == ["the list is empty"]


def test_a_question_comes_with_its_answer_and_is_not_its_own(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[Any] = []
    pairs = {"0": ("Who?", " Me. "), "1": ("Who?", "who?"), "2": ("Who?", "and so on and so on and " * 5)}

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append(body["messages"])
        question, said = pairs[prompt.rsplit(maxsplit=1)[-1]]
        return json.dumps({"question": question, "answer": said})

    with keep(Ledger()) as ledger:
        ((row, pair),) = write_pair(scripted_llm(answer), ROWS[:3], "{prompt}", shots=[("shown", Pair("Q?", "A."))])
    assert (row, pair.value) == (ROWS[0], Pair("Who?", "Me."))
    assert [turn["content"] for turn in asked[0][:2]] == ["shown", '{"question": "Q?", "answer": "A."}']
    assert [drop.reason for drop in ledger.drops] == [
        "the answer is the question",
        "the question or its answer runs in a circle",
    ]


def test_a_turn_goes_on_from_the_opening_and_is_whole(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        assert prompt == "<user>"
        number = body["seed"] % 3
        return Reply("How do I boil an egg?", finish="length" if number == 0 else "stop")

    with keep(Ledger()) as ledger:
        turns = pre_query(scripted_llm(answer), ROWS[:1], lambda _: "<user>", n=12, stop=("</user>",))
    assert 0 < len(turns) < 12
    assert {turn.value for _, turn in turns} == {"How do I boil an egg?"}
    assert {drop.reason for drop in ledger.drops} == {"the turn is cut"}
    assert len(turns) + len(ledger.drops) == 12
