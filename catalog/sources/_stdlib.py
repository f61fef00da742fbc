"""The documented functions and methods of the standard library, read with `ast`; no module is imported."""

import ast
import sysconfig
import textwrap
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_Function = ast.FunctionDef | ast.AsyncFunctionDef

# Tests are written to be odd, the rest is not part of the library or is generated.
_LEFT_OUT = {
    *("test", "tests", "idlelib", "lib2to3", "turtledemo", "pydoc_data", "encodings", "ensurepip"),
    *("site-packages", "dist-packages", "lib-dynload", "__pycache__"),
}


@dataclass(frozen=True)
class Function:
    """A documented function: its full name, what stands in its docstring, its code and where it is."""

    module: str
    name: str
    doc: str
    code: str
    place: str

    @property
    def package(self) -> str:
        """The first part of the module's name."""
        return self.module.partition(".")[0]


@cache
def functions() -> tuple[Function, ...]:
    """Every function and method that has a docstring, in the order of files and lines."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(file.relative_to(folder) for file in folder.rglob("*.py"))
    return tuple(
        found for file in files if not _LEFT_OUT.intersection(file.parts) for found in _functions_in(folder, file)
    )


def _functions_in(folder: Path, file: Path) -> Iterator[Function]:
    with tokenize.open(folder / file) as opened:
        text = opened.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = ast.parse(text)
        lines = text.split("\n")  # as Python counts lines: a form feed ends none
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        for name, node in _defined(tree.body, module):
            doc = ast.get_docstring(node)
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            code = textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno])).strip() + "\n"
            if doc and _stands_alone(code):
                yield Function(module, name, doc, code, f"{file.as_posix()}:{first}")


def _defined(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    """Top-level functions, and methods of classes at any depth of classes."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _defined(node.body, f"{prefix}.{node.name}")
        elif isinstance(node, _Function):
            yield f"{prefix}.{node.name}", node


def _stands_alone(code: str) -> bool:
    """Whether the code parses by itself: a method with text at the left margin cannot be moved there."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True
