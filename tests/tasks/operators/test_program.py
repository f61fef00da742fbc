from random import Random

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.program import program

ROWS = [Prompt(prompt="one"), Prompt(prompt="two")]


def _number(row: Prompt, draw: Random) -> str:
    return f"{row.prompt} {draw.randint(1, 1000)}"


def test_a_script_runs_n_times_for_each_row_with_other_numbers() -> None:
    pairs = program(ROWS, _number, n=3)
    assert [row.prompt for row, _ in pairs] == ["one"] * 3 + ["two"] * 3
    assert len({value for _, value in pairs}) == 6


def test_what_a_row_gives_depends_on_the_seed_and_not_on_other_rows() -> None:
    assert program(ROWS, _number, seed=1)[1:] == program(ROWS[1:], _number, seed=1)
    assert program(ROWS, _number, seed=1) != program(ROWS, _number, seed=2)


def test_numbers_that_a_script_can_do_nothing_with_are_drawn_again() -> None:
    def even(_row: Prompt, draw: Random) -> int:
        if (number := draw.randint(1, 1000)) % 2:
            raise ValueError("odd")
        return number

    values = [value for _, value in program(ROWS, even, n=10, tries=30)]
    assert len(values) == 20
    assert all(value % 2 == 0 for value in values)


def test_a_row_is_dropped_with_the_reason_when_no_draw_will_do() -> None:
    def never(_row: Prompt, _draw: Random) -> int:
        raise ValueError("the equations are not independent")

    with keep(Ledger()) as ledger:
        assert program(ROWS[:1], never) == []
    assert [(d.row, d.reason) for d in ledger.drops] == [(ROWS[0], "the equations are not independent")]


def test_values_of_one_row_are_distinct() -> None:
    with keep(Ledger()) as ledger:
        pairs = program(ROWS[:1], lambda _row, draw: draw.randint(1, 3), n=10, tries=50)
    assert sorted(value for _, value in pairs) == [1, 2, 3]
    assert {d.reason for d in ledger.drops} == {"every draw repeats one before"}
