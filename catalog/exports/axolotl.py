"""Axolotl: lines of messages, beside the part of its configuration that reads them.

https://docs.axolotl.ai/docs/dataset-formats
"""

from collections.abc import Mapping
from typing import Any

from catalog.exports import Conversation, Example, Exported, Pair, Text, export_format

_READ: Mapping[Any, Mapping[str, str]] = {
    Text: {"type": "completion", "field": "text"},
    Conversation: {"type": "chat_template", "field_messages": "messages"},
    Pair: {
        "type": "chat_template.default",
        "field_messages": "messages",
        "field_chosen": "chosen",
        "field_rejected": "rejected",
    },
}


def config(exported: Exported) -> Mapping[str, str]:
    """`axolotl.yaml`: the data sets, to be put into a configuration; those beside the first are to test with."""
    import yaml

    first, *others = [
        {"path": file, "ds_type": "json", "split": "train", **_READ[exported.kind]} for file in exported.files.values()
    ]
    told = {"rl": "dpo"} if exported.kind is Pair else {}
    told |= {"datasets": [first], **({"test_datasets": others} if others else {})}
    return {"axolotl.yaml": yaml.safe_dump(told, sort_keys=False)}


@export_format(kinds=(Text, Conversation, Pair), beside=config)
def axolotl(example: Example) -> dict[str, Any]:
    """A row: `text`, `messages`, or `messages` with the `chosen` and the `rejected` next one."""
    match example:
        case Text(text):
            return {"text": text}
        case Conversation(turns):
            return {"messages": list(turns)}
        case Pair(asked, chosen, rejected):
            better, worse = ({"role": "assistant", "content": text} for text in (chosen, rejected))
            return {"messages": list(asked), "chosen": better, "rejected": worse}
        case _:
            raise TypeError(example)
