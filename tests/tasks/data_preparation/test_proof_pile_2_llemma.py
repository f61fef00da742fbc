from typing import Any

import pytest

from catalog.records import Code, Document
from tasks.data_preparation.proof_pile_2_llemma import Mathematics, proof_pile_2_llemma
from tasks.ledger import Ledger, keep
from tasks.operators.extract import count_tokens

PROSE = "The theorem bounds the number of primes below an integer by a series whose coefficients form a sequence."


def paper(number: int) -> Document:
    return Document(text=f"{PROSE} Paper {number} has a proof. " * 3, title="paper")


def page(number: int) -> Document:
    return Document(text=f"Page {number}. {PROSE}")


def module(number: int) -> Code:
    return Code(code=f"import math\n\n\ndef f{number}(x):\n    return math.sqrt(x + {number})\n", name=f"m{number}.py")


STEPS = '''from sympy import factor


def example():
    """Factor.

    >>> factor(x**2 - 1)
    (x - 1)*(x + 1)
    >>> y = 2

    >>> z = 3
    """
'''


def good(prompt: str, body: dict[str, Any]) -> str:
    raise AssertionError(f"this method asks no model, yet {prompt!r} was asked with {sorted(body)}")


def promised(row: Mathematics) -> bool:
    return bool(row.text.strip()) and (row.kind in {"code", "steps"}) == bool(row.language)


def tokens(rows: list[Mathematics], *kinds: str) -> int:
    return sum(count_tokens(row.text) for row in rows if row.kind in kinds)


def test_papers_pages_and_code_are_two_to_four_to_one() -> None:
    papers, pages, modules = ([make(i) for i in range(300)] for make in (paper, page, module))
    rows = list(proof_pile_2_llemma(papers, pages, modules))
    code = tokens(rows, "code", "steps")
    assert tokens(rows, "paper") / code == pytest.approx(2, rel=0.15)
    assert tokens(rows, "page") / code == pytest.approx(4, rel=0.15)
    assert all(map(promised, rows))


def test_a_source_without_mathematics_leaves_the_ratio_of_the_others() -> None:
    rows = list(proof_pile_2_llemma([paper(i) for i in range(50)], [], [module(i) for i in range(300)]))
    assert tokens(rows, "paper") / tokens(rows, "code") == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    ("code", "language", "reason"),
    [
        ("import os\n", "python", "it uses nothing mathematical"),
        ("import math\nx = 1\n" * 20, "python", "the file is larger than 200 bytes"),
        ("import math\n" + "123456789 " * 8, "python", "more than 0.5 of it are digits"),
        ("(car x)", "lisp", "there are no rules for its language"),
        ("#include <stdio.h>", "c", "it uses nothing mathematical"),
    ],
)
def test_code_passes_the_rules_of_its_language(code: str, language: str, reason: str) -> None:
    with keep(Ledger()) as ledger:
        assert not proof_pile_2_llemma([], [], [Code(code=code, language=language)], largest=200)
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_a_page_without_marks_of_mathematics_is_dropped() -> None:
    with keep(Ledger()) as ledger:
        (row,) = proof_pile_2_llemma([], [page(1), Document(text="How to print a series of labels.")], [])
    assert row.kind == "page"
    assert [(drop.reason, drop.evidence) for drop in ledger.drops] == [
        ("it has fewer than 3 marks of mathematics", "series")
    ]


def test_steps_are_drawn_out_of_code_beside_the_file() -> None:
    rows = proof_pile_2_llemma([], [], [Code(code=STEPS, name="factor.py")])
    assert {row.kind: row.text for row in rows} == {
        "code": STEPS,
        "steps": ">>> factor(x**2 - 1)\n(x - 1)*(x + 1)\n>>> y = 2",
    }
    assert {row.title for row in rows} == {"factor.py"}


def test_what_differs_only_in_case_and_space_is_taken_once() -> None:
    with keep(Ledger()) as ledger:
        rows = proof_pile_2_llemma([paper(1), Document(text=paper(1).text.upper())], [], [])
    assert len(rows) == 1
    assert [drop.reason for drop in ledger.drops] == ["its words repeat another text's"]
