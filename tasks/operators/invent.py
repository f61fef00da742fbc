"""`invent`: a model writes one more task after those of a seed group (operators.md 2)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from catalog.records import Prompt, content
from catalog.sources.seed_tasks import SeedTask
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.bootstrap import Shown
from tasks.operators.generate import generate
from tasks.operators.sample import dice

_FIELDS = ("instruction", "input", "constraints")


@dataclass(frozen=True)
class Written:
    """A task as the model writes it."""

    instruction: Annotated[str, Field(max_length=300)]
    input: Annotated[str, Field(max_length=500)]
    constraints: Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, kw_only=True)
class Task(Prompt):
    """A new task: the prompt is its instruction, its input and, where there are some, its constraints."""

    instruction: str
    input: str
    constraints: str = ""
    kind: str = "core"


@operator
def invent(
    llm: LLM,
    seeds: Rows[SeedTask],
    ask: str,
    draws: Iterable[int],
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 256,
    seed: int = 0,
) -> list[Task]:
    """A new task for each of `draws`, a number that decides which group of the seeds is shown.

    Args:
        llm: the model.
        seeds: tasks in groups.
        ask: asks for one more task, in JSON; the group's are earlier turns, as if the model had written them.
        draws: the requests.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest answer.
        seed: of the draws and the sampling.
    """
    answers = generate(
        llm,
        [_shown(seeds, draw, seed) for draw in draws],
        ask,
        turns=lambda row: [(ask, task) for task in row.tasks],
        schema=Written,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
    )
    made: list[Task] = []
    for row, answer in answers:
        parts: dict[str, Any] = {name: getattr(answer.value, name).strip() for name in _FIELDS}
        made.append(Task(prompt=asked(*parts.values()), **parts, origin=(row, answer)))
    return made


def asked(instruction: str, given: str, constraints: str) -> str:
    """A task as it is put to a model."""
    keeps = "" if constraints.lower().strip(".") in {"", "none"} else f"\n\n{constraints}"
    return f"{instruction}\n\n{given}{keeps}"


def task_key(row: Task | SeedTask) -> tuple[str, str]:
    """What makes two tasks the same: instruction and input, whatever their case."""
    return row.instruction.casefold(), row.input.casefold()


def _shown(seeds: Rows[SeedTask], draw: int, seed: int) -> Shown:
    group = dice(seed, "group", draw).choice(sorted({row.group for row in seeds}))
    rows = [row for row in seeds if row.group == group]
    return Shown(tasks=tuple(json.dumps({f: content(row)[f] for f in _FIELDS}) for row in rows), draw=draw, origin=rows)
