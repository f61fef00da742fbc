from collections import Counter

import pytest

from catalog.sources import load_sources
from catalog.sources.basic_words import Word


def words() -> list[Word]:
    return [row for row, _ in load_sources()["basic_words"].rows() if isinstance(row, Word)]


def test_there_are_words_of_every_part_of_speech_and_age() -> None:
    counts = Counter((word.part, word.age) for word in words())
    assert set(counts) == {(part, age) for part in ("noun", "verb", "adjective") for age in (2, 4, 9, 14)}
    assert min(counts.values()) >= 15


def test_no_word_is_there_twice_in_one_part_of_speech() -> None:
    assert max(Counter((word.word, word.part) for word in words()).values()) == 1


def test_the_first_rows_are_of_every_kind() -> None:
    assert len({(word.part, word.age) for word in words()[:12]}) == 12


@pytest.mark.parametrize(
    ("word", "text", "stands"),
    [
        ("hug", "She hugged the bear.", True),
        ("dance", "They were dancing.", True),
        ("carry", "He carried it.", True),
        ("fly", "Away it flew!", True),
        ("leaf", "Red leaves fell.", True),
        ("big", "the biggest", True),
        ("cat", "a catalogue", False),
        ("go", "a good goat", False),
        ("see", "the sea", False),
        ("eat", "neat", False),
    ],
)
def test_a_word_is_found_in_any_form(word: str, text: str, stands: bool) -> None:
    (found,) = [row for row in words() if row.word == word]
    assert found.stands_in(text) is stands
