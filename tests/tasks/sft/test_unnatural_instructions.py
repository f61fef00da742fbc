import json
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.sources.seed_tasks import seed_tasks
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.sft.unnatural_instructions import Example, unnatural_instructions

SEEDS = [row for row, _ in seed_tasks()]
BOATS = {"instruction": "You are given a boat. Say where it sails.", "input": "ferry", "constraints": "None."}


def good(prompt: str, body: dict[str, Any]) -> str:
    number = body["seed"] % 9973
    if schema_of(body):
        task = {"instruction": f"You are given a boat. Say what its {number} sails are for.", "input": f"boat {number}"}
        return json.dumps(task | {"constraints": "The reply is one sentence."})
    if prompt.startswith("Say this instruction"):
        return f"{('Explain', 'Tell')[number % 2]} the use of the sails, number {number}."
    subject = prompt.splitlines()[2]
    return (
        f"Wind fills them, and {subject} gets on.",
        f"They help {subject} to cross the lake when nobody rows.",
        f"In a calm they are of no use to {subject}, but a breeze is enough.",
    )[number % 3]


def promised(row: Example) -> bool:
    return row.prompt.startswith(row.instruction) and row.input in row.prompt and row.completion not in row.prompt


def test_a_fourth_task_is_written_after_three_of_a_group(scripted_llm: Callable[..., LLM]) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or good(prompt, body))
    core = [row for row in unnatural_instructions(SEEDS, llm, rows=12) if row.kind == "core"]
    assert len(core) == 12
    assert all(promised(row) for row in core)
    written = [body for body in bodies if schema_of(body)]
    groups = {
        tuple(json.loads(turn["content"])["instruction"] for turn in body["messages"] if turn["role"] == "assistant")
        for body in written
    }
    assert groups <= {tuple(s.instruction for s in SEEDS if s.group == group) for group in range(5)}
    assert len(groups) > 1
    assert {body["top_p"] for body in written} == {0.99}


def test_the_output_is_written_apart_and_greedily(scripted_llm: Callable[..., LLM]) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or good(prompt, body))
    (core, *_) = unnatural_instructions(SEEDS, llm, rows=1)
    (asked,) = [body for body in bodies if body["messages"][-1]["content"] == core.prompt]
    assert asked["temperature"] == 0.0
    assert len(asked["messages"]) == 1


def test_each_task_is_said_in_two_other_ways_with_the_same_output(scripted_llm: Callable[..., LLM]) -> None:
    core, *other = unnatural_instructions(SEEDS, scripted_llm(good), rows=1)
    assert len(other) == 2
    assert {row.kind for row in other} == {"alternative"}
    assert len({row.instruction for row in (core, *other)}) == 3
    assert {(row.input, row.completion) for row in other} == {(core.input, core.completion)}


def test_incomplete_copied_and_repeated_tasks_are_dropped(scripted_llm: Callable[..., LLM]) -> None:
    seed = {name: getattr(SEEDS[4], name) for name in ("instruction", "input", "constraints")}
    tasks = [BOATS, BOATS, BOATS | {"input": " "}, seed]

    def careless(prompt: str, body: dict[str, Any]) -> str:
        return json.dumps(tasks[body["seed"] % 4]) if schema_of(body) else good(prompt + "\n\nboat", body)

    with keep(Ledger()) as ledger:
        rows = unnatural_instructions(SEEDS, scripted_llm(careless), rows=40)
    assert [row.prompt for row in rows if row.kind == "core"] == ["You are given a boat. Say where it sails.\n\nferry"]
    assert {drop.reason for drop in ledger.drops} >= {"the task is incomplete", "the task repeats another"}


def test_an_output_that_repeats_its_input_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: good(prompt, body) if schema_of(body) else prompt.splitlines()[2])
    with keep(Ledger()) as ledger:
        assert unnatural_instructions(SEEDS, llm, rows=1) == []
    assert [drop.reason for drop in ledger.drops] == ["the output repeats the input or itself"]
