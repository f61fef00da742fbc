from collections import Counter
from collections.abc import Callable
from typing import Any

from catalog.records import Labelled, Problem, Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.sft.orca import SYSTEM, Explained, orca

PROBLEMS = [Problem(prompt=f"What is {n} + {n}?", answer=f"{2 * n}", topic="sums") for n in range(60)]
LABELLED = [
    Labelled(
        text=f"Train {n} is {'late' if n % 2 else 'on time'}.", label=("praise", "complaint")[n % 2], dataset="mood"
    )
    for n in range(60)
]
PROMPTS = [Prompt(prompt=f"Tell me about river {n}.") for n in range(60)]


def good(prompt: str, body: dict[str, Any]) -> str:
    return (
        f'The task is "{prompt.splitlines()[0]}". First I look at what is given, then I compare it with what is asked, '
        f"and so I come to an answer in the end, which I state here as number {body['seed'] % 9973}."
    )


def promised(row: Explained) -> bool:
    return row.system in SYSTEM[row.kind] and (not row.system or len(row.completion.split()) >= 12)


def test_there_are_sixteen_system_messages_and_some_for_each_kind() -> None:
    assert len({text for texts in SYSTEM.values() for text in texts}) == 16
    assert all(len(texts) >= 8 for texts in SYSTEM.values())


def test_each_query_goes_with_a_system_message_that_suits_its_kind(scripted_llm: Callable[..., LLM]) -> None:
    seen: list[tuple[str, str]] = []

    def teacher(prompt: str, body: dict[str, Any]) -> str:
        first = body["messages"][0]
        seen.append((prompt, first["content"] if first["role"] == "system" else ""))
        return good(prompt, body)

    rows = orca(PROBLEMS, LABELLED, PROMPTS, scripted_llm(teacher), rows=180)
    assert len(rows) == 180
    assert all(promised(row) for row in rows)
    assert {(row.prompt, row.system) for row in rows} == set(seen)
    assert {row.system for row in rows} == {text for texts in SYSTEM.values() for text in texts}


def test_the_sample_is_stratified_by_task(scripted_llm: Callable[..., LLM]) -> None:
    rows = orca(PROBLEMS[:6], LABELLED, PROMPTS, scripted_llm(good), rows=12)
    assert Counter(row.task for row in rows) == {"sums": 4, "mood": 4, "chat": 4}


def test_a_classification_shows_the_labels_to_choose_from(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = orca([], LABELLED[:2], [], scripted_llm(good), rows=1)
    assert row.prompt.endswith("\n- complaint\n- praise")


def test_an_answer_without_the_explanation_asked_for_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        rows = orca(PROBLEMS, [], [], scripted_llm(lambda prompt, body: "It is 4."), rows=60)
    assert {row.system for row in rows} == {""}
    assert {drop.reason for drop in ledger.drops} == {"an explanation has fewer than 12 words"}
