"""`gate`: a model says which rows may go on (operators.md 12, binary gate)."""

from collections.abc import Sequence
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting
from tasks.operators.label import label

R = TypeVar("R", bound=Record)


@operator
def gate(
    llm: LLM,
    rows: Rows[R],
    question: str,
    labels: Sequence[str],
    text: "Prompting[R]",
    *,
    wanted: str,
    reason: str,
    demos: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, verdict) for each row that `label` puts into the class `wanted`; the others are dropped with the reason.

    `question`, `labels`, `text` and `demos` are those of `label`.
    """
    passed: list[tuple[R, Answer[str]]] = []
    for row, verdict in label(llm, rows, question, labels, text, demos=demos, seed=seed):
        if verdict.value == wanted:
            passed.append((row, verdict))
        else:
            drop(row, reason, verdict.value)
    return passed
