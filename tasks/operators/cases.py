"""`inputs` and `cases`: show functions by what they return, found by running them (operators.md 2 and 14)."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from pydantic import Field, create_model

from catalog.records import Answer, Code, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.execute import run_each
from tasks.operators.generate import generate
from tasks.sandbox import Bounds, Program, Ran, Sandbox

_Whole = Annotated[int, Field(ge=-1000, le=1000)]
_Text = Annotated[str, Field(max_length=30)]
_Value = (
    bool
    | _Whole
    | _Text
    | Annotated[list[_Whole], Field(max_length=5)]
    | Annotated[list[_Text], Field(max_length=5)]
    | Annotated[dict[_Text, _Whole], Field(max_length=3)]
)
"""An argument, bounded so that a weak model ends."""


@dataclass(frozen=True, kw_only=True)
class Case(Record):
    """A call of a function, and what it returned; both are written out as Python."""

    call: str
    output: str


@operator
def inputs(
    llm: LLM,
    rows: Rows[Code],
    prompt: str,
    *,
    turns: Sequence[tuple[str, str]] = (),
    least: int = 3,
    most: int = 10,
    temperature: float = 0.7,
    seed: int = 0,
) -> list[tuple[Code, Answer[list[str]]]]:
    """(function, calls) pairs: calls of each function as a model thinks they are typical, written out as Python.

    Args:
        llm: the model.
        rows: functions, each at the start of its source.
        prompt: asks for inputs, with `{name}` and `{code}` placeholders.
        turns: (prompt, answer) pairs that show how; an answer is JSON, a list of lists of arguments under `inputs`.
        least: fewest calls.
        most: most of them.
        temperature: of the sampling.
        seed: of the sampling.

    Arguments are whole numbers, truth values, texts, and lists and dictionaries of these; a call has those that the
    function must be given.
    """
    made: dict[str, Answer[list[str]]] = {}
    for arity, group in groupby(sorted(rows, key=_arity), key=_arity):
        values: Any = Annotated[list[_Value], Field(min_length=arity, max_length=arity)]
        listed: Any = Annotated[list[values], Field(min_length=least, max_length=most)]
        wanted: Any = create_model("Inputs", inputs=(listed, ...))
        tokens = most * (8 + 12 * arity)
        ask: dict[str, Any] = {"temperature": temperature, "max_tokens": tokens, "seed": seed}
        for row, answer in generate(llm, list(group), prompt, turns=turns, schema=wanted, **ask):
            calls = [f"{row.name}({', '.join(map(repr, given))})" for given in answer.value.inputs]
            made[row.record_id] = Answer(calls, answer.call)
    return [(row, made[row.record_id]) for row in rows if row.record_id in made]


@operator
def cases(
    sandbox: Sandbox,
    rows: Rows[tuple[Code, Answer[list[str]]]],
    *,
    least: int = 3,
    longest: int = 200,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> list[tuple[Code, list[Case]]]:
    """(function, cases) pairs: the calls of each function that a model wrote, with their outputs.

    Args:
        sandbox: where the functions run, each call by itself.
        rows: functions, and calls of each; one that stands there twice is run once.
        least: fewest cases of a function.
        longest: characters of an output.
        bounds: of one call.

    Calls are dropped that fail, and whose output is too long or cannot be written out. Functions are dropped that keep
    too few cases, or always return the same.
    """
    kept: list[tuple[Code, list[Case]]] = []
    calls = [(row, answer, call) for row, answer in rows for call in dict.fromkeys(answer.value)]
    programs = [Program(code=row.code, result=call) for row, _, call in calls]
    found: dict[str, list[Case]] = {row.record_id: [] for row, _ in rows}
    for (row, answer, call), ran in zip(calls, run_each(sandbox, programs, bounds), strict=True):
        if reason := _fault(ran, longest):
            drop(row, reason, f"{call}: {ran.error or ran.result[:longest]}")
        else:
            found[row.record_id].append(Case(call=call, output=ran.result, origin=(row, answer)))
    for row, _ in rows:
        its = found.pop(row.record_id, [])
        if len(its) < least:
            drop(row, f"there are fewer than {least} cases", str(len(its)))
        elif len({case.output for case in its}) < 2:
            drop(row, "it always returns the same", its[0].output)
        else:
            kept.append((row, its))
    return kept


def _arity(row: Code) -> int:
    """How many arguments a function must be given, but one at least."""
    (node,) = (each for each in ast.parse(row.code).body[:1] if isinstance(each, ast.FunctionDef))
    return max(1, len(node.args.posonlyargs + node.args.args) - len(node.args.defaults))


def _fault(ran: Ran, longest: int) -> str:
    """Why what came of a call is no case, or nothing."""
    if not ran.ok:
        return f"the call fails: {ran.status}"
    if len(ran.result) > longest:
        return f"the output is longer than {longest} characters"
    return "" if is_literal(ran.result) else "the output cannot be written out"


def is_literal(text: str) -> bool:
    """Whether a text is a Python value that is written out: of numbers, texts, bytes, lists, tuples, dicts, sets."""
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True
