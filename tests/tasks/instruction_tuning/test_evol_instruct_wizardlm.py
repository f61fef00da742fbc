import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from catalog.records import Prompt
from tasks.instruction_tuning.evol_instruct_wizardlm import (
    EXAMPLES,
    OPERATIONS,
    PROMPTS,
    EvolvedInstruction,
    evol_instruct_wizardlm,
)
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.eliminate import fault_of_answer

SEED = Prompt(prompt="Why is snow white?")


HARDER = (
    "Answer for a reader who lives on a boat and has no electricity.",
    "Weigh two opposite opinions before you decide between them.",
    "Add what would change if winter lasted for two years.",
    "Use at least one number, and say where it comes from.",
    "Show your steps one after the other, and mark the weakest.",
    "Name a person in history who would have disagreed, with a reason.",
    "Leave out everything that a child of six could not follow.",
    "End with a question that nobody has answered so far.",
    "Say which part of it you would check first, and with what tool.",
)


def good(prompt: str, body: dict[str, Any]) -> str:
    """Adds a wish to the prompt, finds that it asks for more, and answers with what the prompt speaks of."""
    if "#Given Prompt#:" in prompt:
        parent = prompt.rpartition("#Given Prompt#:")[2].strip()
        return f"{parent} {Random(body['seed']).choice([wish for wish in HARDER if wish not in parent])}"
    if "Does the second prompt say the first again" in prompt:
        return json.dumps({"label": "more"})
    draw = Random(prompt)
    first, second, third = draw.sample(HARDER, 3)
    words = sorted({word for word in prompt.split() if len(word) > 4})
    draw.shuffle(words)
    return f"It comes down to {', '.join(words[:6]) or 'very little'}. {first} {second} Then {third.lower()}"


def promised(row: EvolvedInstruction) -> bool:
    """Another instruction than its parent, made by an operation, with an answer."""
    return row.prompt != row.parent and row.operation in OPERATIONS and not fault_of_answer(row.completion)


def wizard(
    evolved: Callable[[str], str] = lambda parent: f"{parent} And then?",
    verdict: str = "more",
    answer: str = "Light.",
) -> Callable[[str, dict[str, Any]], str]:
    def reply(prompt: str, body: dict[str, Any]) -> str:
        if "#Given Prompt#:" in prompt:
            return evolved(prompt.rpartition("#Given Prompt#:")[2].strip())
        if "Does the second prompt say the first again" in prompt:
            return json.dumps({"label": verdict})
        return answer

    return reply


def test_an_instruction_evolves_from_round_to_round_and_is_answered(scripted_llm: Callable[..., LLM]) -> None:
    rows = evol_instruct_wizardlm([SEED], scripted_llm(wizard()))
    assert [(row.round, row.prompt, row.completion) for row in rows] == [
        (number, "Why is snow white?" + " And then?" * number, "Light.") for number in (1, 2, 3, 4)
    ]
    assert {row.operation for row in rows} <= set(OPERATIONS)


def test_every_operation_has_a_prompt_and_an_example() -> None:
    assert set(OPERATIONS) == set(PROMPTS) == set(EXAMPLES)


def test_a_failed_parent_stays_in_the_pool_and_evolves_another_way(scripted_llm: Callable[..., LLM]) -> None:
    parents: list[str] = []

    def evolved(parent: str) -> str:
        parents.append(parent)
        return f"{parent} And then?" if len(parents) == 3 else "the given prompt, rewritten"

    rows = evol_instruct_wizardlm([SEED], scripted_llm(wizard(evolved)))
    assert parents == [SEED.prompt] * 3 + ["Why is snow white? And then?"]
    assert [row.round for row in rows] == [3]


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ({"verdict": "again"}, "no information gain: judged equal to its parent"),
        ({"evolved": lambda parent: f" {parent}\n"}, "no information gain: the same words"),
        (
            {"evolved": lambda parent: "Here is the Rewritten Prompt"},
            "words of the evolving prompt leaked: rewritten prompt",
        ),
        ({"evolved": lambda parent: EXAMPLES["deepen"][0][1]}, "words of the evolving prompt leaked: its example"),
        ({"answer": "Sorry, I cannot help with that."}, "the answer is short and says sorry"),
    ],
)
def test_a_failed_evolution_is_eliminated_with_the_reason(
    scripted_llm: Callable[..., LLM], replies: dict[str, Any], reason: str
) -> None:
    with keep(Ledger()) as ledger:
        assert evol_instruct_wizardlm([SEED], scripted_llm(wizard(**replies)), rounds=1) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_a_row_leads_back_through_its_parents_to_the_seed(scripted_llm: Callable[..., LLM]) -> None:
    first, second = evol_instruct_wizardlm([SEED], scripted_llm(wizard()), rounds=2)
    for row, parent in ((second, first), (first, SEED)):
        child, verdict, answer = row.origin
        assert child.parents == (parent.record_id,)
        assert len({answer.call, verdict.call, child.origin[1].call}) == 3  # type: ignore[union-attr]


def test_the_same_seed_makes_the_same_rows(scripted_llm: Callable[..., LLM]) -> None:
    seeds = [Prompt(prompt=f"Why is number {number} odd?") for number in range(6)]
    first, second, other = (evol_instruct_wizardlm(seeds, scripted_llm(wizard()), seed=seed) for seed in (1, 1, 2))
    assert [row.record_id for row in first] == [row.record_id for row in second]
    assert [row.operation for row in first] != [row.operation for row in other]
