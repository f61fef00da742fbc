"""Symbol tuning: in-context classification whose labels are arbitrary symbols, so that only the examples explain them.

Wei et al., 2023, https://arxiv.org/abs/2305.08298

Departs from the paper:
- The datasets are those of `raw.labelled_texts`; the paper takes 22 public ones.
- The unrelated words are made of two everyday words each. There are as many symbols for tuning (about 30,000) but fewer
  for tests, told apart by a hash.
- A prompt shows at most `max_classes` classes, so that a dataset of many fits a context.
- The formats that show an example are our own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from catalog.records import Labelled, PromptCompletion
from quality.expectations import differ, not_blank, unique
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.episodes import episodes
from tasks.operators.symbols import symbols


@dataclass(frozen=True, kw_only=True)
class SymbolPrompt(PromptCompletion):
    """Examples with symbols for labels, then a text without; `label` is what the completion, a symbol, stands for."""

    label: str
    dataset: str


@method(
    paper=Paper(
        "Symbol tuning improves in-context learning in language models", "Wei et al.", 2023, arxiv="2305.08298"
    ),
    categories=["data-augmentation:reformation", "data-augmentation:non-llm"],
    reads={"labelled": "raw.labelled_texts"},
    expects=[unique("prompt"), not_blank("completion"), differ("completion", "label")],
    # Prompts are examples in a row, each in the same form; two may share most of theirs.
    screens={"repetition": "off", "fluency": "off", "near_duplicate": "off"},
)
def symbol_tuning(
    labelled: Rows[Labelled],
    *,
    rows: int = 1000,
    min_shots: int = 2,
    max_shots: int = 10,
    max_classes: int = 4,
    held_out: bool = False,
    seed: int = 0,
) -> Rows[SymbolPrompt]:
    """`rows` prompts, the datasets in turn; `held_out` takes the symbols that tuning never shows, for tests."""
    known = symbols(held_out=held_out)

    def verbalise(query: Labelled, examples: Sequence[Labelled], draw: Random) -> tuple[str, str]:
        labels = sorted({example.label for example in examples})
        symbol = dict(zip(labels, draw.sample(known, len(labels)), strict=True))
        return prompt(query, examples, symbol, draw.choice(FORMATS)), symbol[query.label]

    distinct = dedup(labelled, by=lambda row: (row.dataset, row.text))
    drawn = episodes(distinct, verbalise, rows, shots=(min_shots, max_shots), most=max_classes, seed=seed)
    return [
        SymbolPrompt(
            prompt=asked,
            completion=symbol,
            label=query.label,
            dataset=query.dataset,
            origin=(*examples, query),
        )
        for query, examples, (asked, symbol) in drawn
    ]


def prompt(query: Labelled, examples: Sequence[Labelled], symbol: Mapping[str, str], names: tuple[str, str]) -> str:
    """The examples with the symbols of their labels, then the query without one."""
    shown = [f"{names[0]}: {line(row.text)}\n{names[1]}: {symbol[row.label]}\n\n" for row in examples]
    return "".join(shown) + f"{names[0]}: {line(query.text)}\n{names[1]}:"


def line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


FORMATS = (
    ("Input", "Output"),
    ("Input", "Symbol"),
    ("Text", "Label"),
    ("Text", "Class"),
    ("Sentence", "Answer"),
    ("Example", "Tag"),
    ("Q", "A"),
    ("X", "Y"),
)
