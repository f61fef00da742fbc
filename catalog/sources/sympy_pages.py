"""Reference pages about mathematics: what sympy says of its classes and functions, a page each."""

from collections.abc import Iterator

from catalog.records import Document
from catalog.sources import source
from catalog.sources._packages import files, pages
from catalog.sources._sympy import FOLDERS, LICENCE, PACKAGE, PART

_CHARACTERS = 300
"""Of the shortest page: less is a remark."""


@source(table="raw.math_pages", licence=LICENCE, package=PACKAGE, part=PART)
def sympy_pages() -> Iterator[tuple[Document, str]]:
    """Pages with formulas, definitions and worked examples, beside some that say only how to call a function."""
    for file in files(PACKAGE, "sympy", *FOLDERS):
        for page in pages(file):
            if len(page.text) >= _CHARACTERS:
                yield Document(text=page.text, title=page.name), page.place
