"""Kinds of questions to make, written here: what each is called, what it is about, and some topics of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources import source


@dataclass(frozen=True, kw_only=True)
class QuestionSplit(Record):
    """One kind of questions: `wanted` is what its topics are called, `question` what is to be written about one."""

    name: str
    wanted: str
    question: str
    topics: tuple[str, ...]


_SPLITS = {
    "academic": (
        "fields of study at a university",
        "a question that makes a student think",
        "astronomy, linguistics, geology, economics, botany, archaeology, music theory, law, anatomy, logic, ethics",
    ),
    "general": (
        "things that people wonder about in daily life",
        "a question that a curious person could ask",
        "cooking, weather, pets, travel, sleep, gardening, money, sports, history, health, films, cleaning",
    ),
    "task": (
        "small jobs that an assistant can do with words",
        "a request for help with such a job",
        "planning a meal, writing an invitation, packing a bag, sorting a list, finding a name, explaining a rule",
    ),
    "writing": (
        "kinds of short texts",
        "a request to write such a text, with its subject",
        "a poem, a letter, a fable, an advertisement, a diary entry, a riddle, a speech, a recipe, a review, a toast",
    ),
    "code": (
        "problems that a small program solves",
        "a request to write a short Python function",
        "counting words, sorting numbers, reading dates, checking passwords, reversing text, converting units",
    ),
    "math": (
        "branches of school mathematics",
        "a word problem with a number for an answer",
        "addition, fractions, percentages, averages, areas, speed, ratios, probability, equations, angles, money, time",
    ),
    "multiple choice": (
        "subjects of a quiz",
        "a question with four choices, A to D, of which one is right",
        "capitals, animals, planets, inventions, rivers, painters, languages, sports, food, instruments, plants",
    ),
    "exam": (
        "subjects of a professional examination",
        "a question that tests what an expert knows",
        "nursing, accounting, marketing, physics, nutrition, contract law, statistics, psychology, chemistry, virology",
    ),
}


@source(table="raw.question_splits", licence="Apache-2.0", package=None)
def question_splits() -> Iterator[tuple[QuestionSplit, str]]:
    """Eight kinds."""
    for name, (wanted, question, topics) in _SPLITS.items():
        yield QuestionSplit(name=name, wanted=wanted, question=question, topics=tuple(topics.split(", "))), name
