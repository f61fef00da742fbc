"""What a row is to a trainer: a text to read, a conversation to learn from, or two answers of which one is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.records import Message

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Text:
    """A text to read, as in pretraining."""

    text: str


@dataclass(frozen=True)
class Conversation:
    """Turns of which the last is the assistant's, to learn from; `dialogue` where a row may have several of them."""

    turns: tuple[Message, ...]
    dialogue: bool = False


@dataclass(frozen=True)
class Pair:
    """The turns that ask, and the better and the worse answer to them."""

    asked: tuple[Message, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True)
class Judged:
    """The turns that ask, and one answer with whether it is wanted: half of a pair."""

    asked: tuple[Message, ...]
    answer: str
    good: bool


Example = Text | Conversation | Pair | Judged

KINDS: Mapping[type[Example], str] = {Text: "texts", Conversation: "conversations", Pair: "preferences"}
"""What a table's rows can be, and what many of them are called."""


class Unfit(Exception):
    """Why a row is no example of its kind, or breaks a rule of the format: it is left out, and counted."""


def kind_of(columns: Sequence[str]) -> type[Example] | None:
    """What the rows of a table with these columns are; None where they are nothing that a model is trained on."""
    there = set(columns)
    if {"prompt", "chosen", "rejected"} <= there:
        return Pair
    if "messages" in there or ("prompt" in there and there & {"completion", "answer"}):
        return Conversation
    return Text if there & {"text", "code"} else None


def example_of(row: Mapping[str, Any], kind: type[Example]) -> Example:
    """A row as an example.

    The answer to a problem is its worked solution where it has one. A column `system` is the system's message.

    Raises:
        Unfit: where a part of it is blank, or the turns are in no order that a model can learn from.
    """
    if kind is Text:
        return Text(_said(row, "text" if "text" in row else "code"))
    if kind is Pair:
        return Pair(_asked(row), _said(row, "chosen"), _said(row, "rejected"))
    if "messages" in row:
        return Conversation(_in_order(row["messages"] or ()), dialogue=True)
    name = "completion" if "completion" in row else "solution" if row.get("solution") else "answer"
    return Conversation((*_asked(row), Message(role="assistant", content=_said(row, name))))


def halves(pair: Pair) -> tuple[Judged, Judged]:
    """The answers of a pair, each for itself."""
    return Judged(pair.asked, pair.chosen, good=True), Judged(pair.asked, pair.rejected, good=False)


def _asked(row: Mapping[str, Any]) -> tuple[Message, ...]:
    asked = Message(role="user", content=_said(row, "prompt"))
    system = row.get("system") or ""
    return (Message(role="system", content=system), asked) if system.strip() else (asked,)


def _said(row: Mapping[str, Any], name: str) -> str:
    text = row.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Unfit(f"{name} is blank")
    return text


def _in_order(turns: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """A system's turn or none, then user and assistant in turns, the assistant last."""
    said = tuple(Message(role=str(turn["role"]), content=str(turn["content"] or "")) for turn in turns)
    if any(not turn["content"].strip() for turn in said):
        raise Unfit("a turn is blank")
    talk = said[1:] if said and said[0]["role"] == "system" else said
    if not talk or [turn["role"] for turn in talk] != ["user", "assistant"] * (len(talk) // 2):
        raise Unfit("user and assistant do not take turns, or the assistant is not last")
    return said
