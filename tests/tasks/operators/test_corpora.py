"""`blend`, `segments` and the rules that tell mathematics: what a corpus is made with."""

import pytest

from catalog.records import Code, Document
from tasks.ledger import Ledger, keep
from tasks.operators.extract import count_tokens
from tasks.operators.mathematical import RULES, mathematical_code, mathematical_pages, worked_steps
from tasks.operators.mix import blend
from tasks.operators.segments import segments

SENTENCE = "Tea is made from leaves that are steeped in hot water until it has the colour of amber or of old wood."


def many(name: str, count: int) -> list[Document]:
    return [Document(text=f"{name} {number} and some more words", title=name) for number in range(count)]


def test_shares_are_of_tokens_and_parts_without_rows_leave_the_ratio_of_the_others() -> None:
    parts = [(many("a", 300), 2.0), (many("b", 400), 4.0), ([], 3.0), (many("c", 200), 1.0)]
    blended = blend(parts, lambda row: row.text)
    tokens = {name: sum(count_tokens(row.text) for row in blended if row.title == name) for name in "abc"}
    assert tokens["a"] / tokens["c"] == pytest.approx(2, rel=0.1)
    assert tokens["b"] / tokens["c"] == pytest.approx(4, rel=0.1)
    assert tokens["b"] == sum(count_tokens(row.text) for row in parts[1][0])
    assert blend([([], 1.0)], lambda row: row.text) == []


def test_a_segment_is_whole_and_a_document_gives_so_many() -> None:
    text = f"{SENTENCE}\n\nThis is so because {SENTENCE}\n\n{SENTENCE.replace('Tea', 'Coffee')}\n\nand {SENTENCE}"
    with keep(Ledger()) as ledger:
        found = segments([Document(text=text)], max_tokens=40)
        both = segments([Document(text=text)], max_tokens=40, each=2)
    assert [row.text for row in found] == [SENTENCE]
    assert [row.text.split()[0] for row in both] == ["Tea", "Coffee"]
    assert {drop.reason for drop in ledger.drops} == {
        "the piece leans on what stands before it",
        "its document has given 1",
        "the piece does not begin and end with a sentence",
    }


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import os\nfrom sympy.core import Add\n"),
        ("Lean", "theorem two : 1 + 1 = 2 := rfl"),
        ("c++", "#include <Eigen/Dense>"),
        ("tex", r"\begin{proof} Clear. \end{proof}"),
        ("julia", "using LinearAlgebra"),
    ],
)
def test_code_is_told_by_what_it_uses_in_each_language(language: str, code: str) -> None:
    other = Code(code="print(1)", language=language)
    assert mathematical_code([Code(code=code, language=language), other])[0].code == code
    assert language.lower() in RULES


def test_marks_are_counted_once_each() -> None:
    rich = Document(text=r"A prime $p$ and $q$ with $p < q$; see the lemma.")
    poor = Document(text="prime prime prime prime prime")
    assert mathematical_pages([rich, poor], least_marks=4) == [rich]


def test_steps_are_runs_with_an_outcome() -> None:
    code = Code(code='def f():\n    """\n    >>> 1 + 1\n    2\n\n    >>> x = 3\n    """\n\n# >>> no\n')
    assert worked_steps([code]) == [(code, ">>> 1 + 1\n2")]
