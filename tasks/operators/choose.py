"""`choose`: which of two texts a principle speaks for, after a chain of thought (operators.md 12, pairwise)."""

from dataclasses import dataclass

from catalog.records import Answer, content
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.couple import Couple
from tasks.operators.generate import generate
from tasks.operators.weigh import Weights, weigh

_OPTIONS = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class Considered(Couple):
    """Two answers with a chain of thought about them."""

    thought: str


@operator
def choose(
    judge: LLM,
    rows: Rows[Couple],
    think: str,
    question: str,
    *,
    low: float = 0.0,
    high: float = 1.0,
    max_tokens: int = 256,
    seed: int = 0,
) -> list[tuple[Considered, list[float], Answer[Weights]]]:
    """(row, probabilities, judgement): how likely the judge finds each of the two texts the better one.

    Args:
        judge: the model that chooses; its endpoint must give log-probabilities.
        rows: what to choose from.
        think: asks for a chain of thought, with `{texts[0]}`, `{texts[1]}` and `{principle}`.
        question: asks for `A` or `B`, with `{thought}` too.
        low: a probability is at least this.
        high: a probability is at most this.
        max_tokens: the longest chain of thought.
        seed: of the sampling.
    """
    thoughts = generate(judge, rows, think, max_tokens=max_tokens, seed=seed)
    considered = [Considered(**content(row), thought=said.value, origin=(row, said)) for row, said in thoughts]
    return [
        (row, [min(max(answer.value.of[option], low), high) for option in _OPTIONS], answer)
        for row, answer in weigh(judge, considered, question, _OPTIONS, seed=seed)
    ]
