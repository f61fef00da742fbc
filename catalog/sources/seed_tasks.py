"""Fifteen tasks, each an instruction with one input and its constraints, in five groups of three: written by us."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources import source


@dataclass(frozen=True, kw_only=True)
class SeedTask(Record):
    """An instruction, an input to it, and what its output must keep to; `group` says which ones are shown together."""

    instruction: str
    input: str
    constraints: str
    group: int


@source(table="raw.seed_tasks", licence="Apache-2.0", package=None, part="catalog.sources.seed_tasks")
def seed_tasks() -> Iterator[tuple[SeedTask, str]]:
    """Every task, group by group."""
    for number, (instruction, given, constraints) in enumerate(TASKS):
        row = SeedTask(instruction=instruction, input=given, constraints=constraints, group=number // 3)
        yield row, f"catalog.sources.seed_tasks#{number}"


TASKS = (
    (
        "You are given a review of a restaurant. Tell whether the guest would come again.",
        "The soup was cold, and we waited an hour for it. The music was nice.",
        "Reply with 'yes' or 'no'.",
    ),
    (
        "You are given the name of an animal. Write a riddle about it.",
        "hedgehog",
        "The riddle does not name the animal.",
    ),
    (
        "You are given a list of things to buy. Sort it by the part of the shop in which they are.",
        "apples, milk, soap, pears, butter, shampoo",
        "None.",
    ),
    (
        "You are given a sentence. Say it in a polite way.",
        "Shut the window, I am freezing.",
        "The reply is one sentence.",
    ),
    (
        "You are given a question and two answers. Choose the better one.",
        "Question: How do I clean a wooden table? A: With a damp cloth. B: With sand paper.",
        "Reply with 'A' or 'B'.",
    ),
    (
        "You are given the beginning of a story. Write the next sentence.",
        "The old lighthouse had been dark for years, until one night in March.",
        "The reply is one sentence.",
    ),
    (
        "You are given a word and a sentence that has it. Explain what the word means there.",
        "Word: bank. Sentence: We had our picnic on the bank of the river.",
        "None.",
    ),
    (
        "You are given a date. Tell which season it is in Australia then.",
        "12 January",
        "Reply with the name of a season.",
    ),
    (
        "You are given an e-mail. Make a title for it.",
        "Hi all, the lift will be repaired on Tuesday from 8 to 12. Please take the stairs. Regards, the house office",
        "The title has at most six words.",
    ),
    (
        "You are given two cities. Name one thing that they have in common.",
        "Venice and Amsterdam",
        "The reply is one sentence.",
    ),
    (
        "You are given a rule of a house and what somebody does. Tell whether it breaks the rule.",
        "Rule: No shoes on the carpet. Ben walks over the carpet in his socks.",
        "Reply with 'yes' or 'no'.",
    ),
    (
        "You are given a recipe step. Tell what could go wrong with it.",
        "Melt the chocolate over hot water.",
        "None.",
    ),
    (
        "You are given a sentence with a mistake in it. Write it without the mistake.",
        "She don't likes coffee.",
        "Change as little as possible.",
    ),
    (
        "You are given a job. List three tools that one needs for it.",
        "gardener",
        "The reply is a list with commas.",
    ),
    (
        "You are given a claim. Tell what one would have to know to check it.",
        "This tower is the tallest in the country.",
        "None.",
    ),
)
