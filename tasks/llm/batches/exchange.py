"""Requests in, answers out, by way of batches that outlive the run.

A run may be left, or killed, at any moment; the next one that has the same questions collects the answers. Nothing is
submitted twice: each step is on disk before it is taken, and a batch whose id was never learnt is found in the list
that the endpoint keeps.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import Failure, Refusal
from tasks.llm.batches.kept import Job, Kept, now
from tasks.llm.batches.parts import BYTES_A_BATCH, REQUESTS_A_BATCH, Item, Part, line, parts
from tasks.llm.batches.service import Outcome, Service
from tasks.llm.connection import Connection
from tasks.llm.faults import Unanswered

if TYPE_CHECKING:
    from openai.types import Batch

FIRST_POLL = 2.0
"""Seconds until a batch is asked for again; half as long again each time that none has ended."""
LONGEST_POLL = 60.0

_ENDED = {"completed", "failed", "expired", "cancelled"}
_NO_BATCHES = {404, 405, 501}
_TOO_MUCH = "token_limit_exceeded"  # waits in this account's batches already


class Waiting(Failure):
    """Nothing is wrong: batches are at work, and the run was asked not to wait for them. Exit code 75."""

    exit_code = os.EX_TEMPFAIL


async def _at_once() -> None: ...


class Batches:
    """The batches of one endpoint, kept in a folder; `say` is told, in a line, how far they are."""

    def __init__(self, connection: Connection, folder: Path, *, wait: bool, say: Callable[[str], None]) -> None:
        self.connection = connection
        self.kept = Kept(folder)
        self.service = Service(connection, say)
        self.wait = wait
        self._say = say
        self._told: dict[str, str] = {}

    async def exchange(
        self, items: Sequence[Item], *, stored: Callable[[], Awaitable[None]] = _at_once
    ) -> AsyncGenerator[tuple[str, str, Outcome]]:
        """Each request's call, its batch, and the body of its response or why there is none, in any order.

        What was submitted before is collected, the rest is submitted. `stored` returns when every answer taken so far
        is safe; it is awaited before a batch is forgotten.

        Raises:
            Waiting: where batches are at work and are not waited for.
            Refusal: where the endpoint has no Batch API.
            Unanswered: where the endpoint cannot be used; what was submitted is kept.
        """
        course = _Course(self, items)
        pause = FIRST_POLL
        while course.left:
            for call, error in await course.submit():
                yield call, "", error
            ended = await course.ended()
            for job, batch in ended:
                async for call, outcome in course.collect(job, batch, stored):
                    yield call, job.batch, outcome
            if ended:
                pause = FIRST_POLL
            elif course.jobs:
                if not self.wait:
                    raise Waiting(self._waiting(list(course.jobs.values())))
                await asyncio.sleep(pause)
                pause = min(LONGEST_POLL, pause * 1.5)

    def tell(self, job: Job, what: str) -> None:
        """Say something of a batch that was not just said."""
        if self._told.get(job.key) != what:
            self._told[job.key] = what
            self._say(f"batch {job.batch}: {what}")

    def _waiting(self, jobs: Sequence[Job]) -> str:
        listed = ", ".join(f"{job.batch} ({self._told[job.key].partition(';')[0]})" for job in jobs)
        what = f"batch {listed} is" if len(jobs) == 1 else f"{len(jobs)} batches, {listed}, are"
        return (
            f"{self.connection.name}: {what} at work, answers were wanted; give the same command later to collect them"
        )


class _Course:
    """One exchange under way: the requests without an outcome, those not submitted, and the batches waited for."""

    def __init__(self, batches: Batches, items: Sequence[Item]) -> None:
        self._batches = batches
        self.left = {item.call: item for item in items}
        self.jobs: dict[str, Job] = {}
        self._unsent = list(self.left)
        self._rounds = dict.fromkeys(self.left, 0)
        self._most = REQUESTS_A_BATCH
        self._one_by_one = False  # once the endpoint has said that too much waits there

    async def submit(self) -> list[tuple[str, Unanswered]]:
        """Submit what is in no batch; returns the calls that no batch takes."""
        refused: list[tuple[str, Unanswered]] = []
        if not self._unsent or (self._one_by_one and self.jobs):
            return refused
        async with self._batches.kept.alone():
            await self._join()
            waiting = parts(((self.left[call], self._rounds[call]) for call in self._unsent), self._most)
            for part in waiting[:1] if self._one_by_one else waiting:
                try:
                    job = await self._hand_in(part)
                except Unanswered as error:
                    if error.again or error.advice:
                        raise
                    refused += [(item.call, error) for item in part.items]
                else:
                    self.jobs[job.key] = job
                self._unsent = _without(self._unsent, {item.call for item in part.items})
        for call, _ in refused:
            del self.left[call]
        return refused

    async def _join(self) -> None:
        """Wait for the batches, submitted before, that requests are in; forget those that came to nothing."""
        batches = self._batches
        for job in batches.kept.jobs(batches.connection.name, self._unsent):
            found = job
            if not job.batch:
                found = replace(job, batch=await self._find(job) if job.input_file else "")
                if not found.batch:
                    batches.kept.drop(job)
                    continue
                batches.kept.keep(found)
            when = job.submitted_at[:16].replace("T", " ")
            batches.tell(found, f"{_requests(len(job.left))}, submitted {when} UTC")
            self.jobs[job.key] = found
            self._unsent = _without(self._unsent, set(job.left))

    async def _find(self, job: Job) -> str:
        try:
            return await self._batches.service.find(job)
        except Unanswered as error:
            if error.status in _NO_BATCHES:
                file = self._batches.kept.file(job)
                error.advice = f"see there whether a batch of {job.input_file} exists; if not, remove {file}"
            raise

    async def _hand_in(self, part: Part) -> Job:
        if part.bytes > BYTES_A_BATCH:
            raise Unanswered("too big for a batch", f"{part.bytes:,} bytes, {BYTES_A_BATCH:,} are allowed")
        batches, service = self._batches, self._batches.service
        job = Job(
            key=uuid.uuid4().hex,
            endpoint=batches.connection.name,
            path=part.path,
            calls=tuple(item.call for item in part.items),
            round=part.round,
            submitted_at=now(),
        )
        batches.kept.keep(job)
        try:
            job = replace(job, input_file=await service.upload(job, map(line, part.items)), submitted_at=now())
            batches.kept.keep(job)
            job = replace(job, batch=await service.create(job))
        except Unanswered as error:
            if not error.again:
                batches.kept.drop(job)
            if error.status in _NO_BATCHES:
                raise Refusal(
                    f"{batches.connection.name}: it has no Batch API ({error}), one was wanted; leave out --batch"
                ) from None
            raise
        batches.kept.keep(job)
        batches.tell(job, f"{_requests(len(job.calls))} submitted")
        return job

    async def ended(self) -> "list[tuple[Job, Batch]]":
        """The batches that have ended; says how far the others are."""
        ended: list[tuple[Job, Batch]] = []
        for job in list(self.jobs.values()):
            batch = await self._retrieve(job)
            counts, status = batch.request_counts, str(batch.status).replace("_", " ")
            told = f"{counts.completed:,} of {counts.total:,} done, {counts.failed:,} failed" if counts else ""
            if status in _ENDED:
                ended.append((job, batch))
                self._batches.tell(job, f"{status}, {told}" if told else status)
            else:
                begun = counts is not None and counts.total > 0
                how = "; leave with Ctrl-C, the same command collects" if self._batches.wait else ""
                self._batches.tell(job, f"{told if begun else status}{how}")
        return ended

    async def _retrieve(self, job: Job) -> "Batch":
        try:
            return await self._batches.service.retrieve(job)
        except Unanswered as error:
            if error.status == 404:
                file = self._batches.kept.file(job)
                error.advice = f"use the key that submitted {job.batch}, or remove {file} to submit its requests again"
            raise

    async def collect(
        self, job: Job, batch: "Batch", stored: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[tuple[str, Outcome]]:
        """The outcomes of a batch that has ended; what may yet be answered is to be submitted again."""
        del self.jobs[job.key]
        taken: list[str] = []
        failed: list[tuple[str, Unanswered]] = []
        if self._put_off(job, batch):
            taken = [call for call in job.left if call in self.left]
            self._unsent += taken
        else:
            async for call, outcome in self._batches.service.outcomes(job, batch):
                if call not in self.left:
                    continue
                taken.append(call)
                if isinstance(outcome, bytes):
                    del self.left[call]
                    yield call, outcome
                elif outcome.again and job.round < self._batches.connection.endpoint.retries:
                    self._rounds[call] = job.round + 1
                    self._unsent.append(call)
                else:
                    failed.append((call, outcome))
        await stored()
        async with self._batches.kept.alone():
            self._batches.kept.collected(job, taken)
        # Only now: a failure may end the run, and the next one shall not meet it again.
        for call, error in failed:
            del self.left[call]
            yield call, error

    def _put_off(self, job: Job, batch: "Batch") -> bool:
        """Whether a batch was refused because too much waits there already, and is for later, or for smaller ones."""
        errors = (batch.errors and batch.errors.data) or []
        if batch.status != "failed" or all(error.code != _TOO_MUCH for error in errors):
            return False
        self._one_by_one = True
        if not self.jobs:
            self._most = len(job.calls) // 2
        return self._most > 0


def _without(calls: Sequence[str], some: set[str]) -> list[str]:
    return [call for call in calls if call not in some]


def _requests(number: int) -> str:
    return "1 request" if number == 1 else f"{number:,} requests"
