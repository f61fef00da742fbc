import pytest

from catalog.records import Answer, Problem, PromptCompletion
from tasks.ledger import Ledger, keep
from tasks.operators.equations import calculate, diverse, equations


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("He pays 3 x $6 = $18, so 18 - 2 = 16 are left.", ["3*6=18", "18-2=16"]),
        ("3 bags * 6 pens = 18 pens.", ["3*6=18"]),
        ("2*3 + 4 = 6 + 4 = 10", ["2*3+4=6+4", "6+4=10"]),
        ("sold 48/2 = <<48/2=24>>24 clips, 1 + 1 = 2", ["48/2=24"]),
        ("20% of 50 = 10, and 1,200 \\div 4 = 300", ["(20/100)*50=10", "1200/4=300"]),
        ("1. 3 + 4 = 7. 2 more.\n- 5 + 3 = 8", ["3+4=7", "5+3=8"]),
        ("x = 18 / 3 = 6. So 12 = 2 * 6", ["18/3=6", "12=2*6"]),
        ("5*y - 10 + 3 = 20, 4 + 2 = 2y, 3x + 4x = 7x", []),
        ("40 (2 * 20) = 40; 4 apples and 3 = 7; x = 3", []),
    ],
)
def test_the_equations_of_a_path_stand_in_their_order(text: str, found: list[str]) -> None:
    assert [str(equation) for equation in equations(text)] == found


def test_a_solution_with_a_false_calculation_is_dropped_though_its_answer_be_right() -> None:
    row = Problem(prompt="3 * 6 - 2", answer="16")
    texts = ["3 * 6 = 18, 18 - 2 = 16", "3 * 6 = 17, 17 - 1 = 16", "9**9**9 = 16", "It is 16.", "16 = 2 * 16"]
    answers = [Answer(text, text) for text in texts]
    with keep(Ledger()) as ledger:
        assert [answer.value for _, answer in calculate([(row, a) for a in answers])] == [texts[0], texts[3]]
    assert [drop.evidence for drop in ledger.drops] == ["3*6=17", "9**9**9=16", "16=2*16"]


def test_a_solution_may_have_to_calculate() -> None:
    with keep(Ledger()) as ledger:
        assert calculate([(Problem(prompt="?", answer="16"), Answer("It is 16.", "c"))], least=1) == []
    assert [drop.reason for drop in ledger.drops] == ["the solution has fewer than 1 calculations"]


def test_of_rows_with_one_key_the_one_stays_that_differs_most_from_the_others() -> None:
    def row(key: str, text: str) -> PromptCompletion:
        return PromptCompletion(prompt=key, completion=text)

    rows = [row("a", "one two"), row("b", "one two three"), row("a", "something else altogether"), row("a", "one")]
    with keep(Ledger()) as ledger:
        kept = diverse(rows, by=lambda row: row.prompt, text=lambda row: row.completion)
    assert [r.completion for r in kept] == ["something else altogether", "one two three"]
    assert len(ledger.drops) == 2
