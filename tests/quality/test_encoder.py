"""Encoders give unit vectors that say what texts mean."""

from collections.abc import Callable

import numpy as np
import pytest

from quality.encoder import LONGEST, bulk_encoder, default_encoder

ENCODERS = [pytest.param(default_encoder, id="default"), pytest.param(bulk_encoder, id="bulk")]
TEXTS = [
    "How do I bake bread?",
    "Ways to bake a loaf of bread",
    "The moon is far away",
    "",
    " \n",
    "\ud800 half",
    "漢字",
]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_text_has_a_unit_vector(encoder: Callable[[], Callable[[list[str]], np.ndarray]]) -> None:
    found = encoder()(TEXTS)
    assert found.shape == (len(TEXTS), 512)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_texts_about_one_thing_are_nearer(encoder: Callable[[], Callable[[list[str]], np.ndarray]]) -> None:
    bake, loaf, moon = encoder()(TEXTS[:3])
    assert bake @ loaf > bake @ moon + 0.2


@pytest.mark.parametrize("encoder", ENCODERS)
def test_no_texts_have_no_vectors(encoder: Callable[[], Callable[[list[str]], np.ndarray]]) -> None:
    assert encoder()([]).shape == (0, 512)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_texts_that_say_nothing_share_a_vector(encoder: Callable[[], Callable[[list[str]], np.ndarray]]) -> None:
    empty, blank = encoder()(["", " \n"])
    assert (empty == blank).all()


def test_a_text_keeps_its_vector_in_other_company() -> None:
    encode = default_encoder()
    assert encode(["alone in the house"])[0] == pytest.approx(encode(["something else", "alone in the house"])[1])


def test_the_rest_of_a_long_text_is_not_read() -> None:
    long = "word " * LONGEST
    first, second = default_encoder()([long, long + "and another end"])
    assert (first == second).all()


def test_the_model_is_loaded_once() -> None:
    assert default_encoder() is default_encoder()


def test_a_translation_is_near() -> None:
    english, german, other = default_encoder()(["The dog is asleep.", "Der Hund schläft.", "Shares fell on Monday."])
    assert english @ german > english @ other + 0.3
