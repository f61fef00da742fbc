import pytest

from catalog.records import Answer, Problem
from tasks.operators.compare import fits, same_json, same_number, same_output, same_set
from tasks.operators.verify import verify


@pytest.mark.parametrize(
    ("said", "wanted", "same"),
    [
        ("$1,234.50", "1234.5", True),
        ("about 3 km", "3", True),
        ("- 7", "-7", True),
        ("1e3", "1000", True),
        ("0.3333333", "0.33333333", True),
        ("3.1", "3", False),
        ("3 or 4", "3", False),
        ("three", "3", False),
        ("1e999", "1e999", False),
    ],
)
def test_numbers(said: str, wanted: str, same: bool) -> None:
    assert same_number()(said, wanted) is same


def test_a_number_may_be_off_by_the_tolerance() -> None:
    assert same_number(0.01)("101", "100")
    assert not same_number(0.01)("102", "100")


@pytest.mark.parametrize(
    ("said", "wanted", "same"),
    [
        ("1 2 \n3\n\n", "1 2\n3", True),
        ("0.30000000000000004", "0.3", True),
        ("0.31", "0.3", False),
        ("3", "3.0", False),
        ("1\n2", "1 2", False),
        ("", "", True),
        ("Yes", "yes", False),
    ],
)
def test_what_programs_print(said: str, wanted: str, same: bool) -> None:
    assert same_output(said, wanted) is same


@pytest.mark.parametrize(
    ("said", "wanted", "same"),
    [
        ("[3, 1, 2]", "1, 2, 3", True),
        ("red and blue", "Blue, red", True),
        ("{1/2, 3}", "3, 0.5", True),
        ("1, 1, 2", "1, 2, 2", False),
        ("1, 2", "1, 2, 3", False),
        ("", "1", False),
        ("[" * 1000, "1", False),
    ],
)
def test_sets(said: str, wanted: str, same: bool) -> None:
    assert same_set(said, wanted) is same


@pytest.mark.parametrize(
    ("said", "wanted", "same"),
    [
        ('{"a": 1, "b": [true, null]}', '{ "b": [true, null], "a": 1.0 }', True),
        ('{"a": 1}', '{"a": true}', False),
        ("[1, 2]", "[2, 1]", False),
        ("null", "null", True),
        ("NaN", "NaN", False),
        ("{a: 1}", '{"a": 1}', False),
        ("[" * 100_000, "[]", False),
    ],
)
def test_json(said: str, wanted: str, same: bool) -> None:
    assert same_json(said, wanted) is same


def test_patterns_match_the_whole() -> None:
    assert fits(" 12:30\n", r"\d{1,2}:\d\d")
    assert not fits("at 12:30", r"\d{1,2}:\d\d")


def test_verify_takes_a_kind_of_answer() -> None:
    row = Problem(prompt="As JSON?", answer='{"a": 1}')
    answers = [Answer(text, text) for text in ('{"a": 1.0}', '{"a": 2}')]
    pairs = [(row, answer) for answer in answers]
    assert verify(pairs, lambda p: p.answer, stated=str.strip, same=same_json) == [(row, answers[0])]
