"""Asking: requests are looked up in the call store, the missing ones sent, each answer parsed until it is settled."""

import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from catalog.calls import Known, current_attribution
from catalog.records import Answer, digest
from tasks import ledger
from tasks.llm.faults import Unanswered
from tasks.llm.loop import LOOP
from tasks.llm.repair import repaired
from tasks.llm.request import Request, Wire, tokens_of
from tasks.llm.sending import Job, Lost, Outcomes, Sending
from tasks.llm.target import Failed, Pool, Target, Terms

T = TypeVar("T")

_LOOK_UP = 1000
"""Requests looked up in the call store at once."""


class Asking(Generic[T]):
    """One call of `ask`, in the thread that asks; what it sends goes its way on the event loop."""

    def __init__(self, targets: Sequence[Target], terms: Terms, parse: Callable[[str], T]) -> None:
        self._pool = Pool(targets)
        self._terms = terms
        self._parse = parse
        # Context variables do not cross into the loop's thread.
        self._ledger = ledger.current()
        self._inbox: queue.SimpleQueue[Outcomes] = queue.SimpleQueue()
        self._sending = Sending(self._pool, terms, self._ledger, current_attribution(), self._inbox.put)
        self._answers: list[Answer[T] | Failed | None] = []
        self._fresh: deque[Job] = deque()
        self._outstanding: dict[str, Job] = {}
        self._sent = 0
        self._out_of_reach: list[Unanswered] = []

    def run(self, requests: Iterable[Wire]) -> list[Answer[T] | Failed]:
        """Settle every request.

        Raises:
            Failure: where no endpoint can be used.
        """
        coming, more = self._jobs(requests), True
        try:
            while more or self._fresh or self._outstanding:
                if more and (self._pool.batched or len(self._outstanding) < _LOOK_UP):
                    more = self._draw(coming)
                if more and self._pool.batched:
                    continue
                if self._fresh:
                    self._send(self._look_up())
                elif self._outstanding:
                    for job, outcome in self._inbox.get():
                        self._receive(job, outcome)
        finally:
            if self._outstanding:
                LOOP.call(self._sending.stop)
        if self._out_of_reach and len(self._out_of_reach) == self._sent:
            raise self._pool.targets[-1].failure(self._out_of_reach[-1])
        return [answer for answer in self._answers if answer is not None]

    def _jobs(self, requests: Iterable[Wire]) -> Iterator[Job]:
        for place, request in enumerate(requests):
            self._answers.append(None)
            yield _job(request, list(self._pool.by_model), [place])

    def _draw(self, coming: Iterator[Job]) -> bool:
        """Take the next requests; returns whether there may be more."""
        for _ in range(_LOOK_UP):
            job = next(coming, None)
            if job is None:
                return False
            if (same := self._outstanding.get(job.calls[0])) and same.attempt == 0:
                same.places.extend(job.places)
                continue
            self._outstanding[job.calls[0]] = job
            self._fresh.append(job)
        return True

    def _look_up(self) -> list[Job]:
        """The next jobs that the call store cannot answer; those that it can are settled."""
        jobs = [self._fresh.popleft() for _ in range(len(self._fresh))]
        responses = any(job.request.logprobs is not None for job in jobs)
        found = self._terms.store.find([call for job in jobs for call in job.calls], responses=responses)
        missing: list[Job] = []
        for job in jobs:
            known = next(((at, found[call]) for at, call in enumerate(job.calls) if call in found), None)
            if known is None:
                missing.append(job)
            else:
                job.at = known[0]
                self._settle(job, known[1])
        return missing

    def _send(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        self._sent += len(jobs)
        for target in self._pool.targets:
            _ = target.connection  # made here: the loop must not wait for whoever closes it
        LOOP.call(self._sending.take, self._sending.joined(jobs))

    def _receive(self, job: Job, outcome: Known | Lost | BaseException) -> None:
        match outcome:
            case Known():
                self._settle(job, outcome)
            case Lost(failed, error):
                if error is not None:
                    if error.advice:
                        raise self._pool.serving(job.model).failure(error)
                    self._out_of_reach += [error] if error.unreachable else []
                    self._count(job, None)
                self._done(job, failed)
            case _:
                raise outcome

    def _settle(self, job: Job, known: Known) -> None:
        """Parse an answer; one that is malformed is mended or asked for again."""
        for copy in range(len(job.places) if job.attempt == 0 else 1):
            self._count(job, known, reused=known.reused or copy > 0)
        try:
            value = self._value(job.request, known)
        except ValueError as error:
            # A vector or a picture is the same whenever it is asked for again, so there is no end to be hoped for.
            if job.attempt + 1 < self._terms.attempts and isinstance(job.request, Request):
                self._ask_again(job, job.request, known, str(error))
            else:
                self._done(job, Failed(str(error), known.text))
            return
        tokens = tokens_of(known.response) if job.request.logprobs is not None and known.response else ()
        self._done(job, Answer(value, job.call, known.finish_reason, tokens))

    def _value(self, request: Wire, known: Known) -> T:
        try:
            return self._parse(known.text)
        except ValueError:
            # What was cut short is not mended: the end that it lacks would be made up.
            if request.schema is None or known.finish_reason == "length":
                raise
            mended = repaired(known.text)
            if mended is not None:
                with suppress(ValueError):
                    return self._parse(mended)
            raise

    def _ask_again(self, job: Job, asked: Request, known: Known, problem: str) -> None:
        del self._outstanding[job.calls[0]]
        attempt = job.attempt + 1
        seed = int(digest([job.call, attempt])[:7], 16)
        request = asked.again(known.text, problem, cut=known.finish_reason == "length", seed=seed)
        again = _job(request, [job.model], job.places, attempt)
        if same := self._outstanding.get(again.calls[0]):
            same.places.extend(again.places)
            return
        self._outstanding[again.calls[0]] = again
        self._fresh.append(again)

    def _done(self, job: Job, answer: Answer[T] | Failed) -> None:
        del self._outstanding[job.calls[0]]
        for place in job.places:
            self._answers[place] = answer

    def _count(self, job: Job, known: Known | None, *, reused: bool = False) -> None:
        if self._ledger is None:
            return
        self._ledger.asked(
            reused=reused,
            prompt_tokens=known.prompt_tokens if known else None,
            completion_tokens=known.completion_tokens if known else None,
            cost=known.cost if known else None,
            failed=known is None,
            retries=0 if reused else max(0, job.tries - 1),
        )


def _job(request: Wire, models: list[str], places: list[int], attempt: int = 0) -> Job:
    """A request as a job: which models may answer it, and what the answer is called in the store."""
    question = request.question()
    if len(models) > 1:
        # By what is asked, not by place: a row keeps its model when the rows around it change.
        start = int(digest(question)[:8], 16) % len(models)
        models = models[start:] + models[:start]
    return Job(request, models, [digest([model, *question, attempt]) for model in models], places, attempt)
