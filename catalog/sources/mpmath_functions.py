"""Mathematical exposition with LaTeX and references: what mpmath says of special functions, an article each."""

import ast
from collections.abc import Iterator
from inspect import cleandoc

from catalog.records import Document
from catalog.sources import folder_of, source

_PACKAGE = "mpmath"
_CHARACTERS = 300
"""Of the shortest article: less is a reference to another one."""


@source(table="raw.math_papers", licence="BSD-3-Clause", package=_PACKAGE, part="function_docs")
def mpmath_functions() -> Iterator[tuple[Document, str]]:
    """Definitions, identities and worked evaluations, from the factorial to hypergeometric functions."""
    file = folder_of(_PACKAGE, "mpmath") / "function_docs.py"
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if len(text) >= _CHARACTERS:
                    yield Document(text=cleandoc(text), title=name), f"{file.name}:{node.lineno}"
            case _:
                pass
