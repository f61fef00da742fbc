import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from catalog.sources.basic_words import basic_words
from tasks.data_preparation.tinystories import FEATURES, Story, fault, tinystories, whole
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

WORDS = [row for row, _ in basic_words()]
FORMS = {word.word: word for word in WORDS}


def good(prompt: str, body: dict[str, Any]) -> str:
    adjective, noun, verb = re.findall(r"about an? (\w+) (\w+)\. Somebody wants to (\w+)\.", prompt)[0]
    return json.dumps(
        {
            "paragraphs": [
                f"Once there was a girl named Lily. She saw a {noun} near her house. The {noun} was {adjective}.",
                f'"Look at that!" said her brother Tom. "I want to {verb} with it." Lily asked her mom first.',
                f"So they began to {verb}, and the {noun} made them laugh. At night they told their dad all about it.",
            ]
        }
    )


def promised(row: Story) -> bool:
    paragraphs = [part for part in row.text.split("\n\n") if part.strip()]
    return 3 <= len(paragraphs) <= 5 and all(FORMS[w].stands_in(row.text) for w in (row.noun, row.verb, row.adjective))


def test_a_story_is_told_around_three_words_that_a_small_child_knows(scripted_llm: Callable[..., LLM]) -> None:
    stories = tinystories(WORDS, scripted_llm(good), rows=20)
    assert len(stories) == 20
    assert all(promised(story) for story in stories)
    assert {FORMS[w].age for s in stories for w in (s.noun, s.verb, s.adjective)} == {2, 4}
    assert [FORMS[w].part for w in (stories[0].noun, stories[0].verb, stories[0].adjective)] == [
        *("noun", "verb", "adjective")
    ]


def test_a_random_subset_of_the_features_is_asked_for(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(body["messages"][0]["content"]) or good(prompt, body))
    stories = tinystories(WORDS, llm, rows=40)
    assert {feature for story in stories for feature in story.features} == set(FEATURES)
    assert len({story.features for story in stories}) > 8
    badly = [story for story in stories if "bad ending" in story.features]
    assert sum("The story ends badly." in card for card in asked) == len(badly)
    assert tinystories(WORDS, llm, rows=3, chance=0.0)[0].features == ()


def test_other_draws_come_of_another_seed(scripted_llm: Callable[..., LLM]) -> None:
    first, other = (tinystories(WORDS, scripted_llm(good), rows=3, seed=seed) for seed in (1, 2))
    assert {story.noun for story in first} != {story.noun for story in other}


@pytest.mark.parametrize(
    ("paragraphs", "reason"),
    [
        (["A big dog ran far away.", "It ran to a farm. It sle", "It slept there all night."], ""),
        (["A big cat ran far away.", "It ran to a farm.", "It slept there."], "the story lacks one of its words"),
        (["A big dog ran far away.", "It ran to a", "It slept there."], "the story has fewer than 3 paragraphs"),
        (["A big dog ran.", "It ran far.", "It ran to me. " * 9], "the story runs in a circle"),
    ],
)
def test_a_story_that_is_not_what_was_asked_for_is_left_out(paragraphs: list[str], reason: str) -> None:
    text = "\n\n".join(map(whole, paragraphs))
    row = Story(noun="dog", verb="run", adjective="big", text=text)
    assert fault(row, [FORMS[word] for word in ("dog", "run", "big")]) == reason


def test_a_story_that_lacks_a_word_is_dropped_with_the_reason(scripted_llm: Callable[..., LLM]) -> None:
    said = json.dumps({"paragraphs": ["One day it was cold and late."] * 3})
    with keep(Ledger()) as ledger:
        assert tinystories(WORDS, scripted_llm(lambda prompt, body: said), rows=1) == []
    assert [drop.reason for drop in ledger.drops] == ["the story lacks one of its words"]
