"""`compute`: call the functions that stand in rows, and keep those that return a number (operators.md 14)."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.execute import execute
from tasks.operators.verify import read_code
from tasks.sandbox import Program, Sandbox

R = TypeVar("R", bound=Record)

_NUMBER = re.compile(r"(-?\d+)(?:\.0)?|-?\d+\.\d+")


@dataclass(frozen=True)
class Function:
    """A Python function, and what its docstring says, in one line."""

    code: str
    told: str


@operator
def compute(
    sandbox: Sandbox, rows: Rows[R], code: Callable[[R], str], *, call: str = "solution()"
) -> list[tuple[R, str]]:
    """(row, number) pairs: what `call` returns once a row's code has run, as text; 18 for 18.0.

    A row whose code fails, or where the value is no finite number, is dropped.
    """
    pairs: list[tuple[R, str]] = []
    for row, ran in execute(sandbox, rows, lambda row: Program(code=code(row), result=call)):
        if found := _NUMBER.fullmatch(ran.result):
            pairs.append((row, found[1] or found[0]))
        else:
            drop(row, "the function returns no number", ran.result[:500])
    return pairs


def read_function(text: str, name: str = "solution") -> Function:
    """The function of that name in an answer, without what stands around it.

    Raises:
        ValueError: where there is none that can be called without arguments, or it has no docstring.
    """
    code = read_code(text)
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef) and node.name == name and not ast.unparse(node.args):
            told = " ".join((ast.get_docstring(node) or "").split())
            if not told:
                raise ValueError(f"the function {name} has no docstring")
            return Function(ast.get_source_segment(code, node) or code, told)
    raise ValueError(f"there is no function {name}() without arguments")
