"""Library classification: what a docstring of the standard library says, with the package it is from."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import PYTHON, source
from catalog.sources._sampling import spread
from catalog.sources._stdlib import Function, functions

_PACKAGES = (
    *("asyncio", "datetime", "email", "http", "ipaddress", "logging", "mailbox", "multiprocessing"),
    *("pathlib", "tarfile", "tkinter", "unittest", "urllib", "xml"),
)
_ROWS = 40
"""At most, of one package: tkinter alone has 600."""
_WORDS = range(5, 60)


@source(table="raw.labelled_texts", licence="PSF-2.0", package=PYTHON, part="standard library")
def python_packages() -> Iterator[tuple[Labelled, str]]:
    """Fourteen classes; the first paragraph of docstrings that do not name their package."""
    for package in _PACKAGES:
        found = [(text, at) for at in functions() if at.package == package and (text := _says(at))]
        for text, at in spread(found, _ROWS):
            yield Labelled(text=text, label=package, dataset="python package"), at.place


def _says(function: Function) -> str:
    words = function.doc.partition("\n\n")[0].split()
    text = " ".join(words)
    return text if len(words) in _WORDS and function.package not in text.lower() else ""
