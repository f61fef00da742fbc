import pytest

from catalog.records import Code
from tasks.ledger import Ledger, keep
from tasks.operators.compute import compute, read_function
from tasks.sandbox import open_sandbox


def test_functions_that_return_a_number_are_kept_with_it() -> None:
    bodies = ["20 / 4 + 13", "7 // 2", "0.1", "'18'", "True", "1 / 0", "float('inf')", "None", "-(2 ** 3)"]
    rows = [Code(code=f"def solution():\n    return {body}") for body in bodies]
    with keep(Ledger()) as ledger:
        found = compute(open_sandbox(), rows, lambda row: row.code)
    assert [number for _, number in found] == ["18", "3", "0.1", "-8"]
    assert [(drop.reason, drop.evidence) for drop in ledger.drops] == [
        ("the program fails: error", "ZeroDivisionError: division by zero"),
        ("the function returns no number", "'18'"),
        ("the function returns no number", "True"),
        ("the function returns no number", "inf"),
        ("the function returns no number", "None"),
    ]


def test_a_function_is_read_out_of_its_answer_with_what_it_tells() -> None:
    read = read_function(
        'Sure:\n```python\nimport os\ndef solution():\n    """Two\n    lines."""\n    return 1\n\nx = 2\n```'
    )
    assert read.told == "Two lines."
    assert read.code == 'def solution():\n    """Two\n    lines."""\n    return 1'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def solution():\n    return 1", "has no docstring"),
        ('def solution(x):\n    """Told."""\n    return x', "without arguments"),
        ('def other():\n    """Told."""\n    return 1', "without arguments"),
        ("no code", "no Python code"),
    ],
)
def test_an_answer_without_such_a_function_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_function(text)
