"""`opening`: a user's first message about a thing, as a model says it (operators.md 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Document, Labelled, Prompt
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import generate


@dataclass(frozen=True, kw_only=True)
class Opening(Prompt):
    """A user's first message, the sector of talks that it belongs to, and its topic."""

    sector: str
    topic: str


@operator
def opening(
    llm: LLM,
    rows: Rows[Labelled | Document | Opening],
    prompt: str,
    sector: str,
    *,
    turns: Sequence[tuple[str, str]] = (),
    temperature: float = 0.7,
    max_tokens: int = 64,
    seed: int = 0,
) -> list[Opening]:
    """An opening for each row: what the model says, after the row's text where that is a document to work on.

    Args:
        llm: the model, in the part of a user.
        rows: a topic, a text at hand, or an opening to say again.
        prompt: what to ask, with `{field}` placeholders for the row's fields.
        sector: of the openings.
        turns: (asked, message) pairs that show how, as earlier turns.
        temperature: of the sampling.
        max_tokens: the longest message.
        seed: of the sampling.
    """
    answers = generate(llm, rows, prompt, turns=turns, temperature=temperature, max_tokens=max_tokens, seed=seed)
    made: list[Opening] = []
    for row, answer in answers:
        topic = row.topic if isinstance(row, Opening) else row.text[:60]
        said = f"{row.text}\n\n{answer.value}" if isinstance(row, Document) else answer.value
        made.append(Opening(prompt=said, sector=sector, topic=topic, origin=(row, answer)))
    return made
