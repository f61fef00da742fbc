"""WRAP: rephrase documents in four styles and mix the rephrases with the real text, one to one.

Maini et al., 2024, https://arxiv.org/abs/2401.16380

Departs from the paper:
- A chunk is rephrased in `styles_each` styles drawn for it, so that one table holds all four; the paper makes a corpus
  for each style and mixes some of them.
- Tokens are estimated without a model's tokenizer, for the length of a chunk and for the mix. Real text stands beside
  its own rephrases: the mix is one to one over the whole table, in expectation, and a chunk without one is left out.
- Answers that are blank, copies, far from the length of their chunk, mostly in foreign words, looped or about the task
  are dropped; the paper takes what its stronger model writes.
- The prompts are our own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.records import Document
from quality.expectations import distinct_together, not_blank, one_of
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.extract import chunk
from tasks.operators.filter import keep
from tasks.operators.mix import mix_each
from tasks.operators.rewrite import rewrite
from tasks.operators.sample import dice

REAL = "real"
"""The style of a chunk as it stands in its document."""


@dataclass(frozen=True, kw_only=True)
class Rephrased(Document):
    """A chunk of a document, real or rephrased in a style."""

    style: str


@method(
    paper=Paper(
        "Rephrasing the Web: A Recipe for Compute and Data-Efficient Language Modeling",
        "Maini et al.",
        2024,
        arxiv="2401.16380",
    ),
    categories=["data-augmentation:reformation", "model-self-improvement"],
    reads={"documents": "raw.documents"},
    expects=[
        not_blank("text"),
        one_of("style", ["real", "easy", "medium", "hard", "qa"]),
        distinct_together("text", "style"),
    ],
)
def wrap(
    documents: Partition[Document],
    llm: LLM,
    *,
    max_tokens: int = 300,
    styles_each: int = 1,
    synthetic_per_real: float = 1.0,
    temperature: float = 0.7,
    seed: int = 0,
) -> Rows[Rephrased]:
    """Chunks and rephrases of chunks, with `synthetic_per_real` tokens of the second for each of the first."""
    chunks = chunk(documents, max_tokens=max_tokens)
    synthetic: dict[str, list[Rephrased]] = {row.record_id: [] for row in chunks}
    drawn = {row.record_id: _styles(row, styles_each, seed) for row in chunks}
    ask: dict[str, Any] = {"system": SYSTEM, "temperature": temperature, "seed": seed}
    made = [
        Rephrased(text=answer.value, title=row.title, style=style, origin=(row, answer))
        for row, style, answer in rewrite(llm, chunks, STYLES, of=lambda row: drawn[row.record_id], **ask)
    ]
    for row in keep(made, _fault):
        synthetic[row.parents[0]].append(row)
    real = [(Rephrased(text=row.text, title=row.title, style=REAL, origin=(row,)), row.record_id) for row in chunks]
    pairs = [(row, synthetic[chunk_id]) for row, chunk_id in real]
    return mix_each(pairs, text=lambda row: row.text, ratio=synthetic_per_real, seed=seed)


def _styles(row: Document, count: int, seed: int) -> list[str]:
    """The styles in which a chunk is rephrased."""
    return dice(seed, row.record_id).sample(list(STYLES), min(count, len(STYLES)))


def _fault(row: Rephrased) -> str:
    asks = row.style != "qa" or re.search(r"\?\s*\W*Answer:\W*\w", row.text)
    return "" if asks else "qa: no question with its answer"


SYSTEM = "You rewrite texts. Keep every fact of the text, add nothing, and write only the new version."

STYLES: Mapping[str, str] = {
    "easy": "Rewrite this text in easy words and short sentences, so that a small child understands it.\n\n{text}",
    "medium": "Rewrite this text in clear, complete and correct sentences, as in an encyclopedia.\n\n{text}",
    "hard": "Rewrite this text in terse, scholarly prose with rare and precise words.\n\n{text}",
    "qa": 'Turn this text into questions and answers. Begin each with "Question:" or "Answer:".\n\n{text}',
}
