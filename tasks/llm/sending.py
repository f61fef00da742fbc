"""Sending: jobs go to their endpoints on the event loop, come back, and are stored before anybody sees them."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from catalog.calls import Attribution, Call, Known, as_json
from catalog.records import clean
from tasks.ledger import Ledger
from tasks.llm.batches import Item
from tasks.llm.connection import Sent
from tasks.llm.faults import Stopped, Unanswered
from tasks.llm.prices import Usage
from tasks.llm.request import Request, Wire
from tasks.llm.target import Failed, Pool, Target, Terms

_JOINED = {"chat": 16, "completion": 16, "embedding": 64, "image": 1}
"""Calls that one HTTP request may answer, by kind."""
_NO_JOINING = "n"


@dataclass(eq=False, slots=True)
class Job:
    """One row of the call store on its way: the places in the list of answers that wait for it."""

    request: Wire
    models: list[str]  # that may answer it, in this order
    calls: list[str]  # its id in the store, by model
    places: list[int]
    attempt: int = 0
    at: int = 0  # which of the models is asked
    tries: int = 0  # sendings so far

    @property
    def call(self) -> str:
        """Its id in the call store."""
        return self.calls[self.at]

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.models[self.at]


@dataclass(eq=False, slots=True)
class Exchange:
    """One HTTP request on its way, and the jobs that it answers."""

    jobs: list[Job]
    tries: int = 0
    faults: int = 0
    waited: float = 0.0
    avoided: list[Target] = field(default_factory=list[Target])  # where it has failed
    without: frozenset[str] = frozenset()  # parameters that its endpoint is known not to know

    @property
    def characters(self) -> int:
        """Length of what the model reads: the question of several draws once, of texts to embed each."""
        read = self.jobs if self.jobs[0].request.kind == "embedding" else self.jobs[:1]
        return sum(job.request.characters for job in read)


@dataclass(frozen=True, slots=True)
class Lost:
    """A job that got no answer: what the row is told, and the error; None where it was not even sent."""

    failed: Failed
    error: Unanswered | None = None


Outcomes = Sequence[tuple[Job, Known | Lost | BaseException]]


class Sending:
    """The sender of one `ask`: `hand_over` is told what becomes of its jobs, from other threads.

    All of it runs on the event loop, but for `joined`, and `_landed`, which runs in the call store's thread.
    """

    def __init__(
        self,
        pool: Pool,
        terms: Terms,
        ledger: Ledger | None,
        account: Attribution,
        hand_over: Callable[[Outcomes], None],
    ) -> None:
        self._pool = pool
        self._terms = terms
        self._ledger = ledger
        self._account = account
        self._hand_over = hand_over
        self._ready: deque[Exchange] = deque()
        self._open: set[Exchange] = set()  # sent and not yet stored: what a crash costs
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        # Put in on the loop, taken out in the store's thread:
        self._written: dict[str, tuple[Job, Exchange]] = {}
        self._losses: dict[str, Lost] = {}

    def joined(self, jobs: Sequence[Job]) -> list[Exchange]:
        """The jobs as HTTP requests: draws for one question, or texts to embed, go together."""
        exchanges: list[Exchange] = []
        for job in jobs:
            last = exchanges[-1].jobs if exchanges else None
            if (
                last
                and last[0].attempt == job.attempt == 0
                and len(last) < min(_JOINED[job.request.kind], self._pool.draws)
                and last[0].models == job.models
                and not self._pool.batched
                and last[0].request.joins(job.request)
            ):
                last.append(job)
            else:
                exchanges.append(Exchange([job]))
        return exchanges

    def take(self, exchanges: Iterable[Exchange]) -> None:
        """Send these, after those that wait already."""
        if self._stopped:
            return
        in_batches: dict[Target, list[Exchange]] = {}
        for exchange in exchanges:
            target = self._pool.serving(exchange.jobs[0].model)
            if target.batches is None:
                self._ready.append(exchange)
            else:
                in_batches.setdefault(target, []).append(exchange)
        for target, those in in_batches.items():
            self._start(self._in_batches(target, those))
        self._pump()

    def stop(self) -> None:
        """Give up on everything that is under way."""
        self._stopped = True
        self._ready.clear()
        for task in self._tasks:
            task.cancel()

    def _pump(self) -> None:
        """Begin as many requests as may be under way: one counts until its answer is stored."""
        while self._ready and len(self._open) < self._pool.slots:
            exchange = self._ready.popleft()
            self._open.add(exchange)
            self._start(self._guarded(exchange))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, exchanges: Iterable[Exchange]) -> None:
        """These are stored, or wait for another try."""
        self._open.difference_update(exchanges)
        self._pump()

    async def _guarded(self, exchange: Exchange) -> None:
        try:
            await self._exchange(exchange)
        except Exception as error:  # noqa: BLE001 - the thread that asked must hear of it, whatever it is
            self._hand_back(exchange, error)

    def _hand_back(self, exchange: Exchange, outcome: Lost | Exception) -> None:
        """Tell the thread that asked without storing anything."""
        self._hand_over([(job, outcome) for job in exchange.jobs])
        self._end([exchange])

    def _once_more(self, exchange: Exchange) -> None:
        """Send again, before what was never sent: the last to be answered makes everybody wait."""
        if not self._stopped:
            self._ready.appendleft(exchange)
            self._end([exchange])

    async def _exchange(self, exchange: Exchange) -> None:
        """Send a request, and store what comes of it."""
        first = exchange.jobs[0]
        target = self._pool.serving(first.model, exchange.avoided)
        connection = target.connection
        if len(exchange.jobs) > 1 and _NO_JOINING in connection.unknown.get(target.model, ()):
            self._ready.extendleft(Exchange([job]) for job in reversed(exchange.jobs))
            self._end([exchange])
            return
        body = _body(exchange, target)
        read: list[tuple[str, str] | None] = []

        def understand(content: bytes) -> Any:
            response = json.loads(content)
            read.extend(first.request.read(response))
            return response

        written = sum(job.request.expected_tokens for job in exchange.jobs)
        expected = target.estimate.estimate(exchange.characters) + written
        exchange.tries += 1
        try:
            response, sent = await connection.send(
                first.request.path,
                (target.mark.put_into(body) if target.mark and '"watermark"' in body else body).encode(),
                model=target.model,
                tokens=expected,
                weight=min(len(exchange.jobs), connection.slots) if first.request.kind in ("chat", "completion") else 1,
                refusal=self._refusal,
                read=understand,
            )
        except Stopped as stopped:
            self._hand_back(exchange, Lost(Failed("stopped", str(stopped))))
            return
        except Unanswered as error:
            exchange.tries += max(0, error.tries - 1)
            self._missed(exchange, target, body, error)
            return
        exchange.tries += sent.copies - 1
        self._answered(exchange, target, body, response, read, sent)

    def _refusal(self) -> str:
        return self._ledger.refusal() if self._ledger is not None else ""

    def _answered(
        self,
        exchange: Exchange,
        target: Target,
        body: str,
        response: Any,
        read: Sequence[tuple[str, str] | None],
        sent: Sent,
        batch: str | None = None,
    ) -> None:
        """Store the answers; what of a joined request was not answered is asked for on its own."""
        usage = _usage(response, exchange.jobs[0].request.kind)
        cost = self._terms.prices.cost(target.model, usage, batch=batch is not None)
        if self._ledger is not None:
            self._ledger.paid(cost)
        if usage.prompt_tokens is not None:
            target.estimate.learn(exchange.characters, usage.prompt_tokens)
        calls: list[Call] = []
        left: list[Job] = []
        for place, job in enumerate(exchange.jobs):
            found = read[place] if place < len(read) else None
            if found is None:
                left.append(job)
                continue
            # The usage of a request that answers several calls stands with the first of them.
            counts = not calls
            calls.append(
                Call(
                    **self._common(job, target, exchange, body, sent.seconds),
                    response=_own(response, sent.content, place, alone=len(exchange.jobs) == 1, kind=job.request.kind),
                    text=found[0],
                    finish_reason=found[1],
                    prompt_tokens=usage.prompt_tokens if counts else 0,
                    completion_tokens=usage.completion_tokens if counts else 0,
                    cached_tokens=usage.cached_tokens if counts else 0,
                    cost=cost if counts else 0.0,
                    prices=self._terms.prices.version,
                    batch=batch,
                )
            )
        self._terms.store.put(calls, self._landed)
        if left:
            if len(left) < len(exchange.jobs) and left[0].request.kind != "embedding":
                target.connection.unknown.setdefault(target.model, set()).add(_NO_JOINING)
            self._ready.extendleft(Exchange([job]) for job in reversed(left))

    def _missed(self, exchange: Exchange, target: Target, body: str, error: Unanswered) -> None:
        """Send again what may still be answered, here or elsewhere; store the failure of what may not."""
        connection = target.connection
        if self._learns(exchange, target, error):
            self._once_more(exchange)
            return
        exchange.faults += error.after is None
        wait = connection.wait_after(error, exchange.faults, exchange.waited)
        if wait is not None:
            exchange.waited += wait if error.after is not None else 0.0
            asyncio.get_running_loop().call_later(wait, self._once_more, exchange)
            self._end([exchange])
            return
        if (error.again or error.advice) and self._elsewhere(exchange, target):
            return
        self._lose(exchange, target, body, error)

    @staticmethod
    def _learns(exchange: Exchange, target: Target, error: Unanswered) -> bool:
        """Whether a request was refused for a parameter that it can be sent without; it is from now on."""
        if error.parameter not in _OPTIONAL - exchange.without:
            return False
        target.connection.unknown.setdefault(target.model, set()).add(error.parameter)
        return True

    def _lose(self, exchange: Exchange, target: Target, body: str, error: Unanswered, batch: str | None = None) -> None:
        """Store the failure of a request that has failed for good."""
        lost = Lost(Failed(error.reason, error.evidence), error)
        calls = [
            Call(**self._common(job, target, exchange, body, error.seconds), error=str(error), batch=batch)
            for job in exchange.jobs
        ]
        for call in calls:
            self._losses[call.call_id] = lost
        self._terms.store.put(calls, self._landed)

    def _elsewhere(self, exchange: Exchange, target: Target) -> bool:
        """Whether another endpoint, or another model of the role, is left to be asked; then it is."""
        first = exchange.jobs[0]
        exchange.avoided.append(target)
        if all(other in exchange.avoided for other in self._pool.by_model[first.model]):
            if first.at + 1 == len(first.models):
                return False
            for job in exchange.jobs:
                job.at += 1
        exchange.faults = 0
        self._once_more(exchange)
        return True

    async def _in_batches(self, target: Target, exchanges: Sequence[Exchange]) -> None:
        """Ask through the endpoint's Batch API."""
        assert target.batches is not None
        if refusal := self._refusal():
            for exchange in exchanges:
                self._hand_back(exchange, Lost(Failed("stopped", refusal)))
            return
        waiting = {exchange.jobs[0].call: (exchange, _body(exchange, target)) for exchange in exchanges}
        again: list[Exchange] = []
        try:
            items = [Item(call, exchange.jobs[0].request.path, body) for call, (exchange, body) in waiting.items()]
            batches = target.batches(target.connection)
            async for call, batch, content in batches.exchange(items, stored=self._all_stored):
                exchange, body = waiting.pop(call)
                exchange.tries += 1
                error = self._read_line(exchange, target, body, batch, content)
                if error is None:
                    continue
                if self._learns(exchange, target, error):
                    again.append(exchange)
                else:
                    self._lose(exchange, target, body, error, batch)
        except Exception as error:  # noqa: BLE001 - the thread that asked must hear of it, whatever it is
            found = target.failure(error) if isinstance(error, Unanswered) else error
            self._hand_over([(exchange.jobs[0], found) for exchange, _ in waiting.values()])
            return
        if again:
            await self._in_batches(target, again)

    def _read_line(
        self, exchange: Exchange, target: Target, body: str, batch: str, content: bytes | Unanswered
    ) -> Unanswered | None:
        """Store the answer that a batch brought; returns why there is none."""
        if isinstance(content, Unanswered):
            return content
        try:
            response = json.loads(content)
            read = exchange.jobs[0].request.read(response)
        except ValueError as error:
            return Unanswered("invalid response", str(error)[:500])
        self._answered(exchange, target, body, response, read, Sent(content, 0.0, 1), batch)
        return None

    async def _all_stored(self) -> None:
        while self._written:  # noqa: ASYNC110 - the store's thread empties it
            await asyncio.sleep(0.01)

    def _common(self, job: Job, target: Target, exchange: Exchange, body: str, seconds: float) -> dict[str, Any]:
        self._written[job.call] = job, exchange
        job.tries = exchange.tries
        return {
            "call_id": job.call,
            "run_id": self._account.run_id,
            "method": self._account.method,
            "role": target.role,
            "kind": job.request.kind,
            "endpoint": target.connection.name,
            "model": target.model,
            "request": body,
            "latency": seconds,
            "tries": exchange.tries,
            "attempt": job.attempt,
        }

    def _landed(self, outcomes: Sequence[tuple[str, Known | Exception | None]]) -> None:
        """Hand what stands in the store to the thread that asked."""
        landed: list[tuple[Job, Known | Lost | BaseException]] = []
        stored: list[Exchange] = []
        for call, outcome in outcomes:
            (job, exchange), lost = self._written.pop(call), self._losses.pop(call, None)
            # Another process may have had more luck with the same question.
            landed.append((job, outcome or lost or RuntimeError("the call store kept no answer")))
            stored.append(exchange)
        self._hand_over(landed)
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._end, stored)


_OPTIONAL = {
    "temperature", "top_p", "max_tokens", "seed", "stop", "logit_bias", "logprobs", "top_logprobs", "n",
    "response_format", "encoding_format",
}  # fmt: skip
"""Parameters that an endpoint may not know: the request is sent again without them, or with what takes their place."""


def _body(exchange: Exchange, target: Target) -> str:
    """The HTTP request's body: JSON."""
    first, *others = (job.request for job in exchange.jobs)
    unknown = exchange.without = frozenset(target.connection.unknown.get(target.model, ()))
    body = {"model": target.model, **first.body(others, grammar=target.grammar)}
    for name in unknown:
        value = body.pop(name, None)
        if name == "max_tokens" and value is not None:
            body["max_completion_tokens"] = value
        if name == "response_format" and isinstance(first, Request) and "messages" in body:
            schema = json.dumps(first.schema, ensure_ascii=False)
            body["messages"] = [*body["messages"], {"role": "user", "content": ONLY_JSON.format(schema=schema)}]
    return as_json(body)


def _usage(response: Any, kind: str) -> Usage:
    """The tokens that a response says it took; None where it does not say."""
    told = response.get("usage")
    usage = told if isinstance(told, dict) else {}
    details = usage.get("prompt_tokens_details")
    written = _count(usage, "completion_tokens", "output_tokens")
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=0 if kind == "embedding" and usage else written,
        cached_tokens=_count(details, "cached_tokens") if isinstance(details, dict) else None,
        images=1 if kind == "image" else 0,
    )


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    """The count under the first of these names that there is."""
    return next((value for name in names if isinstance(value := usage.get(name), int)), None)


def _own(response: Mapping[str, Any], content: bytes, place: int, *, alone: bool, kind: str) -> str:
    """What of a response belongs to one of the calls that it answers; payloads that are its text are not kept twice."""
    if kind in ("embedding", "image"):
        return as_json({name: value for name, value in response.items() if name != "data"})
    if alone:
        return clean(content.decode(errors="replace"))
    choices = response["choices"]
    own = next((choice for choice in choices if choice.get("index") == place), choices[min(place, len(choices) - 1)])
    return as_json({**response, "choices": [own]})


ONLY_JSON = """\
Answer with nothing but JSON that is valid under this schema:
{schema}"""
