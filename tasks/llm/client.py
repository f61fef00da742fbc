"""The client: whole lists of requests outside, one event loop inside, `openai` underneath.

(Interface draft; the implementation follows.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from catalog.records import Answer, Message

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question to a model: chat messages, or a raw `prefix` to complete.

    `sample` tells the n draws for one prompt apart: each has a seed of its own, and its own row in the call store.
    """

    messages: tuple[Message, ...] = ()
    prefix: str = ""
    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int = 0
    sample: int = 0
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Failed:
    """A request that got no usable answer within the bounds: why, and the last text that came back."""

    reason: str
    evidence: str = ""


class LLM:
    """A model in a role."""

    role: str
    model: str

    @property
    def pool(self) -> tuple["LLM", ...]:
        """Every model that the role names, each as an LLM of its own; just this one where it names one."""
        raise NotImplementedError

    def ask(self, requests: Sequence[Request], parse: Callable[[str], T]) -> list[Answer[T] | Failed]:
        """Answers in the order of the requests.

        `parse` makes the value of the text and raises ValueError, saying what is wrong, where it cannot; the request is
        then asked again, a bounded number of times. Requests that fail in the end are `Failed`, never an exception:
        only an endpoint that refuses everything (no such address, key or model) raises.

        Raises:
            Failure: where the endpoint cannot be used at all.
        """
        raise NotImplementedError
