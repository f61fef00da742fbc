from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.dedup import dedup, dedup_near


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
