import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from catalog.sources.basic_words import basic_words
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.pretraining.tinydialogues import Talk, tinydialogues

WORDS = [row for row, _ in basic_words()]
AGE = {word.word: word.age for word in WORDS}


def good(prompt: str, body: dict[str, Any]) -> str:
    partner = re.findall(r'"(\w+):"', prompt)[1]
    first, second, third = prompt.rpartition("Use these words: ")[2].split(", ")
    return (
        f'Child: What does the word "{first}" mean?\n'
        f'{partner}: I will show you, and then we talk about "{second}" as well.\n'
        f'Child: And about "{third}"! I heard that one at the table yesterday.'
    )


def promised(row: Talk) -> bool:
    speakers = {line.partition(":")[0] for line in row.text.splitlines()}
    return speakers == {"Child", row.partner} and all(AGE[word] <= row.age for word in row.words)


def test_the_child_talks_with_one_person_in_words_of_its_age(scripted_llm: Callable[..., LLM]) -> None:
    talks = tinydialogues(WORDS, scripted_llm(good), rows=16)
    assert len(talks) == 16
    assert all(promised(talk) for talk in talks)
    assert {AGE[word] for talk in talks if talk.age == 2 for word in talk.words} == {2}


def test_the_order_is_from_young_to_old_with_as_many_of_each_age(scripted_llm: Callable[..., LLM]) -> None:
    ages = [talk.age for talk in tinydialogues(WORDS, scripted_llm(good), rows=8)]
    assert ages == [2, 2, 5, 5, 10, 10, 15, 15]


def test_the_younger_do_not_talk_where_and_with_whom_only_the_older_do(scripted_llm: Callable[..., LLM]) -> None:
    talks = tinydialogues(WORDS, scripted_llm(good), rows=200)
    partners = {young: {talk.partner for talk in talks if (talk.age <= 5) is young} for young in (True, False)}
    assert "Babysitter" in partners[True]
    assert "Classmate" in partners[False] - partners[True]
    assert len(Counter(talk.setting for talk in talks)) == 13
    assert {talk.turns for talk in talks} == {5, 10}


def test_a_talk_that_is_not_the_one_asked_for_is_left_out(scripted_llm: Callable[..., LLM]) -> None:
    def careless(prompt: str, body: dict[str, Any]) -> str:
        partner = re.findall(r'"(\w+):"', prompt)[1]
        said = good(prompt, body)
        if "of 2 years" in prompt:
            return said.replace("Child:", "Baby:")
        if "of 5 years" in prompt:
            return f"{said}\nUncle: I say so too."
        return f"Child: Hello.\n{partner}: Hello." if "of 10 years" in prompt else said

    with keep(Ledger()) as ledger:
        talks = tinydialogues(WORDS, scripted_llm(careless), rows=4)
    assert [talk.age for talk in talks] == [15]
    assert {drop.reason for drop in ledger.drops} == {
        "the conversation has fewer than 2 turns",
        "somebody else speaks",
        "the talk lacks the words that it was to have",
    }


def test_the_example_is_of_the_same_two_speakers(scripted_llm: Callable[..., LLM]) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or good(prompt, body))
    for talk in tinydialogues(WORDS, llm, rows=8):
        (shown,) = [b for b in bodies if ", ".join(talk.words) in b["messages"][-1]["content"]]
        assert {line.partition(":")[0] for line in shown["messages"][1]["content"].splitlines()} == {
            *("Child", talk.partner)
        }
