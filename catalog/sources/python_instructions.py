"""Instruction-code pairs: what a documented function of Python's standard library is to do, and its code."""

import ast
from collections.abc import Iterator

from catalog.records import PromptCompletion
from catalog.sources import PYTHON, source
from catalog.sources._sampling import spread
from catalog.sources._stdlib import functions

_LINES = range(2, 41)
_WORDS = range(6, 121)
_ROWS = 800
"""At most: one in six."""


@source(table="raw.code_instructions", licence="PSF-2.0", package=PYTHON, part="standard library")
def python_instructions() -> Iterator[tuple[PromptCompletion, str]]:
    """The docstring is the instruction; the code, 2 to 40 lines, is without it."""
    fit = [
        (found, code)
        for found in functions()
        if len(found.doc.split()) in _WORDS and len((code := _without_docstring(found.code)).splitlines()) in _LINES
    ]
    for found, code in spread(fit, _ROWS):
        name = found.name.rpartition(".")[2]
        prompt = f"Write a Python function `{name}` that does this:\n\n{found.doc}"
        yield PromptCompletion(prompt=prompt, completion=code), found.place


def _without_docstring(code: str) -> str:
    """A function's code; empty where the docstring is all of it."""
    (function,) = ast.parse(code).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    docstring, *rest = function.body
    lines = code.split("\n")  # as Python counts lines: a form feed ends none
    if not rest or docstring.end_lineno == rest[0].lineno:
        return ""
    return "\n".join([*lines[: docstring.lineno - 1], *lines[docstring.end_lineno :]])
