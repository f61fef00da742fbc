"""The Python files of installed packages, and the documentation in them; no code of theirs is run."""

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from catalog.sources import folder_of


class File(NamedTuple):
    """A file: its place in the package, and its text."""

    place: str
    text: str


class Page(NamedTuple):
    """The documentation of a module, class or function: its full name, the text, and where it is."""

    name: str
    text: str
    place: str


def files(package: str, module: str, *folders: str) -> Iterator[File]:
    """The files in these folders of an installed package, without its tests.

    Raises:
        Refusal: where the package is not installed.
    """
    root = folder_of(package, module)
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            if "tests" not in path.parts:
                yield File(path.relative_to(root.parent).as_posix(), path.read_text("utf-8"))


def pages(file: File) -> Iterator[Page]:
    """What a file says of itself, its classes and functions, in the order of the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = ast.parse(file.text)
    name = file.place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    yield from _pages(tree, name, file.place)


def _pages(node: ast.Module | ast.ClassDef | ast.FunctionDef, name: str, file: str) -> Iterator[Page]:
    if text := ast.get_docstring(node):
        yield Page(name, text, f"{file}:{getattr(node, 'lineno', 0)}")
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef):
            yield from _pages(inner, f"{name}.{inner.name}", file)
