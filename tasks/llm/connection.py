"""One endpoint: its client, its pace, what is in flight there, and what is done about the slow and the lost.

`openai` sends; retries are ours, because they must know of bodies that are no completions, of what an endpoint asks to
be waited for, and of an endpoint that is not there at all. Everything but the constructor runs on the shared loop.
"""

import asyncio
import base64
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from catalog.records import clean
from infra.secrets import LEAST, secrets_in
from infra.secrets import redacted as redacted_text
from infra.settings import EMBEDDED
from tasks.llm.faults import Stopped, Unanswered, of_status, of_transport
from tasks.llm.pace import Pace

if TYPE_CHECKING:
    import httpx2
    import openai

    from tasks.llm.transport import Transport

T = TypeVar("T")

FIRST_WAIT = 0.1
"""Seconds before the second try; four times as long before each further one."""
LONGEST_WAIT = 30.0
LONGEST_PAUSE = 600.0
"""Seconds in all that a request waits because the endpoint asks to: a run does not sleep until a quota is renewed."""
LOST_IN_A_ROW = 20
"""Requests that fail for good without a success between them before the endpoint counts as unusable."""
DOWN_SECONDS = 30.0
"""How long an endpoint that cannot be used is passed over where another one can take its place."""

_TICK = 0.05
_HEDGE_AT_LEAST = 0.2  # seconds
_HEDGE_TIMES = 3.0
_HEDGE_SAMPLES = 20
_HEDGE_SHARE = 0.05


@dataclass(frozen=True)
class Endpoint:
    """What a connection is told about its endpoint; `locate` finds the address where it is not known, or is lost."""

    url: str
    key: SecretStr | None = None
    slots: int = 16
    timeout: float = 120.0
    retries: int = 6
    hedge: bool = True
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    locate: Callable[[], str] | None = None


@dataclass(eq=False)
class _Flight:
    """A request in flight, and its second sendings, where it is slow."""

    task: "asyncio.Task[Any]"
    path: str
    body: bytes
    began: float
    hedges: "list[asyncio.Task[None]]" = field(default_factory=list["asyncio.Task[None]"])
    answer: "httpx2.Response | None" = None
    overdue: bool = False


@dataclass(frozen=True)
class Sent:
    """What became of one sending: seconds it took, and how many copies went out."""

    content: bytes
    seconds: float
    copies: int


class Connection:
    """An endpoint in use."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = EMBEDDED if endpoint.locate else redacted(endpoint.url)
        self.endpoint = endpoint
        self.slots = endpoint.slots
        self.unknown: dict[str, set[str]] = {}
        """Model → parameters of a request that it has refused."""
        self._url = endpoint.url
        key = endpoint.key.get_secret_value() if endpoint.key else ""
        self._secrets = sorted({key, quote(key, safe=""), *secrets_in(endpoint.url)} - {""}, key=len, reverse=True)
        self._transports: list[Transport] = []
        self._current: openai.AsyncOpenAI | None = None
        self._paces: dict[str, Pace] = {}
        self._opening = asyncio.Lock()
        self._flights: dict[_Flight, None] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._seconds: deque[float] = deque(maxlen=256)
        self._sent = self._hedged = 0
        self._reached = False
        self._lost = 0
        self._down_until = 0.0

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._flights)

    @property
    def down(self) -> bool:
        """Whether it was found unusable a moment ago."""
        return time.monotonic() < self._down_until

    def pace(self, model: str) -> Pace:
        """The gate of one of its models."""
        if model not in self._paces:
            told = self.endpoint
            self._paces[model] = Pace(
                self.slots,
                requests_per_minute=told.requests_per_minute,
                tokens_per_minute=told.tokens_per_minute,
            )
        return self._paces[model]

    async def send(
        self,
        path: str,
        body: bytes,
        *,
        model: str,
        tokens: int,
        weight: int,
        refusal: Callable[[], str],
        read: Callable[[bytes], T],
    ) -> tuple[T, Sent]:
        """Send a request once, when its turn comes; returns what `read` makes of the answer.

        `tokens` is about how many it will use, `weight` how many completions it asks for. `refusal`, asked at the last
        moment, says why it may not be sent any more, if so.

        Raises:
            Stopped: where it may not be sent.
            Unanswered: where no answer came, or none that `read` understands (by ValueError).
        """
        pace = self.pace(model)
        entered = await pace.enter(tokens, weight)
        flight = _Flight(asyncio.current_task(), path, body, time.monotonic())  # type: ignore[arg-type]
        verdict, after = "broken", None
        try:
            if why := refusal():
                raise Stopped(why)
            response = await self._fly(flight)
            content = self._bare(response.content)
            value = read(content)
            verdict = "answered"
            pace.heed(response.headers)
        except ValueError as error:  # not JSON, or JSON that is no answer
            raise self._spent(flight, Unanswered("invalid response", self.safe(str(error)), again=True)) from None
        except Unanswered as error:
            if error.busy:
                verdict, after = "refused", error.after
            raise self._spent(flight, error) from None
        finally:
            pace.leave(entered, verdict, weight=weight, after=after)
        self._reached, self._lost = True, 0
        return value, Sent(content, time.monotonic() - flight.began, 1 + len(flight.hedges))

    def wait_after(self, error: Unanswered, faults: int, waited: float) -> float | None:
        """Seconds to wait before a request is sent again; None where it has failed for good.

        `faults` counts its failures but for those that asked for a wait, of which `waited` is the sum in seconds.
        """
        self._reached = self._reached or not error.unreachable
        if error.again and error.after is not None:
            if waited + error.after <= LONGEST_PAUSE:
                return error.after * random.uniform(1.0, 1.05)
            error.evidence = f"it asks to wait {error.after:.0f} s; {error.evidence}"
        # An address at which nothing was ever found is most likely wrong: say so soon.
        retries = self.endpoint.retries
        retries = retries if self._reached or self.endpoint.locate else min(retries, 2)
        if error.again and error.after is None and faults <= retries:
            return min(LONGEST_WAIT, FIRST_WAIT * 4 ** (faults - 1)) * random.uniform(0.5, 1.0)
        # A request that was refused as such says nothing about the next one.
        self._lost += error.again
        if self._lost >= LOST_IN_A_ROW and not error.advice:
            error.advice = f"{self._lost} requests in a row have failed; see that the endpoint works, then run again"
            self._lost = 0
        if error.advice or error.unreachable:
            self._down_until = time.monotonic() + DOWN_SECONDS
        return None

    async def models(self) -> list[str]:
        """The names of the models that the endpoint lists; none where it lists none, or not readably.

        Raises:
            Unanswered: where it cannot be asked.
        """
        for faults in range(1, self.endpoint.retries + 2):
            try:
                async with asyncio.timeout(self.endpoint.timeout):
                    return _names((await self._ask("GET", "/models", None)).content)
            except TimeoutError:
                error = self._late()
            except Unanswered as found:
                error = found
            # Many servers keep no such list, which is no trouble; a refused key is.
            if error.status == 501 or (error.status in range(400, 500) and error.status not in _NOT_FOR_US):
                return []
            wait = self.wait_after(error, faults, 0.0)
            if wait is None:
                raise error
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def client(self) -> "openai.AsyncOpenAI":
        """The client, opened where it is not."""
        if self._current is None:
            async with self._opening:
                if self._current is None:
                    if self.endpoint.locate:
                        self._url = await asyncio.to_thread(self.endpoint.locate)
                    self._current = self._make()
        return self._current

    async def close(self) -> None:
        """Close the client's connections."""
        for transport in self._transports:
            await transport.aclose()
        self._transports.clear()

    async def _fly(self, flight: _Flight) -> "httpx2.Response":
        """The answer to a request, or to a copy of it that was quicker."""
        self._flights[flight] = None
        self._sent += 1
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        try:
            response = await self._ask("POST", flight.path, flight.body)
        except asyncio.CancelledError:
            if flight.answer is None and not flight.overdue:
                raise
            flight.task.uncancel()
            if flight.answer is None:
                raise self._late() from None
            response = flight.answer
        finally:
            del self._flights[flight]
            for hedge in flight.hedges:
                hedge.cancel()
        self._seconds.append(time.monotonic() - flight.began)
        return response

    async def _watch(self) -> None:
        """Send the slow again and give up on the overdue, while anything is in flight."""
        while self._flights:
            await asyncio.sleep(_TICK)
            now, patience = time.monotonic(), self._patience()
            for flight in list(self._flights):  # oldest first
                age = now - flight.began
                if age >= self.endpoint.timeout:
                    flight.overdue = True
                    flight.task.cancel()
                elif age < patience:
                    break
                elif age >= patience * (1 + len(flight.hedges)) and self._hedged < 2 + _HEDGE_SHARE * self._sent:
                    self._hedged += 1
                    flight.hedges.append(asyncio.create_task(self._hedge(flight)))
        self._watcher = None

    def _patience(self) -> float:
        """Seconds after which a request is sent a second time: far in the tail of what has been seen."""
        if not self.endpoint.hedge or len(self._seconds) < _HEDGE_SAMPLES:
            return self.endpoint.timeout
        usual = sorted(self._seconds)[int(0.95 * len(self._seconds))]
        return max(_HEDGE_AT_LEAST, _HEDGE_TIMES * usual)

    async def _hedge(self, flight: _Flight) -> None:
        try:
            answer = await self._ask("POST", flight.path, flight.body)
        except Unanswered:
            return
        if flight in self._flights and flight.answer is None and not flight.overdue:
            flight.answer = answer
            flight.task.cancel()

    async def _ask(self, method: str, path: str, body: bytes | None) -> "httpx2.Response":
        """One exchange over HTTP."""
        import httpx2
        import openai

        client = self._current or await self.client()
        try:
            if method == "GET":
                return await client.get(path, cast_to=httpx2.Response)
            return await client.post(path, cast_to=httpx2.Response, content=body)
        except openai.APIStatusError as error:
            told = error.body.get("message") if isinstance(error.body, dict) else None
            raise of_status(error, self.safe(str(told or error.message))) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            lost = of_transport(error)
            lost.evidence = self.safe(lost.evidence)
            if lost.unreachable and self.endpoint.locate and self._current is client:
                self._current = None  # not closed yet: other requests may be under way on it
            raise lost from None

    def _make(self) -> "openai.AsyncOpenAI":
        import openai

        from tasks.llm.transport import Transport

        url, login = _without_login(self._url)
        key = self.endpoint.key
        transport = Transport(
            connections=self.slots + 2 + int(self.slots * _HEDGE_SHARE) * 2,
            connect=min(20.0, self.endpoint.timeout),
            anonymous=not key and not login,
            trust_env=urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost"},  # no proxy to ourselves
        )
        self._transports.append(transport)
        return openai.AsyncOpenAI(
            base_url=url,
            # Without one, the client would send the environment's key to an address that is not to have it.
            api_key=key.get_secret_value() if key else "none",
            default_headers={"Authorization": login} if login else None,
            max_retries=0,
            http_client=transport,
        )

    def _late(self) -> Unanswered:
        return Unanswered("no answer in time", f"after {self.endpoint.timeout:g} s", again=True)

    @staticmethod
    def _spent(flight: _Flight, error: Unanswered) -> Unanswered:
        error.tries, error.seconds = 1 + len(flight.hedges), time.monotonic() - flight.began
        return error

    def safe(self, text: str) -> str:
        """What the endpoint said, without the key (some repeat it) and not too long."""
        text = text.replace(self._url, self.name) if self._url else text
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return clean(redacted_text(text))[:500]

    def _bare(self, content: bytes) -> bytes:
        """An answer without the key, if it holds it: what comes from here is stored."""
        for secret in self._secrets:
            if len(secret) >= LEAST and (found := secret.encode()) in content:
                content = content.replace(found, b"***")
        return content


_NOT_FOR_US = {401, 402, 403, 408, 409, 425, 429}


def redacted(url: str) -> str:
    """An address fit to be shown: without login, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_login(url: str) -> tuple[str, str]:
    """The address, and a header's value that carries the login it had: aiohttp refuses a login beside a key."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    if not login:
        return url, ""
    basic = base64.b64encode(login.encode()).decode()
    return urlunsplit((parts.scheme, host, *parts[2:])), f"Basic {basic}"


def _names(content: bytes) -> list[str]:
    try:
        return [str(model["id"]) for model in json.loads(content)["data"]]
    except (ValueError, TypeError, KeyError):
        return []
