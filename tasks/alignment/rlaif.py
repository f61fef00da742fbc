"""RLAIF: a model compares two answers in both orders, and how likely it finds each verdict becomes a soft preference.

Lee et al., 2023, https://arxiv.org/abs/2309.00267

Departs from the paper:
- A pair on which the verdict turns with the order of showing is a tie and dropped: a row of the table has a chosen and
  a rejected answer. The paper keeps its averaged label, near one half, which moves a reward model little.
- The judge is shown examples and asked for its verdict at once, without a chain of thought before it.
- The prompts are those of a chat, judged for help and harm together; the paper has a preamble for each task. Training
  is left to the reader of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Answer, Preference, Prompt
from quality.expectations import between, differ, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.filter import keep
from tasks.operators.prefer import prefer
from tasks.operators.solve import solve
from tasks.prompts import read_examples, read_prompts


@dataclass(frozen=True, kw_only=True)
class Duel(Prompt):
    """A prompt with two answers to compare."""

    answers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Soft(Preference):
    """A preference; `probability` is the judge's that `chosen` is the better answer, over 0.5."""

    probability: float


@method(
    paper=Paper(
        "RLAIF vs. RLHF: Scaling Reinforcement Learning from Human Feedback with AI Feedback",
        "Lee et al.",
        2023,
        "2309.00267",
    ),
    categories=["general-model-distillation", "model-self-improvement"],
    reads={"prompts": "raw.prompts"},
    expects=[not_blank("chosen"), not_blank("rejected"), differ("chosen", "rejected"), between("probability", 0.5, 1)],
)
def rlaif(
    prompts: Partition[Prompt], llm: LLM, judge: LLM, *, temperature: float = 1.0, max_tokens: int = 64, seed: int = 0
) -> Rows[Soft]:
    """Two answers to each prompt, the probabilities of "1" and "2" in both orders, their mean as a soft label."""
    found: dict[str, list[Answer[str]]] = {row.record_id: [] for row in prompts}
    for row, answer in solve(llm, prompts, n=2, temperature=temperature, max_tokens=max_tokens, seed=seed):
        found[row.record_id].append(answer)
    duels = keep([duel(row, found[row.record_id]) for row in prompts], no_duel)

    rows: list[Soft] = []
    for row, p, heard in prefer(judge, duels, ask, both, system=PROMPTS["preamble"], turns=SHOTS, seed=seed):
        good, bad = both(row) if p > 0.5 else reversed(both(row))
        rows.append(Soft(prompt=row.prompt, chosen=good, rejected=bad, probability=max(p, 1 - p), origin=(row, *heard)))
    return rows


def duel(row: Prompt, answers: Sequence[Answer[str]]) -> Duel:
    """A prompt with its answers."""
    return Duel(prompt=row.prompt, answers=tuple(answer.value for answer in answers), origin=(row, *answers))


def no_duel(row: Duel) -> str:
    """Why there is nothing to compare."""
    if len(row.answers) < 2:
        return "an answer is missing"
    return "the two answers are the same" if len(set(row.answers)) < 2 else ""


def both(row: Duel) -> tuple[str, str]:
    """The two answers."""
    return row.answers[0], row.answers[1]


def ask(row: Prompt, one: str, two: str) -> str:
    """The question which of two answers is better, in the order of showing."""
    return PROMPTS["compare"].format(prompt=row.prompt, one=one, two=two)


PROMPTS = read_prompts(__file__)
EXAMPLES = read_examples(PROMPTS, "prompt", "one", "two", "better")
SHOTS = [(PROMPTS["compare"].format(**each), each["better"]) for each in EXAMPLES]
