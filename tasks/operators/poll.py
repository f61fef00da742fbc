"""`poll`: ask a model for a row's label in several ways: how far the answers differ tells how sure it is (op. 11)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting
from tasks.operators.label import label

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Way:
    """A question, and what each answer to it means: answer → label."""

    question: str
    meaning: Mapping[str, str]


@operator
def poll(
    llm: LLM,
    rows: Rows[R],
    ways: Sequence[Way],
    text: "Prompting[R]",
    *,
    check: Callable[[str], Way] | None = None,
    seed: int = 0,
) -> list[tuple[R, list[Answer[str]]]]:
    """(row, labels) pairs: the label that each way of asking gives, in their order.

    Args:
        llm: the model.
        rows: what to label.
        ways: how to ask, each for one of the answers that it gives a meaning.
        text: what of a row is shown.
        check: makes one more way of the label that the first one gave, such as whether that is true.
        seed: of the sampling.

    A row that lacks an answer is dropped.
    """
    found: dict[str, list[Answer[str]]] = {row.record_id: [] for row in rows}

    def ask(way: Way, of: Sequence[R]) -> None:
        for row, answer in label(llm, of, way.question, list(way.meaning), text, seed=seed):
            found[row.record_id].append(Answer(way.meaning[answer.value], answer.call))

    for way in ways:
        ask(way, rows)
    whole = [row for row in rows if len(found[row.record_id]) == len(ways)]
    if check is not None:
        first = {row.record_id: found[row.record_id][0].value for row in whole}
        for guess in dict.fromkeys(first.values()):
            ask(check(guess), [row for row in whole if first[row.record_id] == guess])
    wanted = len(ways) + (check is not None)
    pairs: list[tuple[R, list[Answer[str]]]] = []
    for row in rows:
        if len(found[row.record_id]) == wanted:
            pairs.append((row, found[row.record_id]))
        else:
            drop(row, "an answer is missing", f"{len(found[row.record_id])} of {wanted}")
    return pairs
