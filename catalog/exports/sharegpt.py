"""ShareGPT: conversations as turns of `human` and `gpt`, which many trainers read."""

from typing import Any

from catalog.exports import Conversation, Example, Pair, export_format
from catalog.exports._examples import Message

NAMES = {"system": "system", "user": "human", "assistant": "gpt"}


@export_format(kinds=(Conversation, Pair))
def sharegpt(example: Example) -> dict[str, Any]:
    """A row: its turns, and for a preference the better and the worse next turn."""
    match example:
        case Conversation(turns):
            return {"conversations": said(turns)}
        case Pair(asked, chosen, rejected):
            return {"conversations": said(asked), "chosen": answer(chosen), "rejected": answer(rejected)}
        case _:
            raise TypeError(example)


def said(turns: tuple[Message, ...]) -> list[dict[str, str]]:
    """The turns by the names of this format."""
    return [{"from": NAMES[turn["role"]], "value": turn["content"]} for turn in turns]


def answer(text: str) -> dict[str, str]:
    """The model's turn."""
    return {"from": NAMES["assistant"], "value": text}
