"""`mathematical_pages`, `mathematical_code`, `worked_steps`: rules that tell mathematics, and draw it out of code."""

import re
from collections.abc import Mapping

from catalog.records import Code, Document
from tasks.ledger import drop, operator
from tasks.method import Rows


@operator
def mathematical_pages(rows: Rows[Document], *, least_marks: int = 3) -> list[Document]:
    """The texts with at least so many different marks of mathematics: LaTeX, formulas, and words of the subject."""
    kept: list[Document] = []
    for row in rows:
        found = {mark.lower() for mark in _MARK.findall(row.text)}
        if len(found) >= least_marks:
            kept.append(row)
        else:
            drop(row, f"it has fewer than {least_marks} marks of mathematics", ", ".join(sorted(found)))
    return kept


@operator
def mathematical_code(rows: Rows[Code], *, largest: int = 1_048_575, digits: float = 0.5) -> list[Code]:
    """The files that use mathematics, by the rules of their language.

    Args:
        rows: the files; those in a language without rules are dropped.
        largest: bytes of the largest file.
        digits: share of digits among the characters, white space apart, above which a file is data.
    """
    kept: list[Code] = []
    for row in rows:
        dense = re.sub(r"\s", "", row.code)
        size, numbers = len(row.code.encode("utf-8", "replace")), sum(map(str.isdigit, dense))
        if (uses := RULES.get(row.language.lower())) is None:
            drop(row, "there are no rules for its language", row.language)
        elif size > largest:
            drop(row, f"the file is larger than {largest} bytes", f"{size}")
        elif numbers > digits * len(dense):
            drop(row, f"more than {digits:g} of it are digits", f"{numbers} of {len(dense)} characters")
        elif not uses.search(row.code):
            drop(row, "it uses nothing mathematical")
        else:
            kept.append(row)
    return kept


@operator
def worked_steps(rows: Rows[Code]) -> list[tuple[Code, str]]:
    """(row, steps) pairs: each run of inputs to Python that a file shows, with what came of them (doctest's form).

    A run ends at a blank line; one in which nothing came of anything is left out, as what it shows is no step.
    """
    pairs: list[tuple[Code, str]] = []
    for row in rows:
        for margin, run in _SESSION.findall(row.code):
            steps = re.sub(f"^{margin}", "", run, flags=re.MULTILINE)
            if re.search(r"^(?!>>>|\.\.\.)", steps, re.MULTILINE):
                pairs.append((row, steps))
    return pairs


RULES: Mapping[str, re.Pattern[str]] = {
    language: re.compile(pattern, re.MULTILINE)
    for language, pattern in {
        "python": r"^\s*(?:import|from)\s+(?:c?math|numpy|scipy|sympy|mpmath|statistics|fractions|networkx|sklearn)\b",
        "c": r"#include\s*[<\"](?:gsl|fftw3|cblas|lapacke|gmp|flint|math\.h)",
        "c++": r"#include\s*[<\"](?:Eigen|armadillo|boost/math|gsl|fftw3|NTL|cmath)",
        "fortran": r"^\s*(?:subroutine|program)\b[\s\S]*\b(?:matmul|dot_product|dgemm|dgesv|sqrt|exp)\b",
        "julia": r"\busing (?:LinearAlgebra|Statistics|Symbolics|DifferentialEquations|Distributions)\b",
        "r": r"\b(?:library|require)\((?:MASS|Matrix|stats|deSolve|numDeriv)\)|\bmatrix\(",
        "haskell": r"^import\s+(?:qualified\s+)?(?:Numeric|Math|Data\.(?:Matrix|Complex|Ratio))\b",
        "tex": r"\\begin\{(?:theorem|lemma|proof|proposition|equation|align)\*?\}",
        "lean": r"\b(?:theorem|lemma|example)\b",
        "coq": r"\b(?:Theorem|Lemma|Proof)\b",
        "isabelle": r"\b(?:theorem|lemma|proof)\b",
        "agda": r"^\s*(?:open import|module)\b",
    }.items()
}
"""Language → what a file of mathematics imports or declares."""

_MARK = re.compile(
    r"\\[a-z]{2,}|\$[^$\n]{2,80}\$|:math:`|\b(?:theorem|lemma|proof|proves?|integers?|primes?|polynomials?|matri(?:x|ces)"
    r"|vectors?|integrals?|derivatives?|equations?|series|converges?|bijecti\w+|permutations?|probability|variance"
    r"|distribution|modulo|subsets?|finite|infinit[ey]|coefficients?|eigen\w+|logarithm\w*|sequences?|tangent)\b",
    re.IGNORECASE,
)
_SESSION = re.compile(r"^([ \t]*)(>>> .+(?:\n\1(?=\S)(?!\"\"\"|\'\'\').*)*)", re.MULTILINE)
