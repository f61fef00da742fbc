import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import PromptCompletion
from tasks.instruction_tuning.alpagasus import SCALE, Graded, alpagasus
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

PAIRS = [
    PromptCompletion(prompt="What is 2 + 2?", completion="4"),
    PromptCompletion(prompt="What is 2 + 3?", completion="6"),
    PromptCompletion(prompt="Where is Oslo?", completion="In Norway."),
]


def verdict(rating: str, rationale: str = "as it is") -> str:
    return json.dumps({"text_1": {"rationale": rationale, "rating": rating}})


def good(prompt: str, body: dict[str, Any]) -> str:
    """A judge that finds fault with short answers."""
    found = re.search(r"Answer: (.*)\n\nRate the", prompt, re.DOTALL)
    assert found
    words = len(found[1].split())
    return verdict("5" if words > 8 else "4.5" if words > 2 else "2", f"The answer has {words} words.")


def promised(row: Graded) -> bool:
    return row.score >= 4.5 and bool(row.explanation.strip())


def scored(scores: dict[str, str]) -> Callable[..., str]:
    return lambda prompt, body: next(verdict(s) for part, s in scores.items() if part in str(body["messages"]))


def test_pairs_rated_4_5_or_more_stay_with_the_score_and_its_reason(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(scored({"2 + 2": "5", "2 + 3": "4", "Oslo": "4.5"}))
    with keep(Ledger()) as ledger:
        rows = alpagasus(PAIRS, llm)
    assert [(row.prompt, row.completion, row.score, row.explanation) for row in rows] == [
        ("What is 2 + 2?", "4", 5.0, "as it is"),
        ("Where is Oslo?", "In Norway.", 4.5, "as it is"),
    ]
    assert [drop.reason for drop in ledger.drops] == ["it is rated below 4.5"]
    assert all(map(promised, rows))
    assert [row.parents for row in rows] == [(PAIRS[0].record_id,), (PAIRS[2].record_id,)]


@pytest.mark.parametrize("aspect", ["accuracy", "helpfulness"])
def test_one_aspect_is_rated_greedily_and_the_judge_is_shown_how(scripted_llm: Callable[..., LLM], aspect: Any) -> None:
    asked: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: asked.append(body) or verdict("5"))
    alpagasus(PAIRS[:1], llm, aspect=aspect)
    (body,) = asked
    assert body["temperature"] == 0
    assert all(f"Rate the {aspect}" in turn["content"] for turn in body["messages"][::2])
    shown = [json.loads(turn["content"])["text_1"]["rating"] for turn in body["messages"][1::2]]
    assert {"0", "2.5", "5"} < set(shown) < set(SCALE)


def test_a_threshold_may_be_lower_and_what_is_on_no_scale_is_no_rating(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(scored({"2 + 2": "3", "2 + 3": "2.5", "Oslo": "4.7"}))
    with keep(Ledger()) as ledger:
        rows = alpagasus(PAIRS, llm, threshold=3)
    assert [row.score for row in rows] == [3.0]
    assert "rating" in next(drop.reason for drop in ledger.drops if drop.row == PAIRS[2])


def test_a_pair_that_repeats_is_rated_once(scripted_llm: Callable[..., LLM]) -> None:
    again = PromptCompletion(prompt="Where is Oslo?", completion="In Norway.", record_id="again")
    with keep(Ledger()) as ledger:
        assert len(alpagasus([PAIRS[2], again], scripted_llm(lambda prompt, body: verdict("5")))) == 1
    assert ledger.step("grade").calls == 1
