"""Unnatural Instructions: a model writes a fourth task after three, answers it, and says it in two other ways.

Honovich et al., 2022, https://arxiv.org/abs/2212.09689

Departs from the paper:
- The fifteen seed tasks are our own. A chat model is asked: the three tasks are earlier turns, in JSON.
- An alternative formulation says the instruction alone in other words; in the paper it has a place for the input.
- An output that runs in a circle is dropped too, as a weak model often writes one.
- A loop that finds nothing new in `patience` rounds ends, short of `rows`.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from catalog.records import Answer, Prompt, PromptCompletion, Record, content
from catalog.sources.seed_tasks import SeedTask
from quality.expectations import differ, distinct_together, one_of
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.iterate import iterate
from tasks.operators.rewrite import looped
from tasks.operators.sample import dice
from tasks.operators.solve import solve


@dataclass(frozen=True)
class Written:
    """A task as the model writes it."""

    instruction: Annotated[str, Field(max_length=300)]
    input: Annotated[str, Field(max_length=500)]
    constraints: Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """The three tasks shown to the model in one request; `draw` tells the requests apart."""

    tasks: tuple[str, ...]
    draw: int


@dataclass(frozen=True, kw_only=True)
class Task(Prompt):
    """A new task: the prompt is its instruction, its input and, where there are some, its constraints."""

    instruction: str
    input: str
    constraints: str = ""
    kind: str = "core"


@dataclass(frozen=True, kw_only=True)
class Example(Task, PromptCompletion):
    """A task with its output; of `kind` core, or an alternative formulation of one."""


@method(
    paper=Paper(
        "Unnatural Instructions: Tuning Language Models with (Almost) No Human Labor",
        "Honovich et al.",
        2022,
        "2212.09689",
    ),
    categories=["general-model-distillation", "data-augmentation:reformation"],
    also=["instruction_tuning", "alignment"],
    reads={"seeds": "raw.seed_tasks"},
    expects=[
        distinct_together("instruction", "input"),
        differ("input", "completion"),
        one_of("kind", ["core", "alternative"]),
    ],
    # The formulations of a task share its input and output.
    screens={"near_duplicate": "off"},
)
def unnatural_instructions(
    seeds: Rows[SeedTask],
    llm: LLM,
    *,
    rows: int = 64_000,
    batch: int = 40,
    top_p: float = 0.99,
    formulations: int = 2,
    max_tokens: int = 256,
    patience: int = 3,
    seed: int = 0,
) -> Rows[Example]:
    """Make `rows` new tasks with nucleus sampling, answer each greedily, and say each in other ways."""

    def write(made: list[Task], number: int) -> list[Task]:
        draws = range(number * batch, number * batch + min(batch, rows - len(made)))
        fourth = generate(
            llm,
            [three(seeds, draw, seed) for draw in draws],
            NEXT,
            turns=lambda row: [(NEXT, task) for task in row.tasks],
            schema=Written,
            temperature=1.0,
            top_p=top_p,
            max_tokens=max_tokens,
            seed=seed,
        )
        new = keep([task(row, answer) for row, answer in fourth], fault)
        return made + dedup(new, key, reason="the task repeats another", seen=[key(old) for old in (*seeds, *made)])

    tasks = iterate(list[Task](), write, size=len, target=rows, patience=patience)
    greedy = solve(llm, tasks, temperature=0.0, max_tokens=max_tokens, seed=seed)
    core = keep([example("core", row, row.instruction, a.value, a) for row, a in greedy], fault)
    said = generate(llm, core, OTHER, turns=SHOTS, n=formulations, max_tokens=96, seed=seed)
    other = [example("alternative", row, text.value, row.completion, text) for row, text in said]
    return dedup([*core, *keep(other, fault)], key, reason="the formulation repeats another")


def three(seeds: Rows[SeedTask], draw: int, seed: int) -> Shown:
    """One of the groups of seeds, as the model is to write tasks."""
    group = dice(seed, "group", draw).choice(sorted({row.group for row in seeds}))
    rows = [row for row in seeds if row.group == group]
    return Shown(tasks=tuple(json.dumps({f: content(row)[f] for f in FIELDS}) for row in rows), draw=draw, origin=rows)


def task(row: Shown, answer: Answer[Written]) -> Task:
    """The task that a model wrote."""
    parts: dict[str, Any] = {name: getattr(answer.value, name).strip() for name in FIELDS}
    return Task(prompt=asked(*parts.values()), **parts, origin=(row, answer))


def asked(instruction: str, given: str, constraints: str) -> str:
    """A task as it is put to a model."""
    keeps = "" if constraints.lower().strip(".") in {"", "none"} else f"\n\n{constraints}"
    return f"{instruction}\n\n{given}{keeps}"


def example(kind: str, row: Task, instruction: str, output: str, answer: Answer[str]) -> Example:
    """A task with its output, under this or another formulation of its instruction."""
    parts: dict[str, Any] = {"instruction": instruction.strip(), "input": row.input, "constraints": row.constraints}
    return Example(prompt=asked(*parts.values()), **parts, completion=output, kind=kind, origin=(row, answer))


def fault(row: Task) -> str:
    """Why a task, or an example of one, is not sound."""
    if not row.instruction or not row.input:
        return "the task is incomplete"
    if isinstance(row, Example) and (looped(row.completion) or row.completion.strip() == row.input):
        return "the output repeats the input or itself"
    return "the task runs in a circle" if looped(row.prompt) else ""


def key(row: Task | SeedTask) -> tuple[str, str]:
    """What makes two tasks the same."""
    return row.instruction.casefold(), row.input.casefold()


FIELDS = ("instruction", "input", "constraints")
NEXT = "Write one more task of another kind, in JSON: an instruction, an input to it, and constraints for the output."
OTHER = (
    "Say this instruction in other words, as short as you can. It still means the same.\n\nInstruction: {instruction}"
)
SHOTS = [
    (OTHER.format(instruction="You are given a sentence. Say it in a polite way."), "Make the sentence polite."),
    (
        OTHER.format(instruction="You are given a job. List three tools that one needs for it."),
        "Which three tools does a person with this job use?",
    ),
]
