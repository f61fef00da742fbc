"""`tag`: a model labels each row by several questions (operators.md 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting
from tasks.operators.label import label

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Tag:
    """A question, the labels that answer it, and (text, label) pairs that show how."""

    question: str
    labels: Sequence[str]
    demos: Sequence[tuple[str, str]] = ()


@operator
def tag(
    judge: LLM, rows: Rows[R], text: "Prompting[R]", tags: Mapping[str, Tag], *, seed: int = 0
) -> list[tuple[R, dict[str, Answer[str]]]]:
    """(row, labels by tag) for each row with a label of every tag; a row without one is dropped where it is asked."""
    left, found = list(rows), dict[str, dict[str, Answer[str]]]()
    for name, each in tags.items():
        labelled = label(judge, left, each.question, each.labels, text, demos=each.demos, seed=seed)
        left = [row for row, _ in labelled]
        for row, answer in labelled:
            found.setdefault(row.record_id, {})[name] = answer
    return [(row, found[row.record_id]) for row in left]


SOUND = ("average", "good", "excellent")
"""The qualities of a request that is worth an answer."""
_DEMOS = (
    ("thing about stuff do it", "others", "very hard", "very poor"),
    ("What is the capital of Peru?", "information seeking", "very easy", "good"),
    ("write code", "coding", "medium", "poor"),
    ("I have 12 apples and give away a third. How many are left?", "math", "easy", "excellent"),
    ("Help me plan a weekend in Rome with two small children.", "planning", "medium", "good"),
    ("Write a story.", "creative writing", "easy", "average"),
)
REQUEST_TAGS = {
    "task": Tag(
        "What kind of task is this request?",
        (
            *("information seeking", "reasoning", "planning", "editing", "coding", "math", "data analysis"),
            *("role playing", "creative writing", "advice seeking", "brainstorming", "others"),
        ),
        [(text, task) for text, task, _, _ in _DEMOS],
    ),
    "difficulty": Tag(
        "How hard is this request to answer?",
        ("very easy", "easy", "medium", "hard", "very hard"),
        [(text, difficulty) for text, _, difficulty, _ in _DEMOS],
    ),
    "quality": Tag(
        "How clear, specific and complete is this request?",
        ("very poor", "poor", *SOUND),
        [(text, quality) for text, _, _, quality in _DEMOS],
    ),
}
"""What a request is about, how hard it is, and how well it is put."""
