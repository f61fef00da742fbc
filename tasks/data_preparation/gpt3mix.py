"""GPT3Mix: a language model mixes a few labelled texts into a new one, and its own doubt becomes the soft label.

Yoo et al., 2021, https://arxiv.org/abs/2104.08826

Departs from the paper:
- The label that the model writes ends its text and is not used: the label words are weighed in a request of their own,
  since many endpoints give few of the probabilities of a sampled answer.
- Texts that nearly repeat a real text or another new one are dropped: they would add nothing.
- `rows` texts are made in all, not ten for each real one. Training on both is left to the reader of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from catalog.records import Document, Labelled
from quality.expectations import between, not_blank, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.complete import complete
from tasks.operators.dedup import dedup_near
from tasks.operators.sample import dice
from tasks.operators.weigh import weigh


@dataclass(frozen=True, kw_only=True)
class Mixture(Document):
    """A new text, blank before it is written; `prefix` is what the model goes on from: task, examples, the text."""

    prefix: str


@dataclass(frozen=True, kw_only=True)
class Soft(Labelled):
    """A new text; `probabilities` are those of `labels`, after what the model put `elsewhere` is left out."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    elsewhere: float


@method(
    paper=Paper(
        "GPT3Mix: Leveraging Large-scale Language Models for Text Augmentation", "Yoo et al.", 2021, "2104.08826"
    ),
    categories=["data-augmentation:reformation"],
    reads={"labelled": "raw.sentiments"},
    expects=[not_blank("text"), unique("text"), between("elsewhere", 0, 1)],
)
def gpt3mix(
    labelled: Rows[Labelled],
    llm: LLM,
    *,
    rows: int = 100,
    examples: int = 2,
    text_type: str = "review",
    label_type: str = "sentiment",
    temperature: float = 1.0,
    max_tokens: int = 60,
    seed: int = 0,
) -> Rows[Soft]:
    """Draw examples, let the model write another text of their kind, and weigh the label words for it."""
    labels = sorted({row.label for row in labelled})
    task = TASK.format(text_type=text_type, label_type=label_type, labels=", ".join(labels))
    item = ITEM.format(text_type=text_type.capitalize(), label_type=label_type)
    begun = [begin(labelled, examples, task, item, dice(seed, "mixture", n)) for n in range(rows if labels else 0)]
    ask: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "stop": ("\n",), "seed": seed}
    written = [
        Mixture(text=said.value, prefix=f"{row.prefix} {said.value} ({label_type}:", origin=(row, said))
        for row, said in complete(llm, begun, "{prefix}", parse=partial(read_item, mark=f"({label_type}:"), **ask)
    ]
    new = dedup_near(written, lambda row: row.text, pool=[row.text for row in labelled])

    made: list[Soft] = []
    for row, answer in weigh(llm, new, "{prefix}", labels, raw=True, seed=seed):
        found = answer.value
        weights: dict[str, Any] = {"labels": tuple(found.of), "probabilities": tuple(found.of.values())}
        made.append(Soft(text=row.text, label=found.best, **weights, elsewhere=found.elsewhere, origin=(row, answer)))
    return made


def begin(labelled: Sequence[Labelled], examples: int, task: str, item: str, draw: Random) -> Mixture:
    """The beginning of a list: the task, examples that are drawn, and where the new text goes."""
    shown = draw.sample(labelled, min(examples, len(labelled)))
    listed = "".join(item.format(text=" ".join(row.text.split()), label=row.label) for row in shown)
    return Mixture(text="", prefix=task + listed + item.partition(" {text}")[0], origin=shown)


def read_item(text: str, mark: str) -> str:
    """The text before its label; raises ValueError, saying why, where there is none."""
    said, label, _ = text.partition(mark)
    if not (label and said.strip()):
        raise ValueError("the item is no text with a label behind it")
    return said.strip()


TASK = "Each line of this list is a {text_type} with its {label_type} in brackets, one of: {labels}.\n\n"
ITEM = "{text_type}: {{text}} ({label_type}: {{label}})\n"
