"""A model at an endpoint, and the terms on which it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog.calls import CallStore
from infra.errors import Failure
from infra.settings import Role
from tasks.llm.batches import Batches
from tasks.llm.connection import Connection
from tasks.llm.faults import Unanswered
from tasks.llm.prices import Prices
from tasks.llm.request import Grammar
from tasks.llm.tokens import TokenEstimate
from tasks.llm.watermark import Mark


@dataclass(frozen=True)
class Failed:
    """A request that got no usable answer within the bounds: why, and the last text that came back."""

    reason: str
    evidence: str = ""


class Target:
    """One model at one endpoint; its name and its connection are found when they are first needed."""

    def __init__(
        self,
        role: Role,
        name: Callable[[], str],
        connection: Callable[[], Connection],
        *,
        grammar: Grammar | None = None,
        batches: Callable[[Connection], Batches] | None = None,
        mark: Mark | None = None,
        draws: int = 128,
    ) -> None:
        self.role = role
        self.grammar = grammar
        self.batches = batches
        self.mark = mark
        self.draws = draws
        """Answers that it gives to one request at the most."""
        self.estimate = TokenEstimate()
        self._find = name
        self._name = ""
        self._connect = connection

    @cached_property
    def connection(self) -> Connection:
        """Where it is asked."""
        return self._connect()

    @property
    def model(self) -> str:
        """The model's name at its endpoint."""
        self._name = self._name or self._find()
        return self._name

    def failure(self, error: Unanswered) -> Failure:
        """The error for an endpoint that cannot be used."""
        at = self.connection.name
        advice = error.advice or "start it, or set OPENAI_BASE_URL to one that runs"
        return Failure(f"{self.role} model {(self._name or '?')!r} at {at}: {error}, an answer was wanted; {advice}")


class Pool:
    """The targets that share the work of a role, by the names of their models."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets

    @cached_property
    def by_model(self) -> dict[str, list[Target]]:
        """The targets of each model; a model's name may have to be asked for."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.model, []).append(target)
        return found

    @property
    def batched(self) -> bool:
        """Whether an endpoint is asked through its Batch API, which takes everything at once."""
        return any(target.batches for target in self.targets)

    @cached_property
    def draws(self) -> int:
        """Answers that any of the targets gives to one request."""
        return min(target.draws for target in self.targets)

    @property
    def slots(self) -> int:
        """Requests in flight at the most."""
        return sum(target.connection.slots for target in self.targets)

    def serving(self, model: str, avoided: Sequence[Target] = ()) -> Target:
        """Of the endpoints that serve a model, one that works and has the least to do; one `avoided` comes last."""
        serving = self.by_model[model]
        if len(serving) == 1:
            return serving[0]
        return min(serving, key=lambda t: (t in avoided, t.connection.down, t.connection.in_flight))


@dataclass(frozen=True)
class Terms:
    """What all requests of a run are sent under."""

    store: CallStore
    prices: Prices
    attempts: int
