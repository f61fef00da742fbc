from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.dedup import dedup, dedup_near, nearest, rouge_l

words = st.lists(st.sampled_from(["a", "b", "c", "Dé", "e1", "f-g", "!"]), max_size=12).map(" ".join)


@given(words, words)
@settings(max_examples=300, deadline=None)
def test_rouge_l_is_that_of_the_package_rouge_score(one: str, other: str) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    theirs = RougeScorer(["rougeL"], use_stemmer=False).score(one, other)["rougeL"].fmeasure
    assert abs(rouge_l(one, other) - theirs) < 1e-12


@given(words, st.lists(words, max_size=6), st.sampled_from([0.3, 0.5, 0.7, 2 / 3, 1.0]))
@settings(max_examples=300, deadline=None)
def test_passing_over_by_length_changes_no_decision(text: str, pool: list[str], threshold: float) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    reached = [other for other in pool if scorer.score(text, other)["rougeL"].fmeasure >= threshold]
    assert nearest(text, pool, threshold) == (reached[0] if reached else None)


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
