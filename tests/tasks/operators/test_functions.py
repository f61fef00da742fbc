import pytest

from catalog.records import Code
from tasks.ledger import Ledger, keep
from tasks.operators.functions import functions


def test_functions_that_stand_alone_come_out_without_their_docstring() -> None:
    source = Code(
        code='import os\n\ndef half(n, by=2):\n    """Halve."""\n    import math\n    return math.floor(n / by)\n\n'
        "def gone():\n    return os.getcwd()\n"
    )
    (found,) = functions([source])
    assert found.code == "def half(n, by=2):\n    import math\n    return math.floor(n / by)"
    assert (found.name, found.parents) == ("half", (source.record_id,))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def f(x:", "the source does not parse"),
        ("x = 1", "there is no function in it"),
        ("def f(self):\n    return 1", "it does not take arguments of a fixed number"),
        ("def f():\n    return 1", "it does not take arguments of a fixed number"),
        ("def f(*x):\n    return 1", "it does not take arguments of a fixed number"),
        ("def f(x):\n    x.sort()\n    return None", "it returns no value"),
        ("def f(x):\n    def g():\n        return 1", "it returns no value"),
        ("def f(x):\n    yield x", "it is a generator or a coroutine"),
        ("async def f(x):\n    return x", "it is a generator or a coroutine"),
        ("@cache\ndef f(x):\n    return x", "it has decorators"),
        ("def f(x):\n    return sys.path", "it uses what is not in it: sys"),
        ("def f(x, y=sys):\n    return x", "it uses what is not in it: sys"),
        ("def f(x):\n    return [g(y) for y in x]", "it uses what is not in it: g"),
        ("def f(x):\n    import numpy\n    return x", "it uses what is not in it: numpy"),
        ("def f(x):\n    from os import path\n    return x", "it uses what is not in it: os"),
        ("def f(x):\n    return open(x)", "it uses what is not in it: open"),
        ("def f(x):\n    return x.__class__", "it uses what is not in it: __class__"),
        ("def f(x):\n    global y\n    y = x\n    return x", "it uses what is not in it: y"),
        (f"def f(x):\n    return {'a' * 2000!r}", "the function is longer than 2000 characters"),
    ],
)
def test_the_others_are_dropped(code: str, reason: str) -> None:
    with keep(Ledger()) as ledger:
        assert functions([Code(code=code)]) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_a_function_may_call_itself_and_pure_builtins() -> None:
    source = Code(code="def f(n):\n    return 1 if n < 2 else n * f(abs(n) - 1)")
    assert [found.name for found in functions([source])] == ["f"]
