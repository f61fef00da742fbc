"""Constitutional AI: answers that a model criticises and revises by principles, and its choice between two of them.

Bai et al., 2022, https://arxiv.org/abs/2212.08073

Departs from the paper:
- One table holds preferences. The pairs are two answers after their revisions, which stand for answers of a model that
  was fine-tuned on such: nothing is trained in between. Draft, critiques and revisions of the
  chosen one are the column `trace`.
- The prompts are `raw.red_team_prompts`, our own; no helpful prompts are mixed in.
- The sixteen principles are in our words, and the same for the revisions and the choice.
- Which of the two answers stands first is drawn, so that a judge's liking for a place averages out.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Preference, Prompt
from quality.expectations import between, differ, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.choose import Considered, choose
from tasks.operators.couple import couple
from tasks.operators.pair import pair
from tasks.operators.refine import refine
from tasks.operators.solve import solve
from tasks.operators.weigh import Weights
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Harmless(Preference):
    """The answer that the principle speaks for, with the probability of that, and the other.

    `trace` is how the chosen one came about: its first draft, then a critique and a revision for each round.
    """

    principle: str
    probability: float
    trace: tuple[str, ...]


@method(
    paper=Paper("Constitutional AI: Harmlessness from AI Feedback", "Bai et al.", 2022, "2212.08073"),
    categories=["model-self-improvement"],
    also=["instruction_tuning"],
    reads={"prompts": "raw.red_team_prompts"},
    expects=[
        not_blank("chosen"),
        not_blank("rejected"),
        differ("chosen", "rejected"),
        between("probability", 0.5, 0.6),
    ],
    # To decline is often what the principles ask for.
    screens={"refusal": "off"},
)
def cai(
    prompts: Partition[Prompt],
    llm: LLM,
    judge: LLM,
    *,
    rounds: int = 4,
    low: float = 0.4,
    high: float = 0.6,
    temperature: float = 1.0,
    max_tokens: int = 96,
    seed: int = 0,
) -> Rows[Harmless]:
    """Two answers to each prompt, each revised `rounds` times; a choice by a principle, after a chain of thought."""
    sampling: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    answers = solve(llm, prompts, n=2, **sampling)
    revised = refine(
        llm, answers, PROMPTS["critique"], PROMPTS["revise"], principles=PRINCIPLES, rounds=rounds, **sampling
    )
    couples = couple(prompts, revised, PRINCIPLES, seed=seed)
    think, question = PROMPTS["think"], PROMPTS["choose"]
    chosen = choose(judge, couples, think, question, low=low, high=high, max_tokens=max_tokens, seed=seed)
    found = {row.record_id: (probabilities, answer) for row, probabilities, answer in chosen}
    pairs = pair([(row, probabilities) for row, probabilities, _ in chosen], lambda row: row.texts, seed=seed)
    return [harmless(row, best, worse, *found[row.record_id]) for row, best, worse in pairs]


def harmless(row: Considered, best: int, worse: int, probabilities: Rows[float], answer: Answer[Weights]) -> Harmless:
    """The pair of a choice."""
    return Harmless(
        prompt=row.prompt,
        chosen=row.texts[best],
        rejected=row.texts[worse],
        principle=row.principle,
        probability=probabilities[best],
        trace=row.traces[best],
        origin=(row, answer),
    )


PROMPTS = read_prompts(__file__)
PRINCIPLES = PROMPTS["principles"].splitlines()
