"""ROUGE-L against a pool, beside the package rouge-score."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from catalog.sources.chatterbot_prompts import chatterbot_prompts
from quality.duplicates.rouge import Pool, rouge_l

SCORER = RougeScorer(["rougeL"], use_stemmer=False)
PROMPTS = [row.prompt for row, _ in chatterbot_prompts()]

words = st.lists(st.sampled_from(["a", "b", "c", "Dé", "e1", "f-g", "!"]), max_size=12).map(" ".join)


def score(one: str, other: str) -> float:
    return SCORER.score(one, other)["rougeL"].fmeasure


@given(words, words)
@settings(max_examples=200, deadline=None)
def test_rouge_l_is_that_of_the_package(one: str, other: str) -> None:
    assert abs(rouge_l(one, other) - score(one, other)) < 1e-12


@given(words, st.lists(words, max_size=6), st.sampled_from([0.05, 0.3, 0.5, 0.7, 2 / 3, 0.9, 1.0]))
@settings(max_examples=500, deadline=None)
def test_the_index_changes_no_decision(text: str, pool: list[str], threshold: float) -> None:
    reached = [other for other in pool if score(text, other) >= threshold]
    found = Pool(pool).nearest(text, threshold)
    assert (found and found.key) == (reached[0] if reached else None)


def test_real_prompts_are_judged_as_the_package_does_one_after_another() -> None:
    pool, kept = Pool(PROMPTS[:200]), PROMPTS[:200]
    for text in PROMPTS[200:330]:
        reached = next((other for other in kept if score(text, other) >= 0.7), None)
        found = pool.nearest(text)
        assert (found and found.key) == reached
        if reached is None:
            pool.add(text)
            kept.append(text)
    assert 200 < len(kept) < 330
    assert len(pool) == len(kept)


def test_a_match_has_the_key_and_the_score() -> None:
    pool = Pool()
    pool.add("tell me about the sea", "row 1")
    assert pool.nearest("tell me of the sea") == ("row 1", pytest.approx(0.8))


def test_a_text_without_latin_letters_is_like_no_other() -> None:
    assert Pool(["Что?", "!"]).nearest("Что?") is None


def test_no_text_reaches_more_than_one() -> None:
    assert Pool(["a"]).nearest("a", 1.1) is None


def test_a_threshold_of_nought_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0 is wanted"):
        Pool(["a"]).nearest("a", 0)
