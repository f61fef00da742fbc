"""`judge`: a model rates what it is shown by a rubric, with a rationale for each rating (operators.md 12)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, create_model

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, generate

R = TypeVar("R", bound=Record)
V = TypeVar("V", int, str)


@dataclass(frozen=True)
class Verdict(Generic[V]):
    """A rating, and the judge's reason for it."""

    rationale: str
    rating: V


@operator
def judge(
    judge: LLM,
    rows: Rows[R],
    rubric: "Prompting[R]",
    *,
    scale: Sequence[V],
    of: Callable[[R], int] = lambda _: 1,
    turns: Sequence[tuple[str, str]] = (),
    longest: int = 160,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[tuple[R, Answer[list[Verdict[V]]]]]:
    """(row, verdicts) pairs: for each row, one verdict on each of the things that it shows, in their order.

    Args:
        judge: the model that rates.
        rows: what to rate.
        rubric: the question, with what is rated in it.
        scale: the ratings to choose from.
        of: how many things a row shows; all are rated in one answer.
        turns: (rubric, verdicts in JSON) pairs that show how, as earlier turns.
        longest: characters of one rationale: a weak model would not end, and a cut one is still well formed.
        temperature: of the sampling; 0 takes the likeliest rating.
        seed: of the sampling.
    """
    made: dict[str, Answer[list[Verdict[V]]]] = {}
    for count, group in groupby(sorted(rows, key=of), key=of):
        answers = generate(
            judge,
            list(group),
            rubric,
            turns=turns,
            schema=_verdicts(scale, count, longest),
            temperature=temperature,
            max_tokens=count * (longest // 2 + 40),
            seed=seed,
        )
        for row, answer in answers:
            ratings: list[Any] = [getattr(answer.value, name) for name in type(answer.value).model_fields]
            read = [Verdict[V](item.rationale.strip(), item.rating) for item in ratings]
            made[row.record_id] = Answer(read, answer.call)
    return [(row, made[row.record_id]) for row in rows if row.record_id in made]


def _verdicts(scale: Sequence[Any], count: int, longest: int) -> Any:
    """The answer's type: a verdict on each, by name, the reason before the rating so that it can lead to it."""
    rating: Any = Literal[tuple(scale)]
    verdict = create_model("Verdict", rationale=Annotated[str, Field(min_length=1, max_length=longest)], rating=rating)
    each: dict[str, Any] = {f"text_{number}": (verdict, ...) for number in range(1, count + 1)}
    return create_model("Verdicts", **each)
