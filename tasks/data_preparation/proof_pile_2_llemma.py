"""Proof-Pile-2: filter papers, pages and code for mathematics, draw out proof steps, and mix them two to four to one.

Azerbayev et al., 2023, https://arxiv.org/abs/2310.10631

Departs from the paper:
- The sources are what installed packages hold: expositions with LaTeX for arXiv's papers, reference pages for
  OpenWebMath, source files for the Stack. All code there is Python; the heuristics know more languages.
- A page is about mathematics by the marks in it, not by OpenWebMath's classifier; the keywords are our own.
- Steps are those of sessions with a computer algebra system, what was entered and what came of it; the paper draws the
  goals and tactics of Lean and Isabelle.
- Near duplicates and benchmark hits are removed by the screens of every table (13 words in a row, where the paper takes
  30), not here. The 5 % of general text and code in the training mixture are left out, as is the training.
"""

from dataclasses import dataclass

from catalog.records import Code, Document
from quality.expectations import not_blank, one_of, unique
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.mathematical import mathematical_code, mathematical_pages, worked_steps
from tasks.operators.mix import blend


@dataclass(frozen=True, kw_only=True)
class Mathematics(Document):
    """A text about mathematics: a paper, a web page, a file of code, or the steps of a session."""

    kind: str
    language: str = ""


@method(
    paper=Paper("Llemma: An Open Language Model For Mathematics", "Azerbayev et al.", 2023, arxiv="2310.10631"),
    categories=["data-augmentation:non-llm"],
    also=["pretraining", "sft"],
    reads={"papers": "raw.math_papers", "web": "raw.math_pages", "code": "raw.modules"},
    expects=[unique("text"), not_blank("text"), one_of("kind", ["paper", "page", "code", "steps"])],
    screens={"repetition": "off", "fluency": "off"},  # code and formulas are neither fluent nor varied
)
def proof_pile_2_llemma(
    papers: Rows[Document],
    web: Rows[Document],
    code: Rows[Code],
    *,
    ratio: tuple[float, float, float] = (2, 4, 1),
    least_marks: int = 3,
    largest: int = 1_048_575,
    digits: float = 0.5,
    seed: int = 0,
) -> Rows[Mathematics]:
    """Papers, pages with `least_marks` marks of mathematics, and code that passes its language's rules, mixed."""
    files = mathematical_code(code, largest=largest, digits=digits)
    pages = mathematical_pages(web, least_marks=least_marks)
    made = [
        *(Mathematics(kind="paper", text=row.text, title=row.title, origin=(row,)) for row in papers),
        *(Mathematics(kind="page", text=row.text, title=row.title, origin=(row,)) for row in pages),
        *(from_code("code", row, row.code) for row in files),
        *(from_code("steps", row, text) for row, text in worked_steps(files)),
    ]
    distinct = dedup(made, words, reason="its words repeat another text's")
    parts = [[row for row in distinct if row.kind in kinds] for kinds in (("paper",), ("page",), ("code", "steps"))]
    return blend(list(zip(parts, ratio, strict=True)), lambda row: row.text, seed=seed)


def from_code(kind: str, row: Code, text: str) -> Mathematics:
    """A file, or steps that it shows."""
    return Mathematics(kind=kind, text=text, title=row.name, language=row.language, origin=(row,))


def words(row: Mathematics) -> str:
    """What of a text is compared with others: neither case nor white space."""
    return " ".join(row.text.lower().split())
