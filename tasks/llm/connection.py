"""One endpoint: its client, how many requests it gets at once, and what is done when it fails.

All endpoints of a process share one event loop in one thread. `openai` sends; retries are ours, because they must know
of bodies that are no completions, of Retry-After for the whole endpoint, and of an endpoint that is not there at all.
"""

import asyncio
import atexit
import base64
import json
import random
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from catalog.records import clean
from infra.settings import EMBEDDED

if TYPE_CHECKING:
    import openai

T = TypeVar("T")

FIRST_WAIT = 0.5
"""Seconds before the second try; twice as long before each further one."""
LONGEST_WAIT = 30.0
LONGEST_PAUSE = 600.0
"""Seconds that an endpoint may ask us to wait: a run does not sleep until a daily quota is renewed."""
LOST_IN_A_ROW = 20
"""Requests that fail for good without a success between them before the endpoint counts as unusable."""

_AGAIN = {408, 409, 425, 429}
_UNUSABLE = {401, 402, 403, 404, 405}


@dataclass(frozen=True)
class Completion:
    """An answer as it came; `seconds` are those of the try that succeeded."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    response: Mapping[str, Any]
    seconds: float
    tries: int


class Unanswered(Exception):
    """A request got no answer in the end: a short reason, what the endpoint said, and what that means for others."""

    def __init__(self, reason: str, evidence: str = "", *, again: bool = False) -> None:
        super().__init__(f"{reason}: {evidence}" if evidence else reason)
        self.reason = reason
        self.evidence = evidence
        self.again = again  # another try may help
        self.after: float | None = None  # seconds to wait first, where the endpoint says
        self.status = 0
        self.unreachable = False  # nothing listens there
        self.advice = ""  # where set, no other request can succeed either
        self.tries = 0
        self.seconds = 0.0


class Connection:
    """An endpoint in use; its coroutines run on the shared loop.

    `locate`, where given, finds the address when it is first needed and again after it could not be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        key: SecretStr | None,
        slots: int,
        timeout: float,
        retries: int,
        locate: Callable[[], str] | None = None,
    ) -> None:
        self.name = EMBEDDED if locate else redacted(url)
        self.slots = slots
        self._url = url
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._locate = locate
        self._clients: list[openai.AsyncOpenAI] = []
        self._current: openai.AsyncOpenAI | None = None
        self._headers: dict[str, Any] = {}
        self._gate = asyncio.Semaphore(slots)
        self._opening = asyncio.Lock()
        self._resume = 0.0
        self._reached = False
        self._lost = 0

    async def complete(self, path: str, body: Mapping[str, Any]) -> Completion:
        """The answer to one request.

        Raises:
            Unanswered: where none came in the end.
        """
        (text, finish, used, response), seconds, tries = await self._persist("POST", path, body, _completion)
        return Completion(text, finish, *used, response, seconds, tries)

    async def models(self) -> list[str]:
        """The names of the models that the endpoint lists; none where it lists none, or not readably.

        Raises:
            Unanswered: where it cannot be asked.
        """
        try:
            names, _, _ = await self._persist("GET", "/models", None, _names)
        except Unanswered as error:
            # Many servers keep no such list, which is no trouble; a refused key is.
            if error.status == 501 or (
                error.status in range(400, 500) and error.status not in {401, 402, 403, *_AGAIN}
            ):
                return []
            raise
        return names

    async def close(self) -> None:
        """Close the client's connections."""
        for client in self._clients:
            await client.close()
        self._clients.clear()

    async def _persist(
        self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[bytes], T]
    ) -> tuple[T, float, int]:
        """Send until it is answered; returns what `read` makes of the answer, the seconds, and the number of tries."""
        tries = 0
        started = 0.0
        while True:
            tries += 1
            try:
                async with self._gate:
                    while (pause := self._resume - time.monotonic()) > 0:  # noqa: ASYNC110 - the moment may move on meanwhile
                        await asyncio.sleep(pause)
                    started = time.perf_counter()  # without the wait for a free slot
                    answer = await self._once(method, path, body, read)
            except Unanswered as error:
                error.tries, error.seconds = tries, time.perf_counter() - started
                await self._wait(error)
            else:
                self._reached, self._lost = True, 0
                return answer, time.perf_counter() - started, tries

    async def _wait(self, error: Unanswered) -> None:
        """Wait before the next try, or raise `error` where there shall be none."""
        self._reached = self._reached or not error.unreachable
        # An address at which nothing was ever found is most likely wrong: say so soon.
        retries = self._retries if self._reached or self._locate else min(self._retries, 2)
        if not error.again or error.tries > retries:
            # A request that was refused as such says nothing about the next one.
            self._lost += error.again
            if self._lost >= LOST_IN_A_ROW and not error.advice:
                error.advice = (
                    f"{self._lost} requests in a row have failed; see that the endpoint works, then run again"
                )
                self._lost = 0
            raise error
        if error.after is not None:
            self._resume = max(self._resume, time.monotonic() + error.after)
            return
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (error.tries - 1))
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))

    async def _once(self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[bytes], T]) -> T:
        import httpx2
        import openai

        client = await self._open()
        options: Any = {"headers": self._headers}
        try:
            async with asyncio.timeout(self._timeout):
                if method == "GET":
                    response = await client.get(path, cast_to=httpx2.Response, options=options)
                else:
                    response = await client.post(path, cast_to=httpx2.Response, body=body, options=options)
                return read(response.content)
        except openai.APIStatusError as error:
            raise self._status(error) from None
        except (openai.APITimeoutError, TimeoutError) as error:
            late = Unanswered("no answer in time", f"after {self._timeout:g} s", again=True)
            raise self._lose(client, error) or late from None
        except ValueError as error:  # not JSON, or JSON that is no completion
            raise Unanswered("invalid response", self._safe(str(error)), again=True) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            # A body that ends early or cannot be decoded arrives as an error of the transport.
            broken = Unanswered("connection lost", _cause(error), again=True)
            raise self._lose(client, error) or broken from None

    def _lose(self, client: "openai.AsyncOpenAI", error: BaseException) -> Unanswered | None:
        """What became of the connection, where that was the trouble; an address that may move is looked up anew."""
        lost = _lost(error)
        if lost is not None and lost.unreachable and self._locate and self._current is client:
            # Closed later: other requests may still be under way on it.
            self._current = None
        return lost

    async def _open(self) -> "openai.AsyncOpenAI":
        async with self._opening:
            if self._current is None:
                if self._locate:
                    self._url = await asyncio.to_thread(self._locate)
                self._current = self._make()
                self._clients.append(self._current)
            return self._current

    def _make(self) -> "openai.AsyncOpenAI":
        import httpx2
        import openai

        url, self._headers = _without_login(self._url)
        if not self._key:
            self._headers.setdefault("Authorization", openai.omit)
        return openai.AsyncOpenAI(
            base_url=url,
            # Without one, the client would send the environment's key to an address that is not to have it.
            api_key=self._key.get_secret_value() if self._key else "none",
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(
                timeout=httpx2.Timeout(self._timeout, connect=min(20.0, self._timeout)),
                limits=httpx2.Limits(max_connections=self.slots, max_keepalive_connections=self.slots),
                trust_env=urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost"},  # no proxy to ourselves
            ),
        )

    def _status(self, error: "openai.APIStatusError") -> Unanswered:
        status = error.status_code
        told = error.body.get("message") if isinstance(error.body, dict) else None
        said = self._safe(str(told or error.message))
        found = Unanswered(f"HTTP {status}", said, again=status in _AGAIN or status >= 500)
        found.status = status
        if status in _UNUSABLE:
            found.advice = {
                401: "set OPENAI_API_KEY to a key that it knows",
                402: "see to the account that the key belongs to",
                403: "see what the key may be used for",
            }.get(status, "check OPENAI_BASE_URL (it often ends in /v1) and EVERSPRING_MODEL")
        elif status == 429 and error.code == "insufficient_quota":
            found.again, found.advice = False, "see to the account that the key belongs to"
        elif found.again and (after := _retry_after(error.response.headers.get("retry-after", ""))) is not None:
            found.after = after
            if after > LONGEST_PAUSE:
                found.again, found.evidence = False, f"it asks to wait {after:.0f} s; {said}"
                self._lost += 1
        return found

    def _safe(self, text: str) -> str:
        """What the endpoint said, without the key (some repeat it) and not too long."""
        if self._key and (key := self._key.get_secret_value()):
            text = text.replace(key, "***")
        return clean(text.replace(self._url, self.name))[:500]


class Loop:
    """The event loop of this process and the connections on it, there while somebody uses them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connections: dict[tuple[Any, ...], tuple[Connection, Callable[[], None]]] = {}

    @contextmanager
    def use(self) -> Generator["Loop"]:
        """Keep the loop while inside; the last to leave closes it."""
        with self._lock:
            self._users += 1
        try:
            yield self
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._close()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` on the loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def connection(self, key: tuple[Any, ...], make: Callable[[], tuple[Connection, Callable[[], None]]]) -> Connection:
        """The connection known by `key`, made on first use together with what to call when it is closed."""
        with self._lock:
            if key not in self._connections:
                self._connections[key] = make()
            return self._connections[key][0]

    def close(self) -> None:
        """Close everything, whoever uses it."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connections, self._connections = self._connections, {}
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_end(connection for connection, _ in connections.values()), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            assert self._thread is not None
            self._thread.join()
            loop.close()
        for _, end in connections.values():
            end()


async def _end(connections: "Generator[Connection]") -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for connection in connections:
        await connection.close()
    # TLS connections close on the loop's next turns.
    await asyncio.sleep(0)


LOOP = Loop()
atexit.register(LOOP.close)


def redacted(url: str) -> str:
    """An address fit to be shown: without login, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_login(url: str) -> tuple[str, dict[str, Any]]:
    """The address and the headers that carry the login it had: aiohttp refuses a login beside a key."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    if not login:
        return url, {}
    basic = base64.b64encode(login.encode()).decode()
    return urlunsplit((parts.scheme, host, *parts[2:])), {"Authorization": f"Basic {basic}"}


def _completion(content: bytes) -> tuple[str, str, tuple[int, int], dict[str, Any]]:
    """Text, finish reason, tokens and the whole of a completion.

    Raises:
        ValueError: where it is none.
    """
    response = json.loads(content)
    match response:
        case {"choices": [{"message": {"content": str() | None as text}, **choice}, *_]}:
            pass
        case {"choices": [{"text": str() as text, **choice}, *_]}:
            pass
        case {"choices": []}:
            raise ValueError("it has no choices")
        case _:
            raise ValueError(f"it is no completion: {content[:200].decode(errors='replace')}")
    usage = response.get("usage")
    used = (_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
    return clean(text or ""), clean(str(choice.get("finish_reason") or "")), used, response


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) else 0


def _names(content: bytes) -> list[str]:
    try:
        return [str(model["id"]) for model in json.loads(content)["data"]]
    except (ValueError, TypeError, KeyError):
        return []


def _lost(error: BaseException) -> Unanswered | None:
    """What became of the connection, where that was the trouble; the transport reports a lost one as a timeout."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            found = Unanswered("cannot connect", _cause(cause), again=True)
            found.unreachable = True
            return found
        if isinstance(cause, aiohttp.ServerTimeoutError):
            return None
        if isinstance(cause, aiohttp.ClientConnectionError):
            return Unanswered("connection lost", _cause(cause), again=True)
        cause = cause.__cause__
    return None


def _cause(error: BaseException) -> str:
    """The innermost error's words: the outer ones only say that there is one."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def _retry_after(value: str) -> float | None:
    """Seconds from now that a Retry-After header names, as a number or a date."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
