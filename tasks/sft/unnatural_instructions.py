"""Unnatural Instructions: a model writes a fourth task after three, answers it, and says it in two other ways.

Honovich et al., 2022, https://arxiv.org/abs/2212.09689

Departs from the paper:
- The fifteen seed tasks are our own. A chat model is asked: the three tasks are earlier turns, in JSON.
- An alternative formulation says the instruction alone in other words; in the paper it has a place for the input.
- An output that runs in a circle is dropped too, as a weak model often writes one.
- A loop that finds nothing new in `patience` rounds ends, short of `rows`.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, PromptCompletion
from catalog.sources.seed_tasks import SeedTask
from quality.expectations import differ, distinct_together, one_of
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.invent import Task, asked, invent, task_key
from tasks.operators.iterate import iterate
from tasks.operators.rewrite import looped
from tasks.operators.solve import solve
from tasks.prompts import read_prompts, read_shots


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
        fourth = invent(llm, seeds, PROMPTS["next"], draws, top_p=top_p, max_tokens=max_tokens, seed=seed)
        known = [task_key(old) for old in (*seeds, *made)]
        return made + dedup(keep(fourth, fault), task_key, reason="the task repeats another", seen=known)

    tasks = iterate(list[Task](), write, size=len, target=rows, patience=patience)
    greedy = solve(llm, tasks, temperature=0.0, max_tokens=max_tokens, seed=seed)
    core = keep([example("core", row, row.instruction, a.value, a) for row, a in greedy], fault)
    said = generate(llm, core, PROMPTS["other"], turns=SHOTS, n=formulations, max_tokens=96, seed=seed)
    other = [example("alternative", row, text.value, row.completion, text) for row, text in said]
    return dedup([*core, *keep(other, fault)], task_key, reason="the formulation repeats another")


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


PROMPTS = read_prompts(__file__)
SHOTS = read_shots(PROMPTS, "instruction", "in other words", PROMPTS["other"])
