"""`episodes`: for a row to classify, as many examples of its class as of others (operators.md 1, stratified)."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from catalog.records import Labelled
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.program import program
from tasks.operators.sample import sample

T = TypeVar("T")

Classes = Mapping[str, Sequence[Labelled]]
"""Rows of one dataset, by label."""
Show = Callable[[Labelled, Sequence[Labelled], Random], T]
"""What is made of a query and its examples."""


@operator
def episodes(
    rows: Rows[Labelled],
    show: Show[T],
    n: int,
    *,
    shots: tuple[int, int] = (2, 10),
    most: int = 4,
    seed: int = 0,
) -> list[tuple[Labelled, Sequence[Labelled], T]]:
    """(query, examples, value) for `n` queries, the datasets in turn; in every full round each row is one once.

    Args:
        rows: distinct texts; a text is no example beside itself.
        show: makes the value of a query and its examples, which are of its dataset, with numbers of its own.
        n: how many.
        shots: examples of each class, at least and at most; every class shows the same number.
        most: classes among the examples of a query, its own with them.
        seed: of the draws.

    A row that cannot be a query, since its class or every other has too few texts to show, is dropped.
    """
    classes = _by_class(rows)
    usable: list[Labelled] = []
    for row in rows:
        if reason := _fault(row, classes[row.dataset], shots[0]):
            drop(row, reason)
        else:
            usable.append(row)

    def play(query: Labelled, draw: Random) -> tuple[Sequence[Labelled], T]:
        examples = _examples(query, classes[query.dataset], draw, shots, most)
        return examples, show(query, examples, draw)

    made: list[tuple[Labelled, Sequence[Labelled], T]] = []
    rounds, rest = divmod(n, max(1, len(usable)))
    for turn in range(rounds + 1):
        queries = sample(usable, len(usable) if turn < rounds else rest, by=lambda row: row.dataset, seed=seed)
        made += [(query, *played) for query, played in program(queries, play, seed=seed + turn * 1_000_003)]
    return made


def _by_class(rows: Sequence[Labelled]) -> Mapping[str, Classes]:
    classes: dict[str, dict[str, list[Labelled]]] = {}
    for row in rows:
        classes.setdefault(row.dataset, {}).setdefault(row.label, []).append(row)
    return classes


def _fault(row: Labelled, classes: Classes, shots: int) -> str:
    """Why a row cannot be the query: its class and one other must show `shots` other texts."""
    if len(_others(row, classes[row.label])) < shots:
        return f"its class has fewer than {shots} other texts"
    if not any(len(rows) >= shots for label, rows in classes.items() if label != row.label):
        return f"its dataset has no other class with {shots} texts"
    return ""


def _examples(query: Labelled, classes: Classes, draw: Random, shots: tuple[int, int], most: int) -> list[Labelled]:
    found = {label: _others(query, rows) for label, rows in classes.items()}
    rivals = sorted(label for label, rows in found.items() if label != query.label and len(rows) >= shots[0])
    chosen = [query.label, *draw.sample(rivals, min(len(rivals), most - 1))]
    count = min(draw.randint(*shots), *(len(found[label]) for label in chosen))
    examples = [row for label in chosen for row in draw.sample(found[label], count)]
    draw.shuffle(examples)
    return examples


def _others(query: Labelled, rows: Sequence[Labelled]) -> list[Labelled]:
    return [row for row in rows if row.text != query.text]
