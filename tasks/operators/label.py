"""`label`: a model puts each row into one of several classes (operators.md 11)."""

import json
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import create_model

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, fill, generate

R = TypeVar("R", bound=Record)


@operator
def label(
    llm: LLM,
    rows: Rows[R],
    question: str,
    labels: Sequence[str],
    text: "Prompting[R]",
    *,
    demos: Sequence[tuple[str, str]] = (),
    temperature: float = 0.0,
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, label) pairs: `question` is asked of the `text` of each row, and one of `labels` is the answer.

    Args:
        llm: the model.
        rows: what to label.
        question: what the labels answer.
        labels: the answers to choose from.
        text: what of a row is shown.
        demos: (text, label) pairs that show how, as earlier turns.
        temperature: of the sampling; 0 takes the likeliest label.
        seed: of the sampling.
    """
    choice: Any = Literal[tuple(labels)]
    wanted = create_model("Labelled", label=choice)
    names = " or ".join(f'"{name}"' for name in labels)

    def ask(shown: str) -> str:
        return ASK.format(question=question, labels=names, text=shown)

    def prompt(row: R) -> str:
        return ask(fill(text, row))

    turns = [(ask(shown), json.dumps({"label": its})) for shown, its in demos]
    longest = max(len(name) for name in labels) + 24  # a token is at least a character
    answers = generate(
        llm, rows, prompt, turns=turns, schema=wanted, temperature=temperature, max_tokens=longest, seed=seed
    )
    chosen: list[tuple[R, Any, str]] = [(row, answer.value, answer.call) for row, answer in answers]
    return [(row, Answer(value.label, call)) for row, value, call in chosen]


ASK = """{text}

{question} Reply with {labels}, in JSON as the "label"."""
