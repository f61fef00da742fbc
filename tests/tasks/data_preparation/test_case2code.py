import ast
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from catalog.records import Answer, Code
from tasks.data_preparation.case2code import Induction, case2code
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.cases import Case
from tasks.sandbox import open_sandbox

SANDBOX = open_sandbox()
ADD = Code(code="def add(a, b):\n    return a + b\n")
VALUES: list[Any] = [1, 5, "a;b#1", [3, 1], "__init__", 900, ["ab", "c"], {"b": 2}]


def good(prompt: str, body: dict[str, Any]) -> str:
    """Arguments on which the function runs and differs, found as a strong model would think: by trying them."""
    code = prompt.split("\n\nThink of", maxsplit=1)[0]
    space: dict[str, Any] = {}
    exec(code, space)
    node = ast.parse(code).body[0]
    assert isinstance(node, ast.FunctionDef)
    arity = max(1, len(node.args.args + node.args.posonlyargs) - len(node.args.defaults))
    able: dict[str, list[Any]] = {}
    for given in itertools.islice(itertools.product(VALUES, repeat=arity), 600):
        try:
            able.setdefault(repr(space[node.name](*given)), list(given))
        except Exception:  # noqa: BLE001 - whatever arguments do not suit
            continue
    return json.dumps({"inputs": (list(able.values()) + [[0] * arity] * 3)[:10]})


def promised(row: Induction) -> bool:
    """Whether the function gives every case that the prompt shows, and not one value for all."""
    space: dict[str, Any] = {}
    exec(row.completion, space)
    outputs = {case.partition(" == ")[2] for case in row.cases}
    return all(case in row.prompt and eval(case, space) for case in row.cases) and len(outputs) > 1


def answering(**inputs: list[list[Any]]) -> Callable[[str, dict[str, Any]], str]:
    """A model that has these inputs for these functions."""
    return lambda prompt, body: json.dumps({"inputs": inputs[re.findall(r"def (\w+)", prompt)[0]]})


def test_a_task_shows_what_the_function_returned_and_asks_for_it(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = case2code([ADD], scripted_llm(answering(add=[[1, 2], [[1], [2]], ["a", "b"]])), SANDBOX)
    assert row.cases == ("add(1, 2) == 3", "add([1], [2]) == [1, 2]", "add('a', 'b') == 'ab'")
    assert "\n".join(row.cases) in row.prompt
    assert "`add`" in row.prompt
    assert row.completion == ADD.code.strip()
    assert promised(row)
    first = row.origin[0]
    assert isinstance(first, Case)
    function, answer = first.origin
    assert isinstance(function, Code)
    assert function.parents == (ADD.record_id,)
    assert isinstance(answer, Answer)


def test_inputs_that_fail_or_whose_output_cannot_be_shown_are_left_out(scripted_llm: Callable[..., LLM]) -> None:
    odd = Code(code="def odd(n):\n    while n == 9:\n        pass\n    return [n] * n if n else (lambda: 1)\n")
    llm = scripted_llm(answering(odd=[[1], [1], ["a"], [9], [0], [500], [2], [3]]))
    with keep(Ledger()) as ledger:
        (row,) = case2code([odd], llm, SANDBOX, seconds=2.0)
    assert row.cases == ("odd(1) == [1]", "odd(2) == [2, 2]", "odd(3) == [3, 3, 3]")
    assert {drop.reason for drop in ledger.drops if drop.operator == "cases"} == {
        "the call fails: error",
        "the call fails: timeout",
        "the output cannot be written out",
        "the output is longer than 200 characters",
    }


def test_functions_that_always_return_the_same_or_have_too_few_cases_are_left_out(
    scripted_llm: Callable[..., LLM],
) -> None:
    same = Code(code="def same(n):\n    return n and 7\n")
    llm = scripted_llm(answering(same=[[1], [2], [3]], add=[[1, 2], [2, 2], [1, "a"]]))
    with keep(Ledger()) as ledger:
        assert case2code([ADD, same], llm, SANDBOX) == []
    assert {(drop.reason, drop.evidence) for drop in ledger.drops} >= {
        ("it always returns the same", "7"),
        ("there are fewer than 3 cases", "2"),
    }


def test_it_goes_through_the_sources_until_it_has_enough(scripted_llm: Callable[..., LLM]) -> None:
    sources = [Code(code=f"def f{n}(a):\n    return a * {n}\n") for n in range(1, 9)]
    asked: list[str] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append(prompt)
        return '{"inputs": [[1], [2], [3]]}'

    rows = case2code(sources, scripted_llm(answer), SANDBOX, rows=3, batch=2)
    assert (len(rows), len(asked)) == (3, 4)
    assert all(map(promised, rows))


def test_a_promise_can_be_broken() -> None:
    wrong = Induction(prompt="add(1, 2) == 4", completion=ADD.code, name="add", cases=("add(1, 2) == 4",))
    assert not promised(wrong)
