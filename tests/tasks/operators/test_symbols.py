import re

from tasks.operators.symbols import symbols


def test_there_are_30000_symbols_of_three_kinds_and_those_for_tests_are_others() -> None:
    tuning, tests = set(symbols()), set(symbols(held_out=True))
    assert 29_000 < len(tuning) < 32_000
    assert len(tests) > 1000
    assert not tuning & tests
    for kind in (r"\d+", r"[a-z]{3,6}", r"[a-z]{7,}"):
        assert sum(bool(re.fullmatch(kind, symbol)) for symbol in tuning) > 9_000
