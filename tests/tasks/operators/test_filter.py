from catalog.records import Answer, Prompt
from tasks.ledger import Ledger
from tasks.ledger import keep as kept_in
from tasks.operators.filter import cut, keep


def test_a_row_goes_with_the_reason_that_is_found() -> None:
    short, long = Prompt(prompt="a"), Prompt(prompt="abc")
    with kept_in(Ledger()) as ledger:
        assert keep([short, long], lambda row: "too long" if len(row.prompt) > 2 else "") == [short]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [(long, "too long")]


def test_a_row_made_from_an_answer_that_was_cut_is_not_whole() -> None:
    whole, half = (Answer("text", "call", finish_reason=reason) for reason in ("stop", "length"))
    assert [cut(Prompt(prompt="p", origin=origin)) for origin in ((whole,), (whole, half), ())] == [
        "",
        "an answer was cut before its end",
        "",
    ]
