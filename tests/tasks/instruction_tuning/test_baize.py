from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Dialogue, Prompt
from tasks.instruction_tuning.baize import baize
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

BREAD = Prompt(prompt="Why does bread rise?")


def good(prompt: str, body: dict[str, Any]) -> str:
    topic = prompt.rpartition("Topic: ")[2]
    return (
        f'Human: I want to talk about this: {topic}\nAI: Gladly. People asked "{topic}" for a long time.\n'
        f'Human: Where can I read more about "{topic}"?\nAI: The library has books, and I can explain the basics.\n'
        f"Human: Please do."
    )


def promised(row: Dialogue) -> bool:
    said = [message["content"] for message in row.messages]
    roles = [message["role"] for message in row.messages]
    return roles == ["user", "assistant"] * (len(roles) // 2) and len(roles) >= 4 and len(set(said)) == len(said)


def test_one_answer_becomes_a_talk_of_two(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or good(prompt, body))
    (row,) = baize([BREAD], llm)
    assert len(asked) == 1
    assert promised(row)
    assert row.messages[0] == {"role": "user", "content": "I want to talk about this: Why does bread rise?"}
    assert row.messages[-1]["content"].endswith("I can explain the basics.")
    assert row.parents == (BREAD.record_id,)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("AI: Ask me.\nHuman: Why?\nAI: Yeast.\nHuman: And then?", "the assistant speaks first"),
        ("Human: Why?\nAI: Yeast.\nHuman: Oh.", "the conversation has fewer than 4 turns"),
        ("Human: Why?\nAI: Yeast.\nHuman: why?\nAI: Gas.", "the talk runs in a circle"),
        ("Human: Why?\nHuman: Tell me.\nHuman: Now.", "the conversation has fewer than 4 turns"),
        ("It is the yeast.", "the conversation has fewer than 4 turns"),
    ],
)
def test_a_talk_in_which_not_both_play_along_is_dropped(
    scripted_llm: Callable[..., LLM], said: str, reason: str
) -> None:
    with keep(Ledger()) as ledger:
        assert baize([BREAD], scripted_llm(lambda prompt, body: said)) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_a_seed_is_talked_about_the_same_way_whatever_stands_beside_it(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(good)
    (alone,) = baize([BREAD], llm)
    assert alone in baize([Prompt(prompt="Why is the sea salty?"), BREAD], llm)
