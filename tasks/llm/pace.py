"""Pace: how many requests one model at one endpoint gets at once, and how many a minute.

The number in flight adapts as DCTCP's window does (Alizadeh et al., 2010): it shrinks by half the share of requests
that were refused as too many, so an endpoint that refuses all of them halves it; it comes back quickly to where it was,
then grows by one a round. Refusals of one request in ten or less are what using an endpoint to the full looks like, and
are put up with. Everything here happens on the event loop.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["answered", "refused", "broken"]

_BURST = 1.0
"""Seconds' worth of requests or tokens that may be sent at once."""
_PUT_UP_WITH, _TOO_MANY = 0.1, 0.2
"""Shares of refused requests up to which the number in flight grows, and from which it shrinks."""
_ROUND = 10
"""Requests that a round has at the least: fewer say nothing about a share."""
_REFUSED_IN_A_ROW = 3
"""Refusals without an answer between them, at the least, before the endpoint is left alone as long as it asks."""


class Bucket:
    """So many a minute, spread evenly; `None` is no limit."""

    def __init__(self, per_minute: float | None) -> None:
        self.given = per_minute
        self.rate = 0.0
        self._cap = 0.0
        self._level = 0.0
        self._at = time.monotonic()
        self.limit(per_minute)
        self._level = self._cap

    def limit(self, per_minute: float | None) -> None:
        """Hold the smaller of the limit that was set and this one."""
        known = [limit for limit in (self.given, per_minute) if limit]
        self.rate = min(known) / 60 if known else 0.0
        self._cap = max(1.0, self.rate * _BURST)
        self._level = min(self._level, self._cap)

    def wait(self, amount: float) -> float:
        """Seconds until `amount` may be taken."""
        if not self.rate:
            return 0.0
        now = time.monotonic()
        self._level = min(self._cap, self._level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, (min(amount, self._cap) - self._level) / self.rate)

    def take(self, amount: float) -> None:
        """Take `amount`, or give some back where it is negative."""
        if self.rate:
            self._level -= amount


@dataclass
class _Round:
    """So many requests sent one after the other under one limit."""

    sent: int = 0
    back: int = 0
    answered: int = 0
    refused: int = 0


class Pace:
    """The gate of one model at one endpoint; `most` is the largest number in flight."""

    def __init__(self, most: int, *, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self.requests = Bucket(requests_per_minute)
        self.tokens = Bucket(tokens_per_minute)
        self._waiting: deque[tuple[asyncio.Future[None], int, int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._round = _Round()
        self._in_a_row = 0
        self._good = float(most)  # where it may come back to quickly
        self._resume = 0.0
        self._seen: dict[str, str] = {}

    async def enter(self, tokens: int, weight: int = 1) -> _Round:
        """Wait for leave to send a request of about `tokens` that counts as `weight`; returns what to leave with."""
        if self._waiting or self._hindrance(tokens, weight) is not None:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((turn, tokens, weight))
            self._admit()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_back(weight)
                raise
        else:
            self._let_in(tokens, weight)
        if self._round.sent >= max(self.limit, _ROUND):
            self._round = _Round()
        self._round.sent += 1
        return self._round

    def leave(self, entered: _Round, verdict: Verdict, *, weight: int = 1, after: float | None = None) -> None:
        """A request is back; `after`: seconds that a refusal asks to wait."""
        if verdict == "refused":
            self._in_a_row += 1
            if after is not None and self._in_a_row >= max(_REFUSED_IN_A_ROW, self.limit):
                self.pause(after)
        elif verdict == "answered":
            self._in_a_row = 0
        entered.back += 1
        entered.answered += verdict == "answered"
        entered.refused += verdict == "refused"
        # Refusals come back sooner than answers: a round speaks when all of it is back.
        if entered.back == entered.sent and entered is not self._round:
            self._adjust(entered)
        self._give_back(weight)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._resume = max(self._resume, time.monotonic() + seconds)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take over what the endpoint's headers say about its limits."""
        for kind, bucket in (("requests", self.requests), ("tokens", self.tokens)):
            limit = headers.get(f"x-ratelimit-limit-{kind}")
            if limit is None:
                continue
            if self._seen.get(kind) != limit and limit.isdigit():
                self._seen[kind] = limit
                bucket.limit(float(limit))
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
                self.pause(min(60.0, seconds_of(headers.get(f"x-ratelimit-reset-{kind}", ""))))

    def _adjust(self, round_: _Round) -> None:
        """Take a lesson from a round."""
        share = round_.refused / max(1, round_.answered + round_.refused)
        if share > _TOO_MANY:
            self._good = max(self.limit * (1 - share / 4), 0.75 * min(self._good, self.most))
            self.limit = max(1.0, self.limit * (1 - share / 2))
        elif share <= _PUT_UP_WITH:
            quickly = min(self._good, self.limit * 2)
            self.limit = min(float(self.most), quickly if self.limit < self._good else self.limit + 1)

    def _hindrance(self, tokens: int, weight: int) -> float | None:
        """Seconds until a request may go; 0 where it waits for another to come back, None where nothing hinders it."""
        if self.in_flight and self.in_flight + weight > self.limit:
            return 0.0
        if not (self._resume or self.requests.rate or self.tokens.rate):
            return None
        paused = self._resume - time.monotonic()
        if paused <= 0:
            self._resume = 0.0
        wait = max(paused, self.requests.wait(1), self.tokens.wait(tokens))
        return wait if wait > 0 else None

    def _let_in(self, tokens: int, weight: int) -> None:
        self.in_flight += weight
        self.requests.take(1)
        self.tokens.take(tokens)

    def _give_back(self, weight: int) -> None:
        self.in_flight -= weight
        if self._waiting:
            self._admit()

    def _admit(self) -> None:
        """Let in whoever may go, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            turn, tokens, weight = self._waiting[0]
            if turn.done():  # given up
                self._waiting.popleft()
                continue
            wait = self._hindrance(tokens, weight)
            if wait is not None:
                if wait > 0:
                    self._timer = turn.get_loop().call_later(wait, self._admit)
                return
            self._waiting.popleft()
            self._let_in(tokens, weight)
            turn.set_result(None)


_PART = re.compile(r"([\d.]+)(ms|s|m|h|d)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str) -> float:
    """Seconds of a duration such as `6m0s`, `12ms` or `3`; 0 for anything else."""
    parts = _PART.findall(text)
    if parts:
        return sum(float(number) * _UNIT[unit] for number, unit in parts)
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
