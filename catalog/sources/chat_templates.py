"""Chat templates: what stands around the turns of a conversation, as models were trained to read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources import source


@dataclass(frozen=True, kw_only=True)
class ChatTemplate(Record):
    """A template: `system` holds `{text}`; `user` opens a user's turn, `assistant` ends it and opens the answer.

    `default` is the system message of conversations that have none of their own, where models know it so.
    """

    name: str
    default: str
    system: str
    user: str
    assistant: str
    stop: str


_TEMPLATES = {
    "chatml": (
        "You are a helpful AI assistant.",
        "<|im_start|>system\n{text}<|im_end|>\n",
        "<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>",
    ),
    "llama-3": (
        "",
        "<|start_header_id|>system<|end_header_id|>\n\n{text}<|eot_id|>",
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
    ),
    "gemma": (
        "",
        "<start_of_turn>user\n{text}<end_of_turn>\n",
        "<start_of_turn>user\n",
        "<end_of_turn>\n<start_of_turn>model\n",
        "<end_of_turn>",
    ),
    "phi-3": ("", "<|system|>\n{text}<|end|>\n", "<|user|>\n", "<|end|>\n<|assistant|>\n", "<|end|>"),
    "zephyr": ("", "<|system|>\n{text}</s>\n", "<|user|>\n", "</s>\n<|assistant|>\n", "</s>"),
    "mistral": ("", "[INST] {text} [/INST]</s>", "[INST] ", " [/INST]", "</s>"),
}


@source(table="raw.chat_templates", licence="Apache-2.0", package=None)
def chat_templates() -> Iterator[tuple[ChatTemplate, str]]:
    """Six; a server that adds the token of the beginning itself needs none here."""
    for name, (default, system, user, assistant, stop) in _TEMPLATES.items():
        yield ChatTemplate(name=name, default=default, system=system, user=user, assistant=assistant, stop=stop), name
