"""Watermark: found where it is, and not where it is not."""

import itertools
import random
from pathlib import Path

import pytest
from benchmarks.watermark import ENDLESS, human
from hypothesis import given
from hypothesis import strategies as st

from catalog.store import Lake
from infra.errors import Refusal
from infra.settings import load_settings
from quality.watermark import FOUND, Detection, detect, green_list, logit_bias
from tasks.llm import Failed, Request, open_models
from tasks.llm.watermark import mark

LIST = green_list(range(1000), "secret", 0.5)


def test_a_share_gamma_of_every_run_of_tokens_is_green() -> None:
    found = green_list(range(1000), "secret", 0.25)
    assert {sum(token in found.green for token in range(start, start + 20)) for start in range(0, 1000, 20)} == {5}


def test_the_list_is_the_key_s() -> None:
    assert green_list(range(1000), "secret", 0.5) == LIST
    assert green_list(range(1000), "other", 0.5).green != LIST.green


def test_the_list_is_the_same_on_every_machine() -> None:
    assert sorted(LIST.green)[:6] == [0, 2, 6, 7, 8, 9]


def test_the_bias_is_on_the_green_tokens_alone() -> None:
    bias = logit_bias(LIST, 2.5)
    assert {int(token) for token in bias} == LIST.green
    assert set(bias.values()) == {2.5}


def test_a_text_of_green_tokens_is_found() -> None:
    found = detect(sorted(LIST.green)[:64], LIST)
    assert (found.z, found.green, found.n) == (8.0, 64, 64)
    assert found.p == pytest.approx(2.0**-64)


def test_a_token_that_comes_often_counts_once() -> None:
    one = min(LIST.green)
    assert detect([one] * 500, LIST).n == 1


def test_tokens_that_are_not_chosen_among_do_not_count() -> None:
    assert detect(range(1000, 3000), LIST) == Detection(0.0, 0, 0, 1.0)


def test_a_text_without_tokens_is_not_found() -> None:
    assert detect([], LIST) == Detection(0.0, 0, 0, 1.0)


@given(st.integers(0, 10**6))
def test_text_of_chance_is_hardly_ever_found(seed: int) -> None:
    assert detect(random.Random(seed).choices(range(1000), k=300), LIST).z < 6


@given(st.lists(st.integers(0, 2000), max_size=300))
def test_order_and_repetition_make_no_difference(text: list[int]) -> None:
    assert detect(text, LIST) == detect([*text[::-1], *text], LIST)


@pytest.mark.parametrize("gamma", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_that_is_none_is_refused(gamma: float) -> None:
    with pytest.raises(Refusal, match="a share between 0 and 1"):
        green_list(range(10), "secret", gamma)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(Refusal, match="its key is empty"):
        green_list(range(10), "")


def test_human_text_is_not_found_whatever_the_key() -> None:
    texts = list(itertools.islice(human(1000), 0, None, 4))
    assert not [key for key in map(str, range(5)) for text in texts if detect(text, mark(key).greens).z >= FOUND]


def test_the_name_of_a_watermark_tells_nothing_of_its_secret() -> None:
    assert mark("a secret").name == mark("a secret").name != mark("another").name
    assert "secret" not in mark("a secret").name


def test_only_the_embedded_model_can_be_watermarked(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, watermark="a secret", base_url="http://127.0.0.1:1/v1", model="m")
    with open_models(settings) as models, pytest.raises(Refusal, match="only the embedded model's tokens are known"):
        models.get("generator")


@pytest.mark.embedded
def test_a_run_s_text_is_found_with_its_key_alone_and_the_store_keeps_no_bias(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, embedded_slots=2, watermark="a secret")
    asked = [
        Request(
            messages=({"role": "user", "content": f"Write a long text about {subject}."},),
            max_tokens=200,
            logit_bias=ENDLESS,
        )
        for subject in ("the sea", "bread")
    ]
    with open_models(settings) as models:
        answers = [answer for answer in models.get("generator").ask(asked, str) if not isinstance(answer, Failed)]
    texts = [answer.value for answer in answers]
    assert [mark("a secret").detect(text).z >= FOUND for text in texts] == [True, True]
    assert [mark("another").detect(text).z < FOUND for text in texts] == [True, True]
    for call in Lake(settings).calls([answer.call for answer in answers]):
        assert mark("a secret").name in call.request
        assert len(call.request) < 1000
