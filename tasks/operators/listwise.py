"""`listwise`: a judge rates all answers of a row together, in an order drawn for it (operators.md 12, listwise)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Record, content
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.judge import Verdict, judge
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)
V = TypeVar("V", int, str)


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """The answers of the row in a `place`, in the order in which they are shown, to be rated by one aspect."""

    prompt: str
    order: tuple[int, ...]
    place: int
    aspect: str


@operator
def listwise(
    judge_of: LLM,
    rows: Rows[R],
    answers: Callable[[R], Sequence[str]],
    rubrics: Mapping[str, str],
    *,
    scale: Sequence[V],
    longest: int = 100,
    seed: int = 0,
) -> list[tuple[R, str, Answer[list[Verdict[V]]]]]:
    """(row, aspect, verdicts): one verdict on each of a row's answers, in the order in which the row has them.

    Args:
        judge_of: the model that rates.
        rows: what the answers are to.
        answers: those of a row.
        rubrics: aspect → the question, with `{field}` placeholders for the row's fields, and `{texts}` for the answers.
            The order of showing is drawn anew for each aspect, so that a bias for a place averages out.
        scale: the ratings to choose from.
        longest: characters of one rationale.
        seed: of the draw and the sampling.
    """

    def show(place: int, row: R, aspect: str) -> Shown:
        said = answers(row)
        order = dice(seed, aspect, row.record_id).sample(range(len(said)), len(said))
        texts = "\n\n".join(f"Text {number}:\n{said[at]}" for number, at in enumerate(order, 1))
        prompt = rubrics[aspect].format_map({**content(row), "texts": texts})
        return Shown(prompt=prompt, order=tuple(order), place=place, aspect=aspect, origin=(row,))

    shown = [show(place, row, aspect) for aspect in rubrics for place, row in enumerate(rows)]
    rated = judge(
        judge_of, shown, lambda one: one.prompt, scale=scale, of=lambda one: len(one.order), longest=longest, seed=seed
    )
    return [
        (rows[one.place], one.aspect, Answer(_in_place(one.order, answer.value), answer.call)) for one, answer in rated
    ]


def _in_place(order: Sequence[int], verdicts: Sequence[Verdict[V]]) -> list[Verdict[V]]:
    back = dict(zip(order, verdicts, strict=True))
    return [back[place] for place in range(len(back))]
