"""`evolve` and `mask_number`: change what a row asks, by a model or by rule (operators.md 6)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, fill, generate
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)

_NUMBER = re.compile(r"(?<![\w.:)])-?\d(?:[\d,]*\d)?(?:\.\d+)?(?![\w:]|[.,]\d)")


@dataclass(frozen=True)
class Evolved:
    """A changed text, and the operation that changed it."""

    operation: str
    text: str


@operator
def evolve(
    llm: LLM,
    rows: Rows[R],
    operations: "Mapping[str, Prompting[R]]",
    *,
    parse: Callable[[str], str],
    turns: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[R, Answer[Evolved]]]:
    """(row, evolved) pairs: for each row one operation is drawn, all with equal probability, and its prompt asked.

    The draw depends on the seed and the row alone, so a row is changed the same way whatever other rows there are.
    `turns` holds for an operation (prompt, changed text) pairs that show how, as earlier turns.
    """
    names = list(operations)
    drawn = {row.record_id: dice(seed, "operation", row.record_id).choice(names) for row in rows}
    answers = generate(
        llm,
        rows,
        lambda row: fill(operations[drawn[row.record_id]], row),
        turns=lambda row: (turns or {}).get(drawn[row.record_id], ()),
        parse=parse,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
    )
    return [(row, Answer(Evolved(drawn[row.record_id], answer.value), answer.call)) for row, answer in answers]


@dataclass(frozen=True)
class Masked:
    """A text in which a letter stands for a number."""

    text: str
    number: str
    unknown: str


@operator
def mask_number(
    rows: Rows[R], text: Callable[[R], str], *, spare: Callable[[R], str] = lambda _: "", n: int = 1, seed: int = 0
) -> list[tuple[R, Masked]]:
    """(row, masked) pairs: the text of each row with one of its numbers masked, for at most n numbers drawn at random.

    The last place where `spare` stands in the text is left as it is. The unknown is x, or the first letter after it
    that the text does not use by itself. Clock times and parts of words are no numbers. A row without one is dropped.
    """
    pairs: list[tuple[R, Masked]] = []
    for row in rows:
        told, spared = text(row), spare(row)
        start = told.rfind(spared) if spared else -1
        numbers = [found for found in _NUMBER.finditer(told) if not start <= found.start() < start + len(spared)]
        if not numbers:
            drop(row, "there is no number to mask", told[:500])
        free = (letter for letter in "xyznkuvw" if not re.search(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", told))
        unknown = next(free, "X")
        for found in dice(seed, "mask", row.record_id).sample(numbers, min(n, len(numbers))):
            masked = told[: found.start()] + unknown + told[found.end() :]
            pairs.append((row, Masked(masked, found[0], unknown)))
    return pairs
