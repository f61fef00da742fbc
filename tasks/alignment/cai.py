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

from catalog.records import Answer, Preference, Prompt, content
from quality.expectations import between, differ, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.pair import pair
from tasks.operators.refine import Draft, refine
from tasks.operators.sample import dice
from tasks.operators.solve import solve
from tasks.operators.weigh import Weights, weigh
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Couple(Prompt):
    """Two answers in the order in which they are shown, how each came about, and the principle to choose by."""

    texts: tuple[str, ...]
    traces: tuple[tuple[str, ...], ...]
    principle: str


@dataclass(frozen=True, kw_only=True)
class Considered(Couple):
    """Two answers with a chain of thought about them."""

    thought: str


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
    max_tokens: int = 256,
    seed: int = 0,
) -> Rows[Harmless]:
    """Two answers to each prompt, each revised `rounds` times; a choice by a principle, after a chain of thought."""
    sampling: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    answers = solve(llm, prompts, n=2, **sampling)
    revised = refine(
        llm, answers, PROMPTS["critique"], PROMPTS["revise"], principles=PRINCIPLES, rounds=rounds, **sampling
    )
    couples = keep([couple(row, revised, seed) for row in prompts], too_few)
    thoughts = generate(judge, couples, PROMPTS["think"], max_tokens=max_tokens, seed=seed)
    considered = [Considered(**content(row), thought=said.value, origin=(row, said)) for row, said in thoughts]
    weighed = weigh(judge, considered, PROMPTS["choose"], ("A", "B"), seed=seed)
    scores = [(row, [min(max(answer.value.of[option], low), high) for option in "AB"]) for row, answer in weighed]
    found = {
        row.record_id: (probabilities, answer)
        for (row, probabilities), (_, answer) in zip(scores, weighed, strict=True)
    }
    pairs = pair(scores, lambda row: row.texts, seed=seed)
    return [harmless(row, best, worse, *found[row.record_id]) for row, best, worse in pairs]


def couple(row: Prompt, revised: Rows[tuple[Prompt, Draft]], seed: int) -> Couple:
    """The revised answers to a prompt in an order that is drawn, and a principle to choose by."""
    draw = dice(seed, "couple", row.record_id)
    drafts = [draft for made_of, draft in revised if made_of is row]
    shown = draw.sample(drafts, len(drafts))
    return Couple(
        prompt=row.prompt,
        texts=tuple(draft.text for draft in shown),
        traces=tuple(draft.trace for draft in shown),
        principle=draw.choice(PRINCIPLES),
        origin=(row, *shown),
    )


def too_few(row: Couple) -> str:
    """Why there is nothing to choose from."""
    return "" if len(row.texts) == 2 else "fewer than two answers were revised"


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
