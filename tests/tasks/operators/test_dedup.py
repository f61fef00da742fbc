from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.llm.embedder import offline
from tasks.operators.dedup import dedup, dedup_meaning, dedup_near, dedup_words

NURSE = Prompt(prompt="a nurse who works at night in a big city hospital")
AGAIN = Prompt(prompt="A nurse who, at night, works in a big city hospital")
BAKER = Prompt(prompt="a baker who sells rye bread")
LOAVES = Prompt(prompt="A baker, and she sells rye bread")


def test_a_near_repeat_of_the_pool_or_of_a_row_before_is_dropped_with_its_like() -> None:
    rows = [
        Prompt(prompt=text)
        for text in ("name three kinds of bread", "name three kinds of old bread", "tell me of the sea", "is it late")
    ]
    with keep(Ledger()) as ledger:
        kept = dedup_near(rows, lambda row: row.prompt, pool=["tell me about the sea"], threshold=0.7)
    assert [row.prompt for row in kept] == ["name three kinds of bread", "is it late"]
    assert ledger.drops[0].reason == "its ROUGE-L to another is 0.7 or more"
    assert ledger.drops[0].evidence.endswith("name three kinds of bread")


def test_the_first_row_of_each_value_stays() -> None:
    rows = [Prompt(prompt=text) for text in ("a", "b", "A", "c")]
    with keep(Ledger()) as ledger:
        assert [row.prompt for row in dedup(rows, lambda row: row.prompt.lower(), seen=["c"])] == ["a", "b"]
    assert [drop.row for drop in ledger.drops] == [rows[2], rows[3]]


def said(row: Prompt) -> str:
    return row.prompt


def test_the_same_words_in_another_order_are_a_repetition() -> None:
    with keep(Ledger()) as ledger:
        assert dedup_words([NURSE, BAKER, AGAIN], said) == [NURSE, BAKER]
    (dropped,) = ledger.drops
    assert dropped.reason == "its words are 0.9 or more those of another"
    assert dropped.evidence == f"1.00: {NURSE.prompt}"


def test_the_threshold_is_a_share_of_all_words_of_both() -> None:
    assert dedup_words([BAKER, LOAVES], said, threshold=0.9) == [BAKER, LOAVES]
    assert dedup_words([BAKER, LOAVES], said, threshold=0.6) == [BAKER]  # 5 of 8


def test_in_runs_of_several_words_their_order_counts() -> None:
    assert dedup_words([NURSE, AGAIN], said, gram=3) == [NURSE, AGAIN]


def test_texts_that_mean_the_same_are_a_repetition_whatever_their_words() -> None:
    one, other = Prompt(prompt="A doctor for children."), Prompt(prompt="A physician who treats children.")
    with keep(Ledger()) as ledger:
        assert dedup_meaning(offline(), [one, BAKER, other], said, threshold=0.6) == [one, BAKER]
    assert [drop.evidence.partition(": ")[2] for drop in ledger.drops] == [one.prompt]


def test_nothing_has_no_repetitions() -> None:
    assert dedup_words([], said) == dedup_meaning(offline(), [], said) == []
