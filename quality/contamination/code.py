"""Python functions in a text, whatever their names: two are the same if their syntax trees are but for names.

Docstrings, comments, annotations and decorators do not count; names of attributes and of Python's own functions do.
"""

import ast
import builtins
import hashlib
import itertools
import keyword
import re
import warnings
from collections.abc import Container, Iterator
from typing import NamedTuple

LEAST_NODES = 11
"""Nodes of the syntax tree that a function's body needs to be evidence; `return sorted(set(numbers))` has 9."""

_DEF = re.compile(r"def[ \t]+\w+[ \t]*\(")
_ASYNC = "async "
_TRIES = 4
_OPENING = 8
_NEAR = 4000
"""Characters of a function in which its opening is looked for, past a long docstring."""
_BUILTIN = frozenset(dir(builtins))
_SIGNATURE = re.compile(r"[^:]*?\((?:[^()]|\([^()]*\))*\)\s*(?:->[^:\n]*)?:")
_STRING = r"\"\"\".*?(?:\"\"\"|\Z)|'''.*?(?:'''|\Z)|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_FIXED = re.compile(
    rf"{_STRING}|#[^\n]*|(\.[A-Za-z_]\w*|\b(?:{'|'.join(sorted({*keyword.kwlist, *_BUILTIN}))})\b)", re.DOTALL
)

Opening = tuple[str, ...]


class Function(NamedTuple):
    """A function in a text: where, and the hash of its tree."""

    start: int
    end: int
    tree: int


def functions(text: str, openings: Container[Opening] | None = None) -> list[Function]:
    """The functions in a text that are large enough to be told apart, those within others too.

    With `openings`, only those that open as one of them does: that is told a hundred times as fast as a tree is made.
    """
    found: list[Function] = []
    if "def " in text:
        for match in _DEF.finditer(text):
            start = match.start() - len(_ASYNC) * text.endswith(_ASYNC, 0, match.start())
            if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
                continue
            if openings is not None:
                opens = opening(text[start : start + _NEAR])
                if not any(opens[:size] in openings for size in range(len(opens) + 1)):
                    continue
            for end in _ends(text, start):
                if (tree := _tree(text[start:end])) is not None:
                    if (key := _key(tree)) is not None:
                        found.append(Function(start, end, key))
                    break
    return found


def opening(source: str) -> Opening:
    """The first keywords, names of Python's own and attributes of a function's body, which no renaming changes."""
    begin = _SIGNATURE.match(source)
    found = _FIXED.finditer(source, begin.end() if begin else 0)
    return tuple(itertools.islice((match.group(1) for match in found if match.group(1)), _OPENING))


def _ends(text: str, start: int) -> Iterator[int]:
    """Where a function that begins at `start` may end: before a line that is indented no deeper than its first."""
    line = text.rfind("\n", 0, start) + 1
    before = text[line:start]
    depth = len(before.expandtabs()) if not before.strip() else 0
    place = text.find("\n", start)
    last, tries = start, 0
    while place >= 0:
        stop = text.find("\n", place + 1)
        row = text[place + 1 : stop if stop >= 0 else len(text)]
        if row.strip():
            if len(row.expandtabs()) - len(row.expandtabs().lstrip()) <= depth and not row.lstrip().startswith(")"):
                yield place if last == start else last
                tries += 1
                if tries == _TRIES:
                    return
            last = stop if stop >= 0 else len(text)
        place = stop
    yield len(text) if last == start else last


def _tree(source: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The tree of the function that a source begins with; prose that follows it is cut off where it is no Python."""
    for _ in range(_TRIES):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a text's escapes are its own affair
            try:
                first = ast.parse(source).body[0]
            except SyntaxError as error:
                source, before = _cut(source, error.lineno or 0, error.offset or 0), source
                if not source or source == before:
                    return None
            except (ValueError, RecursionError, MemoryError):
                return None
            else:
                return first if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else None
    return None


def _cut(source: str, line: int, column: int) -> str:
    """The source before a mistake: what stands before it on its line, unless that is all white space, and all above."""
    rows = source.splitlines()
    part = rows[line - 1][: max(column - 1, 0)] if 0 < line <= len(rows) else ""
    if part.strip() and line - 1 < len(rows) and part.rstrip() != rows[line - 1].rstrip():
        return "\n".join([*rows[: line - 1], part])
    return "\n".join(rows[: line - 1])


def _key(tree: ast.FunctionDef | ast.AsyncFunctionDef) -> int | None:
    """The hash of the tree with its names numbered, or None for one that is too small to be evidence."""
    if tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant):
        tree.body = tree.body[1:]
    if sum(1 for part in tree.body for _ in ast.walk(part)) < LEAST_NODES:
        return None
    try:
        shape = ast.dump(_Numbered().visit(tree), annotate_fields=False)
    except RecursionError:
        return None
    return int.from_bytes(hashlib.blake2b(shape.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class _Numbered(ast.NodeTransformer):
    """Replaces each name by the number of its first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def _number(self, name: str) -> str:
        return name if name in _BUILTIN else self._numbers.setdefault(name, str(len(self._numbers)))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return self.generic_visit(node)
        return self.visit(ast.Assign([node.target], node.value))

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._number(node.arg), None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._number(node.id)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        node.arg = self._numbers.get(node.arg or "", node.arg)
        return self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name, node.returns, node.decorator_list = self._number(node.name), None, []
        return self.generic_visit(node)
