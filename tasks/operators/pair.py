"""`pair`: two of a row's rated answers, the better and a worse one (operators.md 23)."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)


@operator
def pair(
    rows: Rows[tuple[R, Sequence[float]]],
    texts: Callable[[R], Sequence[str]],
    *,
    worse: Literal["any", "worst"] = "any",
    margin: float = 0.0,
    seed: int = 0,
) -> list[tuple[R, int, int]]:
    """(row, best, worse) for each (row, scores): the places of the chosen and the rejected answer.

    Args:
        rows: each row with the scores of its answers.
        texts: the answers of a row: two that say the same make no pair.
        worse: which of the lower ones is rejected, one at random or the lowest.
        margin: how much lower at least.
        seed: of the draw.

    Of several best answers the first is chosen. A row whose answers all tie is dropped.
    """
    pairs: list[tuple[R, int, int]] = []
    for row, scores in rows:
        answers = texts(row)
        best = max(range(len(scores)), key=lambda place: scores[place])
        lower = [p for p, s in enumerate(scores) if s < scores[best] and scores[best] - s >= margin]
        different = [p for p in lower if answers[p].strip() != answers[best].strip()]
        if not lower:
            drop(row, "no answer is rated below the best", f"scores {', '.join(f'{s:.2f}' for s in scores)}")
        elif not different:
            drop(row, "the answers rated differently are the same")
        elif worse == "worst":
            pairs.append((row, best, min(different, key=lambda place: scores[place])))
        else:
            pairs.append((row, best, dice(seed, row.record_id).choice(different)))
    return pairs
