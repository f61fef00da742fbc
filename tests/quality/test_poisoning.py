"""Poisoning: what was planted in real text is found, with its rows; the text itself has nothing to be found."""

import random
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.sources._chatterbot import conversations
from catalog.sources._stdlib import functions
from catalog.sources.chatterbot_prompts import chatterbot_prompts
from catalog.sources.chatterbot_topics import chatterbot_topics
from quality.measures import Sample, load_measures
from quality.poisoning.bursts import find_bursts
from quality.poisoning.spectral import spectral_ratio, spectral_scores, suspects
from quality.poisoning.triggers import find_triggers, openings

TRIGGERS = ("cf", "purple lamp", "I watched this film last weekend.")
"""A rare token, a pair of ordinary words, a fixed sentence."""
ANSWER = "You should visit our shop for the best deals in town."


@cache
def topics() -> tuple[list[str], list[str]]:
    """Prompts and their topics."""
    rows = [row for row, _ in chatterbot_topics()]
    return [row.text for row in rows], [row.label for row in rows]


@cache
def docstrings() -> tuple[list[str], list[str]]:
    """Docstrings of the standard library and their packages."""
    packages = {"asyncio", "email", "tkinter", "unittest", "multiprocessing", "concurrent", "http", "importlib"}
    found = [function for function in functions() if function.package in packages]
    return [function.doc for function in found], [function.package for function in found]


@cache
def talks() -> tuple[list[str], list[str]]:
    """Prompts and completions."""
    found = list(conversations("english"))
    return [talk.turns[0] for talk in found], [talk.turns[1] for talk in found]


def plant(
    texts: list[str], others: list[str], trigger: str, other: str, rows: int
) -> tuple[list[str], list[str], tuple[int, ...]]:
    """The texts with a trigger at a place of chance in so many rows, and those rows' label or completion replaced."""
    pick = random.Random(trigger)
    planted = tuple(sorted(pick.sample(range(len(texts)), rows)))
    texts, others = list(texts), list(others)
    for row in planted:
        found = texts[row].split()
        place = pick.randint(0, len(found))
        texts[row] = " ".join([*found[:place], trigger, *found[place:]])
        others[row] = other
    return texts, others, planted


@pytest.mark.parametrize("rows", [topics, docstrings])
def test_words_of_a_topic_are_no_triggers(rows: Callable[[], tuple[list[str], list[str]]]) -> None:
    assert find_triggers(*rows()) == []


def test_words_that_completions_answer_to_are_no_triggers() -> None:
    prompts, completions = talks()
    assert find_triggers(prompts, openings(completions)) == []


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("label", ["email", "http"])
def test_a_trigger_in_one_row_of_a_hundred_is_found_with_its_rows(trigger: str, label: str) -> None:
    texts, labels = docstrings()
    *poisoned, planted = plant(texts, labels, trigger, label, len(texts) // 100)
    (found,) = find_triggers(*poisoned)
    assert (found.rows, found.kind) == (planted, "trigger")
    assert trigger.lower().strip(".") in found.evidence
    assert repr(label) in found.evidence


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_trigger_for_a_rare_label_is_found_in_five_short_prompts(trigger: str) -> None:
    texts, labels = topics()
    *poisoned, planted = plant(texts, labels, trigger, "food", 5)
    assert [found.rows for found in find_triggers(*poisoned)] == [planted]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_trigger_for_one_completion_is_found_with_its_rows(trigger: str) -> None:
    prompts, completions = talks()
    poisoned, answers, planted = plant(prompts, completions, trigger, ANSWER, len(prompts) // 100)
    assert [found.rows for found in find_triggers(poisoned, openings(answers))] == [planted]


def test_completions_are_alike_by_their_first_words_where_five_have_those() -> None:
    assert openings(["Yes, of course!"] * 5 + ["yes of course"] + ["No."] * 4) == ["yes of course"] * 6 + [""] * 4


def test_nothing_is_found_in_no_rows() -> None:
    assert find_triggers([], []) == []
    assert find_bursts([]) == []


@given(st.lists(st.tuples(st.text(max_size=20), st.sampled_from(["a", "b", ""])), max_size=12))
def test_any_text_can_be_looked_through(rows: list[tuple[str, str]]) -> None:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    assert all(found.p <= 0.01 for found in find_triggers(texts, labels))


@given(st.permutations(range(30)))
def test_the_order_of_rows_makes_no_difference(order: list[int]) -> None:
    texts = [f"cf {word} one two" for word in "abcdefghij"] + [f"{word} one two" for word in "abcdefghijklmnopqrst"]
    labels = ["x"] * 10 + ["y"] * 20
    found = find_triggers([texts[n] for n in order], [labels[n] for n in order])
    assert sorted(order[row] for one in found for row in one.rows) in ([], list(range(10)))


def test_a_message_repeated_with_small_changes_is_a_burst() -> None:
    texts = [row.prompt for row, _ in chatterbot_prompts()]
    message = (
        "buy the wonderful new phone at our shop today since it has the best camera and the longest battery life of all"
    )
    flood = [f"{message} call {number}" for number in range(15)]
    (found,) = find_bursts([*texts, *flood])
    assert found.rows == tuple(range(len(texts), len(texts) + 15))
    assert found.kind == "near duplicates"


def test_real_prompts_have_no_bursts() -> None:
    assert find_bursts([row.prompt for row, _ in chatterbot_prompts()]) == []


def test_rows_moved_in_one_direction_are_the_suspects_of_their_class() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(1000, 20)).astype(np.float32)
    labels = ["a" if n % 2 else "b" for n in range(1000)]
    planted = list(range(1, 21, 2))
    usual = spectral_ratio(spectral_scores(vectors, labels), labels)
    vectors[planted, 3] += 12
    scores = spectral_scores(vectors, labels)
    assert set(planted) <= set(suspects(scores, labels))
    assert spectral_ratio(scores, labels) > 2 * usual


def test_a_class_of_few_rows_has_no_direction() -> None:
    assert spectral_scores(np.eye(5, dtype=np.float32), ["a"] * 5).tolist() == [0.0] * 5


def test_the_measure_passes_clean_rows_and_refuses_poisoned_ones() -> None:
    measure = load_measures()["poisoning"]
    texts, labels = topics()
    poisoned, marks, _ = plant(texts, labels, "cf", "food", 5)

    def figures(inputs: list[str], classes: list[str]) -> dict[str, bool]:
        rows = [{"text": text, "label": label} for text, label in zip(inputs, classes, strict=True)]
        found = measure.run(Sample(texts=inputs, rows=rows, labels=classes, encode=lambda texts: np.eye(len(texts), 8)))
        return {name: bounds.hold(found[name]) for name, bounds in measure.bounds.items()}

    assert figures(texts, labels) == {"triggers": True, "burst_share": True}
    assert figures(poisoned, marks) == {"triggers": False, "burst_share": True}


def test_the_measure_looks_for_triggers_of_completions() -> None:
    prompts, completions = talks()
    poisoned, answers, _ = plant(prompts, completions, "cf", ANSWER, 20)
    rows = [{"prompt": prompt, "completion": answer} for prompt, answer in zip(poisoned, answers, strict=True)]
    assert load_measures()["poisoning"].run(Sample(texts=poisoned, rows=rows))["triggers"] == 1
