"""`verify` and `verify_tests`: keep the solutions that are seen to be right (operators.md 14).

By kind of answer: mathematics with `same_answer`, the rest with what stands in `compare`, code by its unit tests.
"""

import ast
import builtins
import re
from collections.abc import Callable
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.answers import final_answer, same_answer
from tasks.operators.execute import run_each
from tasks.sandbox import Bounds, Program, Sandbox

R = TypeVar("R", bound=Record)

_FENCE = re.compile(r"```[ \t]*(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
_PASSED = "'passed'"


@operator
def verify(
    rows: Rows[tuple[R, Answer[str]]],
    truth: Callable[[R], str],
    *,
    stated: Callable[[str], str] = final_answer,
    same: Callable[[str, str], bool] = same_answer,
) -> list[tuple[R, Answer[str]]]:
    """The (row, solution) pairs whose solution states the answer `truth` gives for its row; the others are dropped.

    Args:
        rows: the pairs.
        truth: the right answer of a row.
        stated: what a solution states as its answer; nothing where it states none.
        same: whether what is stated (first) is the right answer (second); of `answers` or `compare`.
    """
    right: list[tuple[R, Answer[str]]] = []
    for row, answer in rows:
        said, wanted = stated(answer.value), truth(row)
        if not said:
            drop(row, "the solution states no answer", answer.value[:500])
        elif not same(said, wanted):
            drop(row, "the solution's answer is wrong", f"{said[:200]} was stated, {wanted[:200]} is right")
        else:
            right.append((row, answer))
    return right


@operator
def verify_tests(
    sandbox: Sandbox,
    rows: Rows[tuple[R, Answer[str]]],
    tests: Callable[[R], str],
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> list[tuple[R, Answer[str]]]:
    """The (row, code) pairs whose code runs to its end and passes the `tests` of its row; the others are dropped.

    Tests are Python that raises where the code before it is wrong. Code that leaves early has not passed.
    """
    programs = [Program(code=f"{answer.value}\n\n{tests(row)}\n", result=_PASSED) for row, answer in rows]
    passed: list[tuple[R, Answer[str]]] = []
    for (row, answer), ran in zip(rows, run_each(sandbox, programs, bounds), strict=True):
        if ran.ok and ran.result == _PASSED:
            passed.append((row, answer))
        else:
            drop(row, f"the code fails its tests: {ran.status}", f"{ran.error}\n{answer.value[:500]}")
    return passed


def parses(code: str) -> bool:
    """Whether a text is Python code with at least one statement that does something."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    idle = (ast.Constant, ast.Name)
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, idle)) for node in tree.body)


def fault_of_tests(tests: str) -> str:
    """Why unit tests of a function tell right code from wrong too badly, or nothing.

    Each statement is to be an assert, all are to call one function that is no builtin, and not all to expect the same.
    """
    try:
        statements = ast.parse(tests).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "the tests do not parse"
    asserts = [each for each in statements if isinstance(each, ast.Assert)]
    if not asserts or len(asserts) < len(statements):
        return "the tests are not asserts alone"
    called = [{*map(_called, ast.walk(each.test))} - {""} for each in asserts]
    if not set.intersection(*called) - {*dir(builtins)}:
        return "the tests do not call one function"
    wanted = {ast.dump(_wanted(each.test)) for each in asserts}
    return "the tests all expect the same" if len(wanted) == 1 and len(asserts) > 1 else ""


def _called(node: ast.AST) -> str:
    """The name that is called there, if there is one."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _wanted(test: ast.expr) -> ast.expr:
    """What an assert compares with, or whether it asks for truth or for none of it."""
    if isinstance(test, ast.Compare):
        return test.comparators[-1]
    return ast.Constant(value=not isinstance(test, ast.UnaryOp))


def read_code(text: str) -> str:
    """The Python code in an answer: what stands in its first fence, or the whole of it.

    Raises:
        ValueError: where it does not parse or does nothing.
    """
    fenced = _FENCE.search(text)
    code = (fenced[1] if fenced else text).strip("\n").rstrip()
    if not parses(code):
        raise ValueError("there is no Python code in the answer that parses")
    return code
