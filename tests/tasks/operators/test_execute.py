from dataclasses import dataclass

import pytest

from catalog.records import Answer, Code, Prompt
from tasks.ledger import Asked, Ledger, keep
from tasks.operators import execute as module
from tasks.operators.execute import execute
from tasks.operators.verify import read_code, verify_tests
from tasks.sandbox import Bounds, Program, open_sandbox

SANDBOX = open_sandbox()


def test_rows_whose_program_ends_come_back_with_what_came_of_it() -> None:
    rows = [Code(code="x = 6 * 7"), Code(code="x = 1 / 0"), Code(code="while True: pass"), Code(code="x = [1]")]
    with keep(Ledger()) as ledger:
        ended = execute(SANDBOX, rows, lambda row: Program(code=row.code, result="x"), bounds=Bounds(seconds=3))
    assert [(row.code, ran.result) for row, ran in ended] == [("x = 6 * 7", "42"), ("x = [1]", "[1]")]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [
        (rows[1], "the program fails: error"),
        (rows[2], "the program fails: timeout"),
    ]
    assert ledger.drops[0].evidence == "ZeroDivisionError: division by zero"
    step = ledger.steps["execute"]
    assert (step.rows_in, step.rows_out, step.dropped) == (4, 2, 2)


def test_code_that_passes_its_tests_stays_and_code_that_leaves_before_them_does_not() -> None:
    row = Prompt(prompt="Write double(n).")
    codes = [
        "def double(n):\n    return 2 * n",
        "def double(n):\n    return n",
        "raise SystemExit",
        "import os\nos._exit(0)",
    ]
    answers = [Answer(code, code) for code in codes]
    with keep(Ledger()) as ledger:
        passed = verify_tests(SANDBOX, [(row, a) for a in answers], lambda _: "assert double(2) == 4")
    assert passed == [(row, answers[0])]
    assert {drop.reason for drop in ledger.drops} <= {
        "the code fails its tests: error",
        "the code fails its tests: exit",
    }
    assert len(ledger.drops) == 3


def test_code_is_read_out_of_its_fence() -> None:
    assert read_code("Here it is:\n```python\nx = 1\n```\nand\n```\ny = 2\n```") == "x = 1"
    assert read_code("x = 1\n") == "x = 1"
    for text in ("I cannot.", "```python\ndef f(:\n```"):
        with pytest.raises(ValueError, match="no Python code"):
            read_code(text)


def test_a_run_hears_how_far_it_is() -> None:
    @dataclass
    class Heard:
        said: list[tuple[str, int, int, str]]

        def begin(self, operator: str, total: int) -> None: ...

        def advance(self, operator: str, call: Asked) -> None: ...

        def reach(self, step: str, done: int, total: int, unit: str) -> None:
            self.said.append((step, done, total, unit))

    heard = Heard([])
    rows = [Code(code=f"x = {number}") for number in range(module._BATCH + 1)]
    with keep(Ledger(watcher=heard)):
        execute(open_sandbox("monty"), rows, lambda row: Program(code=row.code))
    assert heard.said == [
        ("execute", module._BATCH, len(rows), "programs"),
        ("execute", len(rows), len(rows), "programs"),
    ]
