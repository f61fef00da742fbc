"""`eliminate`: leave out evolved prompts that are none, and answers that show it, by their words (operators.md 16)."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from catalog.records import Answer, Prompt
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.evolve import Evolved
from tasks.operators.filter import keep
from tasks.operators.rewrite import looped
from tasks.operators.score import FUNCTION_WORDS

_HEADING = re.compile(r"\A\W*(?:rewritten|created|harder|new)\s+prompt\W*[:#]+\s*", re.IGNORECASE)
_LEAKED = re.compile(r"#?\b(?:given|rewritten|created|harder) prompts?\b#?", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def read_instruction(text: str) -> str:
    """The evolved instruction, without the heading that asked for it.

    Raises:
        ValueError: where nothing is left.
    """
    if not (said := _HEADING.sub("", text).strip(' \n"')):
        raise ValueError("the instruction is blank")
    return said


@dataclass(frozen=True, kw_only=True)
class Child(Prompt):
    """An evolved prompt, the one that it was made of, and the operation that did it."""

    parent: str
    operation: str


@operator
def eliminate(rows: Rows[tuple[Prompt, Answer[Evolved]]], *, shown: Collection[str] = ()) -> list[Child]:
    """The children in (parent, evolved) pairs that say something else than their parents.

    Those that say the same words are dropped, those that hold words of the prompt that asked for them or are one of
    the examples `shown` in it, and those that run in a circle.
    """
    children = [
        Child(prompt=made.value.text, parent=row.prompt, operation=made.value.operation, origin=(row, made))
        for row, made in rows
    ]
    return keep(children, lambda child: _fault(child, shown))


def _fault(child: Child, shown: Collection[str]) -> str:
    if found := _LEAKED.search(child.prompt):
        return f"words of the evolving prompt leaked: {found[0].lower()}"
    if child.prompt in shown:
        return "words of the evolving prompt leaked: its example"
    if child.prompt.split() == child.parent.split():
        return "no information gain: the same words"
    return "the instruction runs in a circle" if looped(child.prompt) else ""


def fault_of_answer(text: str, *, sorry: int = 80) -> str:
    """Why an answer shows that nobody could answer, or nothing; one of `sorry` words or more may say sorry."""
    words = _WORD.findall(text.lower())
    if "sorry" in words and len(words) < sorry:
        return "the answer is short and says sorry"
    if all(word in FUNCTION_WORDS for word in words):
        return "the answer is only punctuation and stop words"
    return "the answer runs in a circle" if looped(text) else ""
