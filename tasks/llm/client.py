"""The client: whole lists of requests outside, one event loop inside, `openai` underneath."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from catalog.records import Answer
from infra.settings import Role
from tasks.llm.asking import Asking
from tasks.llm.request import Draw, Embed, Request, unpack
from tasks.llm.target import Failed, Target, Terms

T = TypeVar("T")


class LLM:
    """A model in a role, or several that share the work."""

    def __init__(self, role: Role, targets: tuple[Target, ...], terms: Terms) -> None:
        self.role: str = role
        self._role: Role = role
        self._targets = targets
        self._terms = terms

    @property
    def model(self) -> str:
        """The model's name; all of them, with commas, where the role names several."""
        return ",".join(dict.fromkeys(target.model for target in self._targets))

    @property
    def pool(self) -> tuple["LLM", ...]:
        """Every model that the role names, each as an LLM of its own; just this one where it names one."""
        by_model: dict[str, list[Target]] = {}
        for target in self._targets:
            by_model.setdefault(target.model, []).append(target)
        if len(by_model) == 1:
            return (self,)
        return tuple(LLM(self._role, tuple(targets), self._terms) for targets in by_model.values())

    def ask(self, requests: Iterable[Request], parse: Callable[[str], T]) -> list[Answer[T] | Failed]:
        """Answers in the order of the requests, which are taken as they are needed.

        `parse` makes the value of the text and raises ValueError, saying what is wrong, where it cannot; JSON that can
        be mended is, anything else is asked for again, a bounded number of times. Requests that fail in the end are
        `Failed`, never an exception: only an endpoint that refuses everything (no such address, key or model) raises.

        Raises:
            Failure: where the endpoint cannot be used at all.
        """
        if (mark := self._targets[0].mark) is not None:  # JSON has too little choice for it
            requests = (one if one.schema else replace(one, watermark=mark.name) for one in requests)
        return Asking(self._targets, self._terms, parse).run(requests)

    def embed(self, texts: Iterable[str], *, dimensions: int | None = None) -> list[Answer[tuple[float, ...]] | Failed]:
        """The vectors of texts, in their order.

        Raises:
            Failure: where the endpoint cannot be used at all.
        """
        asked = (Embed(text=text, dimensions=dimensions) for text in texts)
        return Asking(self._targets, self._terms, unpack).run(asked)

    def draw(self, prompts: Iterable[str], *, size: str = "1024x1024", sample: int = 0) -> list[Answer[bytes] | Failed]:
        """Pictures made from prompts, as the bytes of an image file.

        Raises:
            Failure: where the endpoint cannot be used at all.
        """
        asked = (Draw(prompt=prompt, size=size, sample=sample) for prompt in prompts)
        return Asking(self._targets, self._terms, base64.b64decode).run(asked)
