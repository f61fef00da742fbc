"""`listwise`: a judge rates all answers of a row together, in an order drawn for it (operators.md 12, listwise)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Answer, Record, content
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.judge import Verdict, judge
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)
V = TypeVar("V", int, str)


@operator
def listwise(
    judge_of: LLM,
    rows: Rows[R],
    answers: Callable[[R], Sequence[str]],
    rubric: str,
    *,
    scale: Sequence[V],
    aspect: str = "",
    longest: int = 100,
    seed: int = 0,
) -> list[tuple[R, Answer[list[Verdict[V]]]]]:
    """(row, verdicts) pairs: one verdict on each of a row's answers, in the order in which the row has them.

    Args:
        judge_of: the model that rates.
        rows: what the answers are to.
        answers: those of a row.
        rubric: the question, with `{field}` placeholders for the row's fields, and `{texts}` for the answers.
        scale: the ratings to choose from.
        aspect: what is rated. The order of showing is drawn anew for each, so that a bias for a place averages out.
        longest: characters of one rationale.
        seed: of the draw and the sampling.
    """
    orders = {row.record_id: _order(row, len(answers(row)), aspect, seed) for row in rows}

    def ask(row: R) -> str:
        said = answers(row)
        shown = (f"Text {number}:\n{said[place]}" for number, place in enumerate(orders[row.record_id], 1))
        return rubric.format_map({**content(row), "texts": "\n\n".join(shown)})

    def count(row: R) -> int:
        return len(orders[row.record_id])

    rated = judge(judge_of, rows, ask, scale=scale, of=count, longest=longest, seed=seed)
    return [(row, Answer(_in_place(orders[row.record_id], answer.value), answer.call)) for row, answer in rated]


def _order(row: Record, count: int, aspect: str, seed: int) -> list[int]:
    return dice(seed, aspect, row.record_id).sample(range(count), count)


def _in_place(order: Sequence[int], verdicts: Sequence[Verdict[V]]) -> list[Verdict[V]]:
    back = dict(zip(order, verdicts, strict=True))
    return [back[place] for place in range(len(back))]
