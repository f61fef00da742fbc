"""`pre_query`: an aligned model, given only the opening of a user's turn, writes the turn (operators.md 2)."""

from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.complete import complete
from tasks.operators.generate import Prompting
from tasks.operators.rewrite import looped

R = TypeVar("R", bound=Record)


@operator
def pre_query(
    llm: LLM,
    rows: Rows[R],
    opening: "Prompting[R]",
    *,
    n: int = 1,
    stop: tuple[str, ...] = (),
    max_tokens: int = 128,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, turn) pairs: n turns after the opening of each row, whole ones only.

    Args:
        llm: the model; its endpoint must serve raw completions and read the marks of its chat template.
        rows: what to open a turn for.
        opening: all that stands before the turn, the marks of the template included.
        n: turns for each row.
        stop: texts that end a turn, beside the token that ends it.
        max_tokens: the longest turn.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        seed: of the sampling.

    Turns that are cut, have fewer than three words, end in a colon or run in a circle are dropped.
    """
    pairs: list[tuple[R, Answer[str]]] = []
    for row, turn in complete(
        llm, rows, opening, n=n, stop=stop, max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed
    ):
        if turn.finish_reason == "length":
            drop(row, "the turn is cut", turn.value[-200:])
        elif len(turn.value.split()) < 3:
            drop(row, "the turn has fewer than three words", turn.value)
        elif turn.value.endswith(":"):
            drop(row, "the turn ends before what it announces", turn.value[-200:])
        elif looped(turn.value):
            drop(row, "the turn runs in a circle", turn.value[:200])
        else:
            pairs.append((row, turn))
    return pairs
