import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from scripted import WORDS, Reply
from scripted.weighed import weighed

from catalog.records import Prompt
from tasks.alignment.rlaif import Soft, rlaif
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

ASKED = Prompt(prompt="How long does an egg boil?")


def is_question(prompt: str) -> bool:
    return prompt.endswith("The better reply is")


def shown_first(prompt: str) -> str:
    """The answer that the judge sees first."""
    return prompt.rpartition("\n\n1: ")[2].partition("\n\n2: ")[0]


def good(prompt: str, body: dict[str, Any]) -> str:
    """Two answers of which one is careful, and a judge who finds it in either place."""
    if is_question(prompt):
        return "1" if shown_first(prompt).startswith("Careful") else "2"
    number = int(hashlib.sha256(prompt.encode()).hexdigest(), 16)
    # The two draws for a prompt go out as one request with n = 2, or one by one: `index` is not told, seeds differ.
    manner = "Careful" if body["seed"] % 2 else "Hasty"
    return f"{manner} words of {WORDS[number % len(WORDS)]} on: {prompt} {body['seed']}"


def promised(row: Soft) -> bool:
    """The judge finds the chosen answer better than the other, more likely than not."""
    return row.chosen != row.rejected and row.probability > 0.5 and row.rejected.startswith("Hasty")


def answers(*texts: str, judge: Callable[[str], Reply | str]) -> Callable[[str, dict[str, Any]], Reply | str]:
    """A model that gives these answers in turn, and judges."""
    given = iter(texts)
    return lambda prompt, body: judge(prompt) if is_question(prompt) else next(given)


def certain(p: float, text: str) -> Callable[[str], Reply]:
    """A judge who finds `text` the better answer with probability p, and `other` with 1 - p, in either place."""
    return lambda prompt: weighed({"1": p, "2": 1 - p} if shown_first(prompt) == text else {"1": 1 - p, "2": p})


def test_the_answer_that_the_judge_finds_better_in_both_places_is_chosen(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(answers("Ten.", "Six minutes.", judge=certain(0.8, "Six minutes.")), retries=1)
    (row,) = rlaif([ASKED], llm, llm)
    assert (row.prompt, row.chosen, row.rejected) == (ASKED.prompt, "Six minutes.", "Ten.")
    assert row.probability == pytest.approx(0.8)


def test_the_label_is_the_mean_over_both_orders(scripted_llm: Callable[..., LLM]) -> None:
    def leaning(prompt: str) -> Reply:
        """Likes the first place a little, and "Ten." more."""
        return weighed({"1": 0.9, "2": 0.1} if shown_first(prompt) == "Ten." else {"1": 0.4, "2": 0.6})

    llm = scripted_llm(answers("Ten.", "Six.", judge=leaning))
    (row,) = rlaif([ASKED], llm, llm)
    assert (row.chosen, row.probability) == ("Ten.", pytest.approx((0.9 + 0.6) / 2))


def test_a_verdict_that_turns_with_the_order_is_a_tie_and_gives_no_pair(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(answers("Ten.", "Six.", judge=lambda prompt: weighed({"1": 0.95, "2": 0.05})))
    with keep(Ledger()) as ledger:
        assert rlaif([ASKED], llm, llm) == []
    assert [(drop.reason, drop.evidence) for drop in ledger.drops] == [
        ("the verdict turns with the order", "0.950 shown first, 0.050 shown second")
    ]


def test_two_answers_that_are_the_same_are_not_compared(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(answers("Six.", "Six.", judge=lambda prompt: pytest.fail("the judge was asked")))
    with keep(Ledger()) as ledger:
        assert rlaif([ASKED], llm, llm) == []
    assert [drop.reason for drop in ledger.drops] == ["the two answers are the same"]


def test_a_verdict_that_is_neither_gives_no_pair(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(answers("Ten.", "Six.", judge=lambda prompt: "Both are fine."))
    with keep(Ledger()) as ledger:
        assert rlaif([ASKED], llm, llm) == []
    assert {drop.reason for drop in ledger.drops} == {"the answer is none of the options"}


def test_the_judge_is_told_what_is_good_and_asked_in_both_orders_and_a_row_leads_back_to_all_calls(
    scripted_llm: Callable[..., LLM],
) -> None:
    asked: list[dict[str, Any]] = []
    judge = scripted_llm(lambda prompt, body: asked.append(body) or good(prompt, body))
    rows = rlaif([ASKED, Prompt(prompt="Where is Rome?")], scripted_llm(good), judge)
    assert len(rows) == 2
    assert all(promised(row) for row in rows)
    assert {body["messages"][0]["role"] for body in asked} == {"system"}
    assert all(body["logprobs"] for body in asked)
    duel, *verdicts = rows[0].origin
    assert len({answer.call for answer in verdicts}) == 2  # type: ignore[union-attr]
    assert len({answer.call for answer in duel.origin[1:]}) == 2  # type: ignore[union-attr]
