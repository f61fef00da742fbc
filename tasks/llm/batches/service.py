"""The Batch API of an endpoint: what is asked of it, again and again while its faults may pass."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, TypeVar

from tasks.llm.batches.kept import Job
from tasks.llm.connection import Connection
from tasks.llm.faults import Unanswered, of_status, of_transport

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

T = TypeVar("T")

FIRST_WAIT = 1.0
"""Seconds before the second try; twice as long before each further one."""
LONGEST_WAIT = 60.0
PATIENCE = 3600.0
"""Seconds of faults without a success between them, after which a run gives up; its batches are kept."""
SETTLED = 5.0
"""Seconds after which a batch that was being created when its run was killed is listed, or was never created."""

_SLOWEST = 100_000  # bytes a second of an upload
_TRIES_AT_NOTHING = 3  # where no server was ever found
_WORTH_SAYING = 15.0  # seconds of waiting
_CLOCKS = timedelta(days=1)  # by which the endpoint's and ours may differ
_UNUSABLE = {401, 402, 403}
_PASSING = {"batch_expired", "server_error", "internal_error", "rate_limit_exceeded"}

Outcome = bytes | Unanswered
"""The body of a response, or why there is none."""


class Service:
    """An endpoint's files and batches; `say` is told of long waits. Runs on the shared loop.

    Every method raises Unanswered where nothing came of it, with advice where nothing else can be done there either.
    """

    def __init__(self, connection: Connection, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._say = say
        self._reached = False

    async def upload(self, job: Job, lines: Iterable[bytes]) -> str:
        """The id of a file with the lines."""
        with tempfile.TemporaryFile() as file:
            await asyncio.to_thread(file.writelines, lines)
            seconds = self._connection.endpoint.timeout + file.tell() / _SLOWEST

            async def upload(client: "openai.AsyncOpenAI", limit: asyncio.Timeout) -> str:
                _extend(limit, seconds)
                file.seek(0)
                named = f"everspring-{job.key}.jsonl", file, "application/jsonl"
                return _id(await client.files.create(file=named, purpose="batch"))

            return await self._persist(upload)

    async def create(self, job: Job) -> str:
        """The id of the batch made of an uploaded file; it is made once, even where the answer is lost."""
        tried = False

        async def create(client: "openai.AsyncOpenAI", limit: asyncio.Timeout) -> str:
            nonlocal tried
            if tried and (found := await self._listed(client, limit, job)):
                return found
            tried = True
            made = await client.batches.create(
                input_file_id=job.input_file,
                endpoint=f"/v1{job.path}",  # type: ignore[arg-type] - any that the endpoint knows
                completion_window="24h",
                metadata={"everspring": job.key},
            )
            return _id(made)

        return await self._persist(create)

    async def find(self, job: Job) -> str:
        """The id of the batch that a killed run may have made; "" where it did not."""
        age = datetime.now(UTC) - datetime.fromisoformat(job.submitted_at)
        await asyncio.sleep(SETTLED - age.total_seconds())
        return await self._persist(lambda client, limit: self._listed(client, limit, job))

    async def retrieve(self, job: Job) -> "Batch":
        """The batch as it is now."""

        async def retrieve(client: "openai.AsyncOpenAI", _: asyncio.Timeout) -> "Batch":
            batch = await client.batches.retrieve(job.batch)
            _id(batch)
            return batch

        return await self._persist(retrieve)

    async def outcomes(self, job: Job, batch: "Batch") -> AsyncIterator[tuple[str, Outcome]]:
        """What became of each of the batch's calls that were not collected yet."""
        missing = dict.fromkeys(job.left)
        trouble = ""
        for name in filter(None, (batch.output_file_id, batch.error_file_id)):
            with tempfile.TemporaryFile() as file:
                try:
                    await self._download(name, file)
                except Unanswered as error:
                    if error.again or error.status in _UNUSABLE:
                        raise
                    trouble = f"{name} cannot be read: {error}"
                    continue
                file.seek(0)
                for line in file:
                    read = self._outcome(line, job)
                    if read is None:
                        found = self._connection.safe(line.decode(errors="replace"))
                        trouble = f"{name} has a line that is no answer: {found}"
                    elif read[0] in missing:
                        del missing[read[0]]
                        yield read
        for number, call in enumerate(job.calls, 1):
            if call in missing:
                yield call, self._missing(batch, number, trouble)

    async def _listed(self, client: "openai.AsyncOpenAI", limit: asyncio.Timeout, job: Job) -> str:
        """The id of the batch made of a job's file, among those made since it was to be; "" where there is none."""
        oldest = (datetime.fromisoformat(job.submitted_at) - _CLOCKS).timestamp()
        async for batch in client.batches.list(limit=100):  # the newest first
            _extend(limit, self._connection.endpoint.timeout)
            # Not every endpoint keeps metadata.
            if (batch.metadata or {}).get("everspring") == job.key or batch.input_file_id == job.input_file:
                return _id(batch)
            if batch.created_at < oldest:
                break
        return ""

    async def _download(self, name: str, file: IO[bytes]) -> None:
        async def download(client: "openai.AsyncOpenAI", limit: asyncio.Timeout) -> None:
            file.seek(0)
            file.truncate()
            async with client.files.with_streaming_response.content(name) as response:
                async for chunk in response.iter_bytes():
                    _extend(limit, self._connection.endpoint.timeout)
                    file.write(chunk)

        await self._persist(download)

    def _outcome(self, line: bytes, job: Job) -> tuple[str, Outcome] | None:
        """A call and what became of it; None for a line that does not say."""
        try:
            read = json.loads(line)
        except ValueError:
            return None
        match read:
            case {"custom_id": str(call), "response": {"status_code": int(status), "body": body}}:
                return call, json.dumps(body).encode() if status < 400 else self._refused(status, body, job)
            case {"custom_id": str(call), "error": {"code": str(code), **told}}:
                said = self._connection.safe(str(told.get("message") or ""))
                return call, Unanswered(code.replace("_", " "), said, again=code in _PASSING)
            case _:
                return None

    def _refused(self, status: int, body: Any, job: Job) -> Unanswered:
        """What a request's own HTTP status means: the same as if it had been sent alone."""
        import httpx2
        import openai

        told = body.get("error") or body if isinstance(body, dict) else body
        said = str(told.get("message") or told) if isinstance(told, dict) else str(told)
        response = httpx2.Response(status, request=httpx2.Request("POST", f"{job.endpoint}{job.path}"))
        return of_status(openai.APIStatusError(said, response=response, body=told), self._connection.safe(said))

    def _missing(self, batch: "Batch", number: int, trouble: str) -> Unanswered:
        """Why a batch says nothing of the request in a line of its file."""
        if batch.status == "failed":
            errors = (batch.errors and batch.errors.data) or []
            own = [error for error in errors if error.line == number]
            # Where single lines are to blame, the others may be submitted without them.
            again = not own and any(error.line is not None for error in errors)
            said = "; ".join(str(error.message or error.code) for error in own or errors)
            return Unanswered("batch failed", self._connection.safe(said), again=again)
        if batch.status in {"expired", "cancelled"}:
            return Unanswered(f"batch {batch.status}", trouble, again=batch.status == "expired")
        return Unanswered("missing from its batch", trouble, again=True)

    async def _persist(self, work: "Callable[[openai.AsyncOpenAI, asyncio.Timeout], Awaitable[T]]") -> T:
        began, wait, tries = time.monotonic(), FIRST_WAIT, 0
        while True:
            tries += 1
            try:
                done = await self._once(work)
            except Unanswered as error:
                self._reached = self._reached or not error.unreachable
                if not error.again:
                    raise
                pause = wait if error.after is None else error.after
                nothing_there = not self._reached and tries >= _TRIES_AT_NOTHING
                if nothing_there or time.monotonic() + pause - began > PATIENCE:
                    error.advice = "see that it works, then run again: what was submitted is collected then"
                    raise
                if pause >= _WORTH_SAYING:
                    self._say(f"{self._connection.name}: {error}; asking again in {pause:.0f} s")
                await asyncio.sleep(pause)
                wait = min(LONGEST_WAIT, wait * 2)
            else:
                self._reached = True
                return done

    async def _once(self, work: "Callable[[openai.AsyncOpenAI, asyncio.Timeout], Awaitable[T]]") -> T:
        import httpx2
        import openai

        seconds = self._connection.endpoint.timeout
        try:
            async with asyncio.timeout(seconds) as limit:
                return await work(await self._connection.client(), limit)
        except openai.APIStatusError as error:
            told = error.body.get("message") if isinstance(error.body, dict) else None
            found = of_status(error, self._connection.safe(str(told or error.message)))
            found.again = found.again and found.status != HTTPStatus.NOT_IMPLEMENTED
            raise found from None
        except TimeoutError:
            raise Unanswered("no answer in time", f"after {seconds:g} s", again=True) from None
        except ValueError as error:
            raise Unanswered("invalid response", self._connection.safe(str(error)), again=True) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            raise of_transport(error) from None


def _id(made: Any) -> str:
    """The id of something that the endpoint made.

    Raises:
        ValueError: where it has none.
    """
    found = getattr(made, "id", None)
    if not isinstance(found, str) or not found:
        raise ValueError(f"it has no id: {str(made)[:200]}")
    return found


def _extend(limit: asyncio.Timeout, seconds: float) -> None:
    limit.reschedule(asyncio.get_running_loop().time() + seconds)
