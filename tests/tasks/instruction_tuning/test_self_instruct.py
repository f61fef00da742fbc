import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from scripted import schema_of

from catalog.records import Prompt
from tasks.instruction_tuning.self_instruct import PROMPTS, self_instruct
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.bootstrap import unfit
from tasks.operators.instantiate import Instance, incomplete

SEEDS = [Prompt(prompt=f"human task number {number}") for number in range(20)]
NEW = [
    wish.format(thing=thing)
    for thing in ("a lighthouse", "sourdough bread", "the night train", "chess", "an old piano", "rain water")
    for wish in (
        "Explain to a beginner how {thing} works, step by step.",
        "Tell whether a remark about {thing} is praise or blame.",
        "Suggest three gifts for somebody who cannot stop talking about {thing}.",
        "Compare {thing} of today with that of a hundred years ago.",
        "What should I ask before I spend money on {thing}?",
        "Invent a short bedtime story in which {thing} saves the day.",
        "Reply politely to a neighbour who complains about {thing}.",
    )
]
ADVICE = (
    "Begin with what you can see, and write it down before you change anything.",
    "Most of the trouble comes from haste, so leave one evening for a trial.",
    "My grandmother kept a notebook for it, and every page ended with a question.",
    "Ask someone who does it for a living, since a short visit saves a long search.",
    "If it still puzzles you after a week, start again from the other end.",
)


def good(prompt: str, body: dict[str, Any]) -> str:
    """Thinks of a task by the request's seed, tells classification by "whether", and gives advice as an answer."""
    if prompt == PROMPTS["another"]:
        # By the seed, not by arrival: requests of a batch come in any order.
        return NEW[body["seed"] % len(NEW)]
    task = prompt.split("\n", maxsplit=1)[0].removeprefix("Task: ")
    if "label" in json.dumps(schema_of(body)):
        return json.dumps({"label": "yes" if "whether" in task else "no"})
    if "whether" in task:
        return json.dumps({"instances": [{"output": "praise", "input": "I never saw a better one in all my years."}]})
    said = " ".join(Random(task).sample(ADVICE, 3))
    return json.dumps({"instances": [{"input": "", "output": f"{said} That is how I would {task.lower()}"}]})


def promised(row: Instance) -> bool:
    """A task that a language model can do, in the prompt, with an answer that is none of what was asked."""
    asked = Prompt(prompt=row.instruction)
    return row.prompt.startswith(row.instruction) and not unfit(asked) and not incomplete(row)


def teacher(tasks: list[str], instances: list[dict[str, str]] | None = None) -> Callable[[str, dict[str, Any]], str]:
    """Thinks of these tasks, by the request's seed, and writes these instances of each."""

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if prompt == PROMPTS["another"]:
            return tasks[body["seed"] % len(tasks)]
        if instances and "instances" in json.dumps(schema_of(body)):
            return json.dumps({"instances": instances})
        return good(prompt, body)

    return answer


def test_an_instruction_near_to_one_of_the_pool_is_not_kept(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        llm = scripted_llm(teacher(["human task number 99", NEW[0]]))
        rows = self_instruct(SEEDS, llm, rows=2, patience=4)
    assert [row.instruction for row in rows] == [NEW[0]]
    assert {drop.reason for drop in ledger.drops} == {"its ROUGE-L to another is 0.7 or more"}


def test_tasks_that_the_model_made_are_shown_later(scripted_llm: Callable[..., LLM]) -> None:
    shown: list[int] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if prompt == PROMPTS["another"]:
            shown.append(sum(turn["content"] in NEW for turn in body["messages"] if turn["role"] == "assistant"))
        return good(prompt, body)

    rows = self_instruct(SEEDS, scripted_llm(answer), rows=5, batch=2, patience=30)
    assert len({row.instruction for row in rows}) == 5
    assert (shown[0], shown[-1]) == (0, 2)


def test_a_loop_that_finds_nothing_new_ends(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(teacher(["human task number 3"]))
    with keep(Ledger()) as ledger:
        assert self_instruct(SEEDS, llm, rows=50, batch=2, patience=3) == []
    assert ledger.step("bootstrap").calls == 6


def test_classification_tasks_get_their_answers_first(scripted_llm: Callable[..., LLM]) -> None:
    orders: dict[str, list[str]] = {}

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if "instances" in json.dumps(schema := schema_of(body)):
            orders[prompt.split("\n", maxsplit=1)[0]] = list(schema["$defs"]["Instance"]["properties"])  # type: ignore[index]
        return good(prompt, body)

    rows = self_instruct(SEEDS, scripted_llm(answer), rows=12, patience=40)
    assert {row.is_classification for row in rows} == {True, False}
    for row in rows:
        wanted = ["output", "input"] if row.is_classification else ["input", "output"]
        assert orders[f"Task: {row.instruction}"] == wanted


@pytest.mark.parametrize(
    ("instances", "reasons"),
    [
        ([{"input": "a", "output": "b"}, {"input": "a", "output": "c"}], ["its input has another output too"] * 2),
        ([{"input": "a", "output": "b"}, {"input": "a", "output": "b"}], ["the instance repeats another"]),
        ([{"input": "a", "output": "a"}], ["the output repeats what was asked"]),
    ],
)
def test_an_instance_that_teaches_nothing_is_dropped(
    scripted_llm: Callable[..., LLM], instances: list[dict[str, str]], reasons: list[str]
) -> None:
    with keep(Ledger()) as ledger:
        self_instruct(SEEDS, scripted_llm(teacher(NEW, instances)), rows=1)
    assert [drop.reason for drop in ledger.drops] == reasons
