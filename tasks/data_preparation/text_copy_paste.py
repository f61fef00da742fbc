"""Rule-based text augmentation: swap words of each text and paste a copy of a run of them, so that it reads anew.

Shorten et al., 2021, https://doi.org/10.1186/s40537-021-00492-0

Departs from the paper:
- The survey describes families of rules; here are the two that need neither a dictionary nor a model, and their shares
  are those that it reports to keep a text's class.
- The texts have no classes, so that nothing is said of them.
"""

from random import Random

from catalog.records import Document
from quality.expectations import not_blank, unique
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.program import program

LEAST = 4
"""Words of a text that can be edited and still be told."""


@method(
    paper=Paper(
        "Text Data Augmentation for Deep Learning",
        "Shorten et al.",
        2021,
        url="https://doi.org/10.1186/s40537-021-00492-0",
    ),
    categories=["data-augmentation:reformation", "data-augmentation:non-llm"],
    reads={"documents": "raw.documents"},
    expects=[unique("text"), not_blank("text")],
)
def text_copy_paste(
    documents: Partition[Document], *, swapped: float = 0.1, pasted: float = 0.1, copies: int = 1, seed: int = 0
) -> Rows[Document]:
    """`copies` of each text, in each a share of the words `swapped`, and a share `pasted` a second time elsewhere."""

    def edit(row: Document, draw: Random) -> str:
        words = row.text.split()
        if len(words) < LEAST:
            raise ValueError(f"the text has fewer than {LEAST} words")
        _swap(words, max(1, round(swapped * len(words))), draw)
        _paste(words, round(pasted * len(words)), draw)
        if words == row.text.split():
            raise ValueError("the draw leaves the text as it is")
        return " ".join(words)

    edited = program(documents, edit, n=copies, seed=seed)
    return [Document(text=text, title=row.title, origin=(row,)) for row, text in edited]


def _swap(words: list[str], times: int, draw: Random) -> None:
    """Let two words change places, so many times."""
    for _ in range(times):
        one, other = draw.sample(range(len(words)), 2)
        words[one], words[other] = words[other], words[one]


def _paste(words: list[str], length: int, draw: Random) -> None:
    """Put a copy of a run of so many words somewhere else."""
    start = draw.randrange(len(words) - length + 1)
    place = draw.randrange(len(words) + 1)
    words[place:place] = words[start : start + length]
