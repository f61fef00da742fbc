"""The client: whole lists of requests outside, one event loop inside, `openai` underneath."""

import queue
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from catalog.calls import Attribution, Call, CallStore, Known, as_json, current_attribution
from catalog.records import Answer, Message, clean, digest
from infra.errors import Failure
from infra.settings import Role
from tasks import ledger
from tasks.llm.connection import LOOP, Connection, Unanswered

T = TypeVar("T")

_LOOK_UP = 2000
"""Requests looked up in the call store at once."""


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


class Target:
    """One model at one endpoint; its name and its connection are found when they are first needed."""

    def __init__(
        self, role: Role, name: Callable[[], str], connection: Callable[[], Connection], *, embedded: bool
    ) -> None:
        self.role = role
        self.connection = connection
        self.embedded = embedded
        self._find = name
        self._name = ""

    @property
    def model(self) -> str:
        """The model's name at its endpoint."""
        self._name = self._name or self._find()
        return self._name

    def failure(self, error: Unanswered) -> Failure:
        """The error for an endpoint that cannot be used."""
        at = self.connection().name
        advice = error.advice or "start it, or set OPENAI_BASE_URL to one that runs"
        return Failure(f"{self.role} model {(self._name or '?')!r} at {at}: {error}, an answer was wanted; {advice}")


@dataclass
class _Job:
    """One question on its way: the rows that ask it, and how often it was asked; `call` is its id in the store."""

    target: Target
    request: Request
    question: Sequence[Any]
    rows: list[int] = field(default_factory=list[int])
    attempt: int = 0
    call: str = ""

    def __post_init__(self) -> None:
        self.call = digest([self.target.model, *self.question, self.attempt])

    def ask_again(self) -> None:
        """The same question as a call of its own, with another seed."""
        self.attempt += 1
        self.__post_init__()


class LLM:
    """A model in a role."""

    def __init__(self, role: Role, targets: tuple[Target, ...], store: CallStore, attempts: int) -> None:
        self.role: str = role
        self._role: Role = role
        self._targets = targets
        self._store = store
        self._attempts = attempts

    @property
    def model(self) -> str:
        """The model's name; all of them, with commas, where the role names several."""
        return ",".join(target.model for target in self._targets)

    @property
    def pool(self) -> tuple["LLM", ...]:
        """Every model that the role names, each as an LLM of its own; just this one where it names one."""
        if len(self._targets) == 1:
            return (self,)
        return tuple(LLM(self._role, (target,), self._store, self._attempts) for target in self._targets)

    def ask(self, requests: Sequence[Request], parse: Callable[[str], T]) -> list[Answer[T] | Failed]:
        """Answers in the order of the requests.

        `parse` makes the value of the text and raises ValueError, saying what is wrong, where it cannot; the request is
        then asked again, a bounded number of times. Requests that fail in the end are `Failed`, never an exception:
        only an endpoint that refuses everything (no such address, key or model) raises.

        Raises:
            Failure: where the endpoint cannot be used at all.
        """
        batch = _Batch(self._store, self._attempts, parse)
        jobs: dict[str, _Job] = {}
        for index, request in enumerate(requests):
            question = _question(request)
            # By what is asked, not by place: a row keeps its model when the rows around it change.
            target = self._targets[int(digest(question)[:8], 16) % len(self._targets)]
            job = _Job(target, request, question)
            jobs.setdefault(job.call, job).rows.append(index)
        if not jobs:
            return []
        batch.run(list(jobs.values()))
        answers = {row: batch.settled[id(job)] for job in jobs.values() for row in job.rows}
        return [answers[index] for index in range(len(requests))]


class _Batch(Generic[T]):
    """The requests of one `ask`: looked up, sent, stored, then parsed here, in the thread that asked."""

    def __init__(self, store: CallStore, attempts: int, parse: Callable[[str], T]) -> None:
        self.settled: dict[int, Answer[T] | Failed] = {}
        self._store = store
        self._attempts = attempts
        self._parse = parse
        self._ledger = ledger.current()  # context variables do not cross into the loop's thread
        self._account = current_attribution()
        self._inbox: queue.SimpleQueue[tuple[_Job, Known | BaseException]] = queue.SimpleQueue()
        self._new: deque[_Job] = deque()
        self._flying: dict[int, Future[None]] = {}
        self._unreachable: Unanswered | None = None
        self._sent = self._out_of_reach = 0

    def run(self, jobs: Sequence[_Job]) -> None:
        """Settle every job."""
        self._new.extend(jobs)
        ready: deque[_Job] = deque()
        try:
            while self._new or ready or self._flying:
                if self._new and len(ready) < _LOOK_UP:
                    ready.extend(self._look_up())
                while ready and len(self._flying) < _window(ready[0]):
                    self._send(ready.popleft())
                # Re-asked jobs go to `_new`: look them up before waiting, unless the endpoint is busy anyway.
                if self._flying and (ready or not self._new):
                    self._receive(*self._inbox.get())
        finally:
            for future in self._flying.values():
                future.cancel()
        if self._unreachable is not None and self._out_of_reach == self._sent:
            raise jobs[0].target.failure(self._unreachable)

    def _look_up(self) -> list[_Job]:
        """The next jobs that the call store cannot answer; those that it can are settled."""
        jobs = [self._new.popleft() for _ in range(min(_LOOK_UP, len(self._new)))]
        found = self._store.find([job.call for job in jobs])
        missing: list[_Job] = []
        for job in jobs:
            if known := found.get(job.call):
                self._settle(job, known)
            else:
                missing.append(job)
        return missing

    def _send(self, job: _Job) -> None:
        self._sent += 1
        self._flying[id(job)] = LOOP.run(self._exchange(job, job.target.connection()))

    async def _exchange(self, job: _Job, connection: Connection) -> None:
        """Ask the endpoint, on the loop, and store what came of it."""
        try:
            path, body = _body(job)
            call = _call(job, body, connection, self._account)
            try:
                answer = await connection.complete(path, body)
            except Unanswered as error:
                lost = error
                call = replace(call, error=str(error), tries=error.tries, latency=error.seconds)
            else:
                lost = None
                call = replace(
                    call,
                    response=as_json(answer.response),
                    text=answer.text,
                    finish_reason=answer.finish_reason,
                    prompt_tokens=answer.prompt_tokens,
                    completion_tokens=answer.completion_tokens,
                    latency=answer.seconds,
                    tries=answer.tries,
                )

            def stored(outcome: Known | Exception | None) -> None:
                # Another process may have had more luck with the same question.
                self._inbox.put((job, outcome or lost or RuntimeError("the call store kept no answer")))

            self._store.put(call, stored)
        except Exception as error:  # noqa: BLE001 - the thread that asked must hear of it, whatever it is
            self._inbox.put((job, error))

    def _receive(self, job: _Job, outcome: Known | BaseException) -> None:
        del self._flying[id(job)]
        match outcome:
            case Known():
                self._settle(job, outcome)
            case Unanswered():
                if outcome.advice:
                    raise job.target.failure(outcome)
                if outcome.unreachable:
                    self._unreachable = outcome
                    self._out_of_reach += 1
                self.settled[id(job)] = Failed(outcome.reason, outcome.evidence)
            case _:
                raise outcome

    def _settle(self, job: _Job, known: Known) -> None:
        """Parse an answer; one that is malformed is asked for again."""
        for copy in range(len(job.rows) if job.attempt == 0 else 1):
            self._count(known, reused=known.reused or copy > 0)
        try:
            self.settled[id(job)] = Answer(self._parse(known.text), job.call)
        except ValueError as error:
            if job.attempt + 1 < self._attempts:
                job.ask_again()
                self._new.append(job)
            else:
                self.settled[id(job)] = Failed(str(error), known.text)

    def _count(self, known: Known, *, reused: bool) -> None:
        if self._ledger is not None:
            self._ledger.asked(
                reused=reused, prompt_tokens=known.prompt_tokens, completion_tokens=known.completion_tokens
            )


def _window(job: _Job) -> int:
    """Requests handed over at once: enough to keep every slot busy while an answer is parsed here."""
    return 4 * job.target.connection().slots


def _question(request: Request) -> list[Any]:
    """What makes two requests the same question, whoever is asked."""
    return [
        [[clean(message["role"]), clean(message["content"])] for message in request.messages],
        clean(request.prefix),
        [request.temperature, request.top_p, request.max_tokens, [clean(text) for text in request.stop]],
        request.schema,
        request.seed,
        request.sample,
    ]


def _body(job: _Job) -> tuple[str, dict[str, Any]]:
    """Path and body of the HTTP request."""
    request = job.request
    body: dict[str, Any] = {
        "model": job.target.model,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        # The first attempt has the seed that was asked for; servers differ in the integers they take.
        "seed": int(digest([request.seed, job.attempt])[:7], 16) if job.attempt else request.seed % 2**31,
    }
    if request.stop:
        body["stop"] = [clean(text) for text in request.stop]
    if request.schema is not None:
        schema = _closed(request.schema)
        if request.prefix and job.target.embedded:
            body["json_schema"] = schema  # llama.cpp ignores response_format here, silently
        else:
            name = _NAME.sub("_", str(request.schema.get("title", "answer")))[:64]
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema, "strict": True},
            }
    if request.prefix:
        return "/completions", body | {"prompt": clean(request.prefix)}
    messages = [{"role": clean(turn["role"]), "content": clean(turn["content"])} for turn in request.messages]
    return "/chat/completions", body | {"messages": messages}


_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def _closed(schema: Any) -> Any:
    """The schema with every object's fields required and no others allowed: what strict mode asks of a schema."""
    if isinstance(schema, Mapping):
        inner = {str(key): _closed(value) for key, value in schema.items()}
        if isinstance(properties := inner.get("properties"), dict) and inner.get("type") == "object":
            inner |= {"required": list(properties), "additionalProperties": False}
        return inner
    return [_closed(part) for part in schema] if isinstance(schema, (list, tuple)) else schema


def _call(job: _Job, body: Mapping[str, Any], connection: Connection, account: Attribution) -> Call:
    return Call(
        call_id=job.call,
        run_id=account.run_id,
        method=account.method,
        role=job.target.role,
        endpoint=connection.name,
        model=job.target.model,
        request=as_json(body),
    )
