"""Orca: system messages that ask for explanations, each drawn to suit its task, and a teacher's traces of thought.

Mukherjee et al., 2023, https://arxiv.org/abs/2306.02707

Departs from the paper:
- The queries are of `raw.problems`, `raw.labelled_texts` and `raw.prompts`, where the paper samples FLAN-v2.
- One teacher answers: to train on a weaker one's answers first is left out. The sixteen system messages are ours.
- An answer that runs in a circle, or explains nothing though it was asked to, is dropped.
"""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.records import Labelled, Problem, Prompt, PromptCompletion, content
from quality.expectations import distinct_together, not_blank, one_of
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.filter import keep
from tasks.operators.rewrite import looped
from tasks.operators.sample import dice, sample
from tasks.operators.solve import solve
from tasks.prompts import read_prompts

KINDS = ("problem", "choice", "open")


@dataclass(frozen=True, kw_only=True)
class Query(Prompt):
    """A prompt with the task that it belongs to, the task's kind, and the system message that goes with it."""

    task: str
    kind: str
    system: str = ""


@dataclass(frozen=True, kw_only=True)
class Explained(Query, PromptCompletion):
    """A query with the teacher's answer to it under its system message, which may be empty."""


@method(
    paper=Paper(
        "Orca: Progressive Learning from Complex Explanation Traces of GPT-4", "Mukherjee et al.", 2023, "2306.02707"
    ),
    categories=["general-model-distillation"],
    also=["instruction_tuning"],
    reads={"problems": "raw.problems", "labelled": "raw.labelled_texts", "prompts": "raw.prompts"},
    expects=[not_blank("completion"), distinct_together("prompt", "system"), one_of("kind", KINDS)],
)
def orca(
    problems: Rows[Problem],
    labelled: Rows[Labelled],
    prompts: Rows[Prompt],
    llm: LLM,
    *,
    rows: int = 5_000_000,
    least: int = 12,
    temperature: float = 0.7,
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[Explained]:
    """`rows` queries, the tasks in turns, each with a system message of those that suit its kind, and the answers."""
    choices: dict[str, set[str]] = {}
    for row in labelled:
        choices.setdefault(row.dataset, set()).add(row.label)
    pool = [
        *(query(row, row.topic, "problem", row.prompt, seed) for row in problems),
        *(query(row, row.dataset, "choice", choose(row.text, choices[row.dataset]), seed) for row in labelled),
        *(query(row, "chat", "open", row.prompt, seed) for row in prompts),
    ]
    queries = sample(pool, rows, by=lambda row: row.task, seed=seed)
    answers = solve(llm, queries, system="{system}", temperature=temperature, max_tokens=max_tokens, seed=seed)
    explained = [Explained(**content(row), completion=a.value, origin=(row, a)) for row, a in answers]
    return keep(explained, lambda row: fault(row, least))


def query(row: Problem | Labelled | Prompt, task: str, kind: str, prompt: str, seed: int) -> Query:
    """A prompt with one of the system messages for its kind."""
    system = dice(seed, "system", row.record_id).choice(SYSTEM[kind])
    return Query(prompt=prompt, task=task, kind=kind, system=system, origin=(row,))


def choose(text: str, labels: Collection[str]) -> str:
    """A text with the labels to choose from."""
    return "\n- ".join([f"{text}\n\nWhich of these fits the text best?", *sorted(labels)])


def fault(row: Explained, least: int) -> str:
    """Why an answer teaches no thinking."""
    if row.system and len(row.completion.split()) < least:
        return f"an explanation has fewer than {least} words"
    return "the answer runs in a circle" if looped(row.completion) else ""


PROMPTS = read_prompts(__file__)
SYSTEM = {
    kind: ["", *(line for name, text in PROMPTS.items() if kind in name for line in text.splitlines())]
    for kind in KINDS
}
"""Kind of task -> the system messages that suit it."""
