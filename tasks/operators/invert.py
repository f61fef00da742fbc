"""`invert`: the input from the output, such as the instruction that a text answers (operators.md 7)."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field, create_model

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, fill, generate

R = TypeVar("R", bound=Record)

_ASKS = re.compile(
    r"\?\W*$|^(?:please )?(?:write|tell|give|explain|describe|list|name|show|define|say|how|what)\b", re.IGNORECASE
)


@operator
def invert(
    llm: LLM,
    rows: Rows[R],
    output: "Prompting[R]",
    ask: str,
    *,
    shots: Sequence[tuple[str, str]] | Callable[[R], Sequence[tuple[str, str]]] = (),
    n: int = 1,
    shortest: int = 8,
    longest: int = 200,
    temperature: float = 0.7,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, input) pairs: for each row, n inputs that have the row's output for an answer.

    Args:
        llm: the model; with `shots` it stands in for a backward model, trained to go from outputs to inputs.
        rows: what holds the outputs.
        output: the output of a row.
        ask: what is asked about an output, which stands in its place `{output}`.
        shots: (input, output) pairs that show how, as earlier turns; the same for all rows, or a function of the row.
        n: inputs for each row.
        shortest: characters of the shortest input.
        longest: characters of the longest input.
        temperature: of the sampling; 0 is greedy.
        top_p: share of the probability mass to sample from.
        seed: of the sampling.
    """
    wanted: Any = create_model("Inverted", input=Annotated[str, Field(min_length=shortest, max_length=longest)])

    def turns(row: R) -> list[tuple[str, str]]:
        shown = shots(row) if callable(shots) else shots
        return [(ask.format(output=its), json.dumps({"input": asked})) for asked, its in shown]

    def prompt(row: R) -> str:
        return ask.format(output=fill(output, row))

    answers: list[tuple[R, Answer[Any]]] = generate(
        llm,
        rows,
        prompt,
        turns=turns,
        schema=wanted,
        n=n,
        temperature=temperature,
        top_p=top_p,
        max_tokens=longest,  # a token is at least a character, but for a few
        seed=seed,
    )
    return [(row, Answer(a.value.input.strip(), a.call, a.finish_reason)) for row, a in answers]


def asks(text: str) -> bool:
    """Whether a text asks for something: it ends with a question mark, or begins with a word that asks."""
    return bool(_ASKS.search(text.strip()))
