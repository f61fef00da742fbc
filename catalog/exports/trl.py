"""TRL: texts, prompts with completions, dialogues, and preferences, in pairs (DPO) or one answer at a time (KTO).

https://huggingface.co/docs/trl/dataset_formats
"""

from typing import Any

from catalog.exports import Conversation, Example, Judged, Pair, Text, export_format


@export_format(kinds=(Text, Conversation, Pair), unpairs=True)
def trl(example: Example) -> dict[str, Any]:
    """A row: language modeling, prompt-completion, preference or unpaired preference, conversational but for texts."""
    match example:
        case Text(text):
            return {"text": text}
        case Conversation(turns, dialogue=True):
            return {"messages": list(turns)}
        case Conversation(turns):
            return {"prompt": list(turns[:-1]), "completion": [turns[-1]]}
        case Pair(asked, chosen, rejected):
            return {"prompt": list(asked), "chosen": _answer(chosen), "rejected": _answer(rejected)}
        case Judged(asked, answer, good):
            return {"prompt": list(asked), "completion": _answer(answer), "label": good}


def _answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
