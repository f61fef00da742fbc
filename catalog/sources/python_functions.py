"""Documented functions and methods of Python's standard library, of a size that one can take in at a glance."""

from collections.abc import Iterator

from catalog.records import Code
from catalog.sources import PYTHON, source
from catalog.sources._stdlib import functions

_LINES = range(5, 81)


@source(table="raw.functions", licence="PSF-2.0", package=PYTHON, part="standard library")
def python_functions() -> Iterator[tuple[Code, str]]:
    """Functions of 5 to 80 lines, docstring included."""
    for found in functions():
        if found.code.count("\n") in _LINES:
            yield Code(code=found.code, name=found.name), found.place
