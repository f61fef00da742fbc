from collections.abc import Callable
from typing import Any

from scripted import Reply

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.slate import slate

PROMPT = Prompt(prompt="Why is snow white?")
PRINCIPLES = {"kind": ["Be kind.", "Be gentle.", "Be warm."], "true": ["Be true.", "Be exact.", "Be sure."]}


def test_the_answers_of_a_prompt_are_given_under_system_messages_of_their_own(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        return body["messages"][0]["content"]

    (row,) = slate(scripted_llm(answer), [PROMPT], PRINCIPLES, {"kind": 1, "true": 1}, n=3)
    assert len(set(row.completions)) == 3
    assert all(said in PRINCIPLES[name] for said, name in zip(row.completions, row.principles, strict=True))
    assert {made.parents for made in row.origin if isinstance(made, Prompt)} == {(PROMPT.record_id,)}


def test_the_models_of_a_pool_all_answer(scripted_llm: Callable[..., LLM], scripted_server: Callable[..., Any]) -> None:
    url = scripted_server(lambda prompt, body: f"{body['model']} says so").url
    pool = scripted_llm(lambda prompt, body: "", roles={"generator": [f"m{number}@{url}" for number in range(5)]})
    (row,) = slate(pool, [PROMPT], PRINCIPLES, {"kind": 1}, n=4)
    assert len(set(row.models)) == 4
    assert [text.split()[0] for text in row.completions] == list(row.models)


def test_a_principle_without_a_share_is_never_drawn(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = slate(scripted_llm(lambda prompt, body: "So."), [PROMPT], PRINCIPLES, {"kind": 1, "true": 0}, n=3)
    assert set(row.principles) == {"kind"}


def test_a_prompt_with_fewer_than_two_answers_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        return Reply("", status=400) if "Be kind." not in str(body) else Reply("Light.")

    with keep(Ledger()) as ledger:
        assert slate(scripted_llm(answer), [PROMPT], PRINCIPLES, {"kind": 1}, n=3) == []
    assert ledger.drops[-1].reason == "fewer than two models answered"
