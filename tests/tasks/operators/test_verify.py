import pytest

from catalog.records import Answer, Problem
from tasks.ledger import Ledger, keep
from tasks.operators.verify import final_answer, parses, same_answer, verify


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234", "1234"),
        (r"\frac{3}{4}", "0.75"),
        (r"\frac12", "1/2"),
        ("1 1/2", "3/2"),
        (r"$\boxed{42}$", "42"),
        ("110 dollars", "$110"),
        ("50%", "0.5"),
        ("50%", "50"),
        ("x = -1", "-1"),
        ("-7.", "-7"),
        ("63 * 70 = 4,410", "4410"),
        ("120°", "120 degrees"),
        ("Friday", "friday"),
        ("3, 4", "(3,4)"),
        (r"2\sqrt{3}", "sqrt(12)"),
        ("-6*x**3 + 2*x + C", "2x - 6x^3 + C"),
        ("(x+1)^2", "x^2 + 2x + 1"),
        ("log(x)/log(2)", "ln(x)/ln(2)"),
    ],
)
def test_two_ways_to_write_an_answer_are_the_same(one: str, other: str) -> None:
    assert same_answer(one, other)
    assert same_answer(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3", "4"),
        ("", "4"),
        ("50", "0.5"),
        ("5 km", "5 m"),
        ("5x", "5"),
        ("1,2", "12"),
        ("3, 4", "4, 3"),
        ("0.33", "1/3"),
        ("1/0", "1"),
        ("x + 1", "x + 2"),
        ("no", "yes"),
        ("9**9**9**9", "3"),
        ("((2**60)**60)**60**60", "1"),
        ("__import__('os').getpid()", "1"),
    ],
)
def test_different_answers_are_told_apart_at_once(one: str, other: str) -> None:
    assert not same_answer(one, other)
    assert not same_answer(other, one)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 + 1 = 3\nThe answer is: 3.5.", "3.5"),
        ("so it is 12\n#### 12", "12"),
        (r"thus \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("The answer is 5 apples. They are good.", "5 apples"),
        ("Answer: **7**", "7"),
        ("First the answer is 3. No: the answer is 4", "4"),
        ("there are 3", ""),
    ],
)
def test_the_answer_is_what_the_solution_states_last(text: str, answer: str) -> None:
    assert final_answer(text) == answer


def test_wrong_and_silent_solutions_are_dropped_with_what_was_stated() -> None:
    row = Problem(prompt="2 + 1", answer="3")
    answers = [Answer(text, text) for text in ("The answer is: 3", "The answer is: 5", "three")]
    with keep(Ledger()) as ledger:
        assert verify([(row, answer) for answer in answers], lambda p: p.answer) == [(row, answers[0])]
    assert [(d.reason, d.evidence) for d in ledger.drops] == [
        ("the solution's answer is wrong", "5 was stated, 3 is right"),
        ("the solution states no answer", "three"),
    ]


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("def f(x):\n    return x", True),
        ("x = 1", True),
        ("def f(x:", False),
        ("nothing", False),
        ("'''words'''", False),
        ("", False),
    ],
)
def test_code_parses_and_does_something(text: str, is_code: bool) -> None:
    assert parses(text) is is_code
