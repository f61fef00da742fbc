"""`bootstrap`: think of new tasks beside some of a pool that people and the model made (operators.md 1, mix quota)."""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.records import Prompt, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import generate
from tasks.operators.sample import dice

_ITEM = re.compile(r"^\W*(?:Task )?\d+[.:)]\s*(.+)$", re.MULTILINE)
_BANNED = re.compile(
    r"\b(?:images?|graphs?|pictures?|files?|maps?|draw|plot|go to|video|audio|music|flowchart|diagram)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """The tasks shown to the model in one request for new ones; `draw` tells the requests apart."""

    tasks: tuple[str, ...]
    draw: int


@operator
def bootstrap(
    llm: LLM,
    seeds: Rows[Prompt],
    made: Rows[Prompt],
    ask: str,
    draws: Iterable[int],
    *,
    human: int = 6,
    machine: int = 2,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 256,
    seed: int = 0,
) -> list[Prompt]:
    """New tasks, of one request for each of `draws`, a number that decides what is shown.

    Args:
        llm: the model.
        seeds: tasks that people wrote.
        made: tasks that the model made before.
        ask: asks for one more; the tasks shown are earlier turns, as if the model had thought of them one by one.
        draws: the requests.
        human: how many of the seeds are shown; more, where fewer are made than `machine`.
        machine: how many of the others.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest answer.
        seed: of the draws and the sampling.
    """
    replies = generate(
        llm,
        [_in_context(seeds, made, human, machine, draw, seed) for draw in draws],
        ask,
        turns=lambda shown: [(ask, task) for task in shown.tasks],
        parse=read_tasks,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
    )
    return [Prompt(prompt=text, origin=(row, answer)) for row, answer in replies for text in answer.value]


def _in_context(seeds: Rows[Prompt], made: Rows[Prompt], human: int, machine: int, draw: int, seed: int) -> Shown:
    random = dice(seed, "tasks shown", draw)
    own = random.sample(made, min(machine, len(made)))
    theirs = random.sample(seeds, min(human + machine - len(own), len(seeds)))
    tasks = [*theirs, *own]
    random.shuffle(tasks)
    return Shown(tasks=tuple(" ".join(task.prompt.split()) for task in tasks), draw=draw, origin=tasks)


def read_tasks(text: str) -> list[str]:
    """The tasks in an answer: the items of a numbered list, or its first line.

    Raises:
        ValueError: where there is none.
    """
    items = _ITEM.findall(text) or text.strip().splitlines()[:1]
    if not (tasks := [task for item in items if (task := item.strip(' *"'))]):
        raise ValueError("there is no task in the answer")
    return tasks


def unfit(task: Prompt) -> str:
    """Why a language model is not to be given a task: too short or long, of pictures or programs, or no sentence."""
    words = task.prompt.split()
    if not 3 < len(words) <= 150:
        return "the instruction is too short" if len(words) <= 3 else "the instruction is too long"
    if found := _BANNED.search(task.prompt):
        return f"a model cannot do it with text alone: {found[0].lower()}"
    if task.prompt.lower().startswith("write a program"):
        return "it asks for a program"
    if task.prompt[0] in string.punctuation or not task.prompt[0].isascii():
        return "it starts with no letter or digit"
    return ""
