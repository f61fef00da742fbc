"""Alpaca: an instruction, an empty input and the output; earlier turns in `history`, texts in `text`."""

from typing import Any

from catalog.exports import Conversation, Example, Judged, Pair, Text, export_format
from catalog.exports._examples import Message


@export_format(kinds=(Text, Conversation, Pair))
def alpaca(example: Example) -> dict[str, Any]:
    """A row, with `chosen` and `rejected` in place of the output where it is a preference."""
    match example:
        case Text(text):
            return {"text": text}
        case Conversation(turns, dialogue):
            talk = [turn["content"] for turn in turns if turn["role"] != "system"]
            earlier = [list(pair) for pair in zip(talk[:-2:2], talk[1:-2:2], strict=True)]
            history = {"history": earlier} if dialogue else {}
            return {"instruction": talk[-2], "input": "", "output": talk[-1], **_system(turns), **history}
        case Pair(asked, chosen, rejected):
            answers = {"chosen": chosen, "rejected": rejected}
            return {"instruction": asked[-1]["content"], "input": "", **answers, **_system(asked)}
        case Judged():
            raise TypeError(example)


def _system(turns: tuple[Message, ...]) -> dict[str, str]:
    return {"system": turns[0]["content"]} if turns[0]["role"] == "system" else {}
