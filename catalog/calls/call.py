"""A call to a model, what is known of it, and on whose account it was made."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from catalog.records import clean

N = TypeVar("N", int, float)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request and what came of it; None: not known, or not there."""

    call_id: str
    """Hash of model, question, parameters, schema, seed, sample and attempt."""
    run_id: str = ""
    """The run and the table, `stage.method`, that asked; empty outside a run."""
    method: str = ""
    role: str = ""
    kind: str = "chat"
    """chat, completion, embedding or image."""
    endpoint: str = ""
    """Its address without credentials, or `embedded`."""
    model: str = ""
    request: str = ""
    """JSON, as sent."""
    response: str | None = None
    """JSON, as it came."""
    text: str | None = None
    """Of the answer; None: it failed, and is asked again the next time."""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    """Dollars."""
    prices: str = ""
    """Version of the price table that gave the cost."""
    latency: float = 0.0
    """Seconds, of the last try."""
    tries: int = 0
    """Sendings, retries and hedges included."""
    attempt: int = 0
    """0, or n for the n-th re-ask of a malformed answer."""
    batch: str | None = None
    """Id of the Batch API job."""
    error: str | None = None
    """Why no answer came."""
    created_at: str = ""
    """UTC; empty for the moment of writing."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer in the store; `reused` where it was there before it was asked for."""

    text: str
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    reused: bool = True
    response: str | None = None


class Spent(NamedTuple):
    """What a call has used up, over all that was sent for it; None: not known."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost: float | None
    tries: int

    @classmethod
    def on(cls, call: Call) -> "Spent":
        """What this sending of a call used up."""
        return cls(call.prompt_tokens, call.completion_tokens, call.cached_tokens, call.cost, call.tries)

    def and_also(self, other: "Spent") -> "Spent":
        """Both; what is known of one only is that."""
        return Spent(
            _sum(self.prompt_tokens, other.prompt_tokens),
            _sum(self.completion_tokens, other.completion_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.cost, other.cost),
            self.tries + other.tries,
        )


def _sum(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else one + other


@dataclass(frozen=True)
class Attribution:
    """On whose account calls are made."""

    run_id: str = ""
    method: str = ""


_attribution: ContextVar[Attribution] = ContextVar("attribution", default=Attribution())  # noqa: B039 - it is frozen


@contextmanager
def attribution(*, run_id: str, method: str) -> Generator[None]:
    """Book the calls made inside to a run and its method."""
    token = _attribution.set(Attribution(run_id, method))
    try:
        yield
    finally:
        _attribution.reset(token)


def current_attribution() -> Attribution:
    """The account of the calls made here."""
    return _attribution.get()


def as_json(value: object) -> str:
    """JSON text, readable, without the lone surrogates that no file can hold."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
