"""`complete`: let a model go on from a raw text, without its chat template (operators.md 2, pre-query mode)."""

from collections.abc import Callable
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM, Request
from tasks.method import Rows
from tasks.operators.generate import Prompting, ask_each, fill, read_text

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@operator
def complete(
    llm: LLM,
    rows: Rows[R],
    prefix: "Prompting[R]",
    *,
    parse: Callable[[str], T] = read_text,
    n: int = 1,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    stop: tuple[str, ...] = (),
    logprobs: int | None = None,
    seed: int = 0,
) -> list[tuple[R, Answer[T]]]:
    """What follows `prefix` for each row, n times; returns (row, answer) pairs in the rows' order.

    Args:
        llm: the model; its endpoint must serve raw completions.
        rows: what to go on from.
        prefix: the text before, with `{field}` placeholders, or a function of the row.
        parse: makes the answer's value of the text; raises ValueError, saying why, to have it asked again.
        n: answers for each row.
        temperature: of the sampling; 0 is greedy.
        top_p: share of the probability mass to sample from (nucleus).
        max_tokens: the longest answer.
        stop: texts at which an answer ends.
        logprobs: keep each token's log-probability, and those of so many others in its place, in `Answer.tokens`.
        seed: of the sampling.

    A row whose request fails in the end is dropped with the failure's reason.
    """

    def request(row: R) -> Request:
        return Request(
            prefix=fill(prefix, row),
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            stop=stop,
            logprobs=logprobs,
        )

    return ask_each(llm, rows, request, parse, n=n, seed=seed)
