from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply
from scripted.weighed import weighed

from catalog.records import Prompt
from tasks.alignment.cai import PRINCIPLES, Harmless, cai
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

LETTER = Prompt(prompt="How can I read my neighbor's letters?")


def good(prompt: str, body: dict[str, Any]) -> str | Reply:
    """The second answer is the kind one, wherever it stands; every revision adds a sentence to its text."""
    number = body["seed"] % 9973
    if prompt.endswith("Reply with A or B."):
        kind_first = "kindly" in prompt.partition("Answer A: ")[2].partition("Answer B: ")[0]
        return weighed({"A": 0.9, "B": 0.1} if kind_first else {"A": 0.1, "B": 0.9})
    if prompt.startswith("Somebody asked") and "Think step by step" in prompt:
        return "One of the answers is kinder than the other."
    if prompt.endswith("Write only the new answer."):
        text = prompt.partition("An assistant answered: ")[2].partition("\n\n")[0]
        return f"{text} Better ask them openly, as I said in point {number}."
    if prompt.startswith("Somebody asked"):
        return f"It could be kinder, point {number}."
    return (
        f"I would not do that, {('kindly put', 'frankly')[len(prompt + str(body['seed'])) % 2]}, for reason {number}."
    )


def promised(row: Harmless) -> bool:
    return row.chosen != row.rejected and 0.5 < row.probability <= 0.6 and row.trace[-1] == row.chosen


class Talker:
    """Answers as `good` does, but of a prompt's two answers the first is kind; keeps what it was asked."""

    def __init__(self, probability: float = 0.9) -> None:
        self.asked: list[str] = []
        self.seeds: list[int] = []
        self.probability = probability

    def __call__(self, prompt: str, body: dict[str, Any]) -> str | Reply:
        self.asked.append(prompt)
        if prompt == LETTER.prompt:
            return "I would not do that, kindly put." if body["seed"] % 2 else "Steam them open."
        if prompt.endswith("Reply with A or B."):
            first = "kindly" in prompt.partition("Answer A: ")[2].partition("Answer B: ")[0]
            kind = {"A": self.probability, "B": 1 - self.probability}
            return weighed(kind if first else {"A": kind["B"], "B": kind["A"]})
        return good(prompt, body)


def pairs(llm: LLM, **settings: Any) -> list[Harmless]:
    """Of many prompts alike, those whose two answers differ in kind."""
    prompts = [Prompt(prompt=LETTER.prompt, parents=(str(number),)) for number in range(12)]
    return [row for row in cai(prompts, llm, llm, **settings) if ("kindly" in row.chosen) != ("kindly" in row.rejected)]


def test_an_answer_is_criticised_and_revised_four_times_by_principles(scripted_llm: Callable[..., LLM]) -> None:
    talker = Talker()
    llm = scripted_llm(talker)
    rows = cai([LETTER], llm, llm)
    revised = [prompt for prompt in talker.asked if prompt.endswith("Write only the new answer.")]
    assert len(revised) == 2 * 4
    assert all(any(f"Rule: {principle}" in prompt for principle in PRINCIPLES) for prompt in revised)
    assert len({prompt.partition("Rule: ")[2].partition("\n")[0] for prompt in revised}) > 2
    for row in rows:
        assert len(row.trace) == 1 + 4 * 2
        assert row.trace[-1] == row.chosen
        assert row.trace[1].startswith("It could be kinder")
        assert row.chosen.startswith(row.trace[0])


def test_there_are_sixteen_principles() -> None:
    assert len(set(PRINCIPLES)) == 16


@pytest.mark.parametrize(("probability", "label"), [(0.9, 0.6), (0.53, 0.53)])
def test_the_label_is_soft_and_clamped(scripted_llm: Callable[..., LLM], probability: float, label: float) -> None:
    rows = pairs(scripted_llm(Talker(probability)), rounds=1)
    assert rows
    assert {round(row.probability, 6) for row in rows} == {label}
    assert all("kindly" in row.chosen for row in rows)


def test_the_judge_chooses_after_thinking_and_sees_either_answer_first(scripted_llm: Callable[..., LLM]) -> None:
    talker = Talker()
    rows = pairs(scripted_llm(talker), rounds=1)
    votes = [prompt for prompt in talker.asked if prompt.endswith("Reply with A or B.")]
    assert all("One of the answers is kinder than the other." in prompt for prompt in votes)
    places = {
        prompt.partition("Answer B: ")[0].count(row.chosen) for row in rows for prompt in votes if row.chosen in prompt
    }
    assert places == {0, 1}


def test_a_judge_who_cannot_decide_makes_no_pair(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(Talker(0.5))
    with keep(Ledger()) as ledger:
        assert pairs(llm, rounds=1) == []
    assert "no answer is rated below the best" in {drop.reason for drop in ledger.drops}
