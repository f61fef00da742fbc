"""`grade`: a judge rates each answer to its prompt, and is shown how by rated pairs (operators.md 12, pointwise)."""

import json
from collections.abc import Sequence
from typing import TypeVar

from catalog.records import Answer, PromptCompletion
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.judge import Verdict
from tasks.operators.judge import judge as rate

P = TypeVar("P", bound=PromptCompletion)
V = TypeVar("V", int, str)


@operator
def grade(
    judge: LLM,
    rows: Rows[P],
    rubric: str,
    *,
    scale: Sequence[V],
    shots: Sequence[tuple[str, str, str, V]] = (),
    longest: int = 100,
    seed: int = 0,
) -> list[tuple[P, Answer[Verdict[V]]]]:
    """(row, verdict) for each row: a reason, then a rating out of `scale`, the likeliest.

    Args:
        judge: the model that rates.
        rows: prompts with their completions.
        rubric: the question, with `{prompt}` and `{completion}` in it.
        scale: the ratings to choose from.
        shots: (prompt, completion, reason, rating) that come before, as earlier turns. A weak judge tends to the rating
            shown last, and to what it wrote as the reason: begin reasons that differ in rating with different words.
        longest: characters of a reason.
        seed: of the sampling.
    """
    turns = [
        (rubric.format(prompt=asked, completion=said), json.dumps({"text_1": {"rationale": reason, "rating": rating}}))
        for asked, said, reason, rating in shots
    ]
    verdicts = rate(judge, rows, rubric, scale=scale, turns=turns, longest=longest, seed=seed)
    return [(row, Answer(answer.value[0], answer.call)) for row, answer in verdicts]
