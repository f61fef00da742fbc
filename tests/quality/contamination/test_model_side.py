"""Signs that a model has seen a benchmark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contamination.model_side import guided_completion, min_k_auc, min_k_prob, rouge_l
from tests.quality.contamination.items import CHAMP


def test_a_model_that_recites_only_when_told_the_benchmark_has_seen_it() -> None:
    def recite(prompt: str) -> str:
        if "CHAMP" not in prompt:
            return "I do not know."
        first = prompt.partition("First part: ")[2].rpartition("\nSecond part:")[0]
        return next(item.text[len(first) :] for item in CHAMP if item.text.startswith(first))

    found = guided_completion(CHAMP, recite, rounds=500)
    assert (found.contaminated, found.p, len(found.completions)) == (True, 0.0, 10)
    assert found.exact >= 8


def test_a_model_that_answers_alike_has_not() -> None:
    found = guided_completion(CHAMP, lambda prompt: "for all integers n?", rounds=500)
    assert (found.contaminated, found.gain, found.p) == (False, 0.0, 1.0)


def test_nothing_to_ask_says_nothing() -> None:
    found = guided_completion([], lambda prompt: "", rounds=10)
    assert (found.contaminated, found.gain, found.p) == (False, 0.0, 1.0)


def test_min_k_is_the_mean_of_the_least_likely_tokens() -> None:
    assert min_k_prob("x", lambda text: [-1.0, -9.0, -2.0, -7.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0], k=0.2) == -8.0
    assert min_k_prob("x", lambda text: []) is None


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="a share above 0"):
        min_k_prob("x", lambda text: [-1.0], k=20)
    with pytest.raises(ValueError, match="not a number"):
        min_k_prob("x", lambda text: [float("nan")])


def test_known_texts_are_likelier_than_unknown_ones() -> None:
    seen, unseen = ["aa", "aaa"], ["bb", "bbb"]
    assert min_k_auc(seen, unseen, lambda text: [-0.1 if c == "a" else -3.0 for c in text]) == 1.0
    assert min_k_auc(seen, unseen, lambda text: [-1.0] * len(text)) == 0.5
    assert min_k_auc([], unseen, lambda text: [-1.0]) is None


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=60), st.floats(0.01, 1))
def test_min_k_lies_between_the_least_likely_token_and_the_mean(values: list[float], k: float) -> None:
    found = min_k_prob("x", lambda text: values, k=k)
    assert found is not None
    assert min(values) - 1e-9 <= found <= sum(values) / len(values) + 1e-9


def test_rouge_l_is_one_for_the_same_words_and_nought_for_none() -> None:
    assert (rouge_l("The cat sat.", "the CAT sat"), rouge_l("a b", "c d"), rouge_l("", "")) == (1.0, 0.0, 0.0)
    assert rouge_l("the cat sat", "the dog sat") == pytest.approx(2 / 3)
