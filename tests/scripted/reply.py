"""What a test says that the server shall do with a request, and what the server tells it of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the server does with one request, where a plain text with status 200 is not it.

    In a batch, `status` is that of the request's line, `body` stands in its place, `dropped` leaves it out, and `hang`
    is a request that the batch did not come to before its time was up.
    """

    content: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float = 0.0  # seconds before anything is sent
    dropped: bool = False  # the connection is closed without an answer
    body: str | None = None  # sent as it is, in place of a completion
    empty: bool = False  # a completion without choices
    finish: str = "stop"
    usage: Mapping[str, Any] | None = field(default_factory=dict)  # what differs from the words counted; None: no usage
    done: bool = False  # a fault of files and batches only: what was asked for is done all the same


Answering = Callable[[str, dict[str, Any]], "str | Reply"]
"""The answer to a prompt; it sees the body too."""


def prompt_of(body: Mapping[str, Any]) -> str:
    """The text of the last user message, the raw prompt, or the first text to embed."""
    if "messages" in body:
        content = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
        if isinstance(content, str):
            return content
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    if "input" in body:
        return body["input"] if isinstance(body["input"], str) else str(body["input"][0])
    return body["prompt"]
