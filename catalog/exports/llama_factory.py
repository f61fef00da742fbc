"""LLaMA-Factory: ShareGPT's turns, beside a `dataset_info.json` that tells it how to read them.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

import json
from collections.abc import Mapping
from typing import Any

from catalog.exports import Conversation, Example, Exported, Judged, Pair, Text, export_format
from catalog.exports.sharegpt import answer, said, sharegpt


def info(exported: Exported) -> Mapping[str, str]:
    """`dataset_info.json`: each split as a dataset of its own."""
    columns = {"prompt": "text"} if exported.kind is Text else {"messages": "conversations"}
    told: dict[str, Any] = {"columns": columns}
    if exported.kind is not Text:
        told["formatting"] = "sharegpt"
    if exported.kind is Pair and exported.unpaired:
        columns["kto_tag"] = "label"
    elif exported.kind is Pair:
        told["ranking"] = True
        columns |= {"chosen": "chosen", "rejected": "rejected"}
    several = len(exported.files) > 1
    named = {
        f"{exported.name}_{split}" if several else exported.name: {"file_name": file, **told}
        for split, file in exported.files.items()
    }
    return {"dataset_info.json": json.dumps(named, indent=2) + "\n"}


@export_format(kinds=(Text, Conversation, Pair), unpairs=True, beside=info)
def llama_factory(example: Example) -> dict[str, Any]:
    """A row: its turns, and for a preference both next turns, or one with whether it is wanted (KTO)."""
    match example:
        case Text(text):
            return {"text": text}
        case Judged(asked, said_so, good):
            return {"conversations": [*said(asked), answer(said_so)], "label": good}
        case _:
            return sharegpt(example)
