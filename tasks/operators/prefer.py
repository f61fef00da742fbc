"""`prefer`: how likely a model finds the first of two answers the better one, in both orders (operators.md 12)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.aggregate import average_orders
from tasks.operators.weigh import Weights, weigh

R = TypeVar("R", bound=Record)

VERDICTS = ("1", "2")


@operator
def prefer(
    judge: LLM,
    rows: Rows[R],
    question: Callable[[R, str, str], str],
    answers: Callable[[R], tuple[str, str]],
    *,
    system: str = "",
    turns: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> list[tuple[R, float, tuple[Answer[Weights], Answer[Weights]]]]:
    """(row, p, judgements): the probability that the first of the row's answers is the better one.

    Args:
        judge: the model that compares; its endpoint must give log-probabilities.
        rows: what to compare.
        question: of the row and its answers in the order of showing, asks for `1` or `2`.
        answers: the two answers of a row.
        system: the system's message.
        turns: (question, verdict) pairs that show how, as earlier turns.
        seed: of the sampling.

    The probability is the mean over both orders, each from the tokens of the verdict (`weigh`). A row of which the
    verdict turns with the order, or that has fewer than two, is dropped.
    """

    def as_is(row: R) -> str:
        return question(row, *answers(row))

    def swapped(row: R) -> str:
        return question(row, *reversed(answers(row)))

    first = weigh(judge, rows, as_is, VERDICTS, system=system, turns=turns, seed=seed)
    second = weigh(judge, rows, swapped, VERDICTS, system=system, turns=turns, seed=seed)
    heard = {row.record_id: answer for row, answer in first}
    again = {row.record_id: answer for row, answer in second}
    likely = average_orders(
        [(row, answer.value.of["1"]) for row, answer in first], [(row, answer.value.of["2"]) for row, answer in second]
    )
    return [(row, p, (heard[row.record_id], again[row.record_id])) for row, p in likely]
