"""`functions`: the functions in sources that can be run by themselves (operators.md 9, unit: AST functions)."""

import ast
import builtins
import symtable
from collections.abc import Iterator

from catalog.records import Code
from tasks.ledger import drop, operator
from tasks.method import Rows

PURE = frozenset(
    [
        *("base64", "binascii", "bisect", "calendar", "cmath", "collections", "copy", "datetime", "decimal", "difflib"),
        *("enum", "fractions", "functools", "heapq", "html", "itertools", "json", "math", "numbers", "operator", "re"),
        *("statistics", "string", "struct", "textwrap", "typing", "unicodedata", "zlib"),
    ]
)
"""Modules whose functions give the same value for the same arguments, and touch nothing."""
_REACHING = frozenset(
    [
        *("__build_class__", "__import__", "breakpoint", "compile", "copyright", "credits", "delattr", "dir", "eval"),
        *("exec", "exit", "getattr", "globals", "help", "id", "input", "license", "locals", "open", "print", "quit"),
        *("setattr", "vars"),
    ]
)
_BUILTINS = frozenset(dir(builtins)) - _REACHING


@operator
def functions(rows: Rows[Code], *, longest: int = 2000) -> list[Code]:
    """The functions at the top level of the sources that stand alone, without their docstrings; the others are dropped.

    One stands alone that takes arguments, returns a value, and uses no name but its own, those of builtins that reach
    nothing outside, and of `PURE` modules that it imports itself. `longest` is in characters.
    """
    found: list[Code] = []
    for row in rows:
        try:
            tree = ast.parse(row.code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            drop(row, "the source does not parse")
            continue
        defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        if not defined:
            drop(row, "there is no function in it")
        for node in defined:
            if reason := _fault(node):
                drop(row, reason, node.name)
                continue
            made = Code(code=_bare(node), name=node.name, language="python", origin=(row,))
            if len(made.code) > longest:
                drop(row, f"the function is longer than {longest} characters", node.name)
            else:
                found.append(made)
    return found


def _fault(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Why a function cannot be run by itself, or nothing."""
    inside = list(_own(node))
    given = node.args.posonlyargs + node.args.args
    if isinstance(node, ast.AsyncFunctionDef) or any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inside):
        return "it is a generator or a coroutine"
    if node.decorator_list:
        return "it has decorators"
    if not given or given[0].arg in {"self", "cls", "mcs"} or node.args.vararg or node.args.kwarg:
        return "it does not take arguments of a fixed number"
    if not any(isinstance(part, ast.Return) and not _is_none(part.value) for part in inside):
        return "it returns no value"
    if unknown := _free(node):
        return f"it uses what is not in it: {unknown[0]}"
    return ""


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own(child)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _free(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names that a function takes from outside and that are neither its own nor harmless, in alphabetical order."""
    table = symtable.symtable(ast.unparse(node), "function", "exec")
    defaults = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    names = defaults.union(*map(_globals, table.get_children())) - _BUILTINS - {node.name}
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            names |= {name.name for name in part.names if name.name.partition(".")[0] not in PURE}
        elif isinstance(part, ast.ImportFrom) and (part.level or (part.module or "").partition(".")[0] not in PURE):
            names.add(part.module or ".")
        elif isinstance(part, ast.Global):
            names |= set(part.names)
        elif isinstance(part, ast.Attribute) and part.attr.startswith("__"):
            names.add(part.attr)
    return sorted(names)


def _globals(table: symtable.SymbolTable) -> set[str]:
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return own.union(*(_globals(inner) for inner in table.get_children()))


def _bare(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The function's code without docstring: what it does is to be found out from its cases."""
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(node)
