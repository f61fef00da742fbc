"""Faults: what can go wrong between a request and its answer, told apart by what is to be done about it."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openai

_AGAIN = {408, 409, 425, 429}
_UNUSABLE = {401, 402, 403, 404, 405}
_BUSY = {429, 503, 529}


class Unanswered(Exception):
    """A request got no answer: a short reason, what the endpoint said, and what that means for others."""

    def __init__(self, reason: str, evidence: str = "", *, again: bool = False) -> None:
        super().__init__(f"{reason}: {evidence}" if evidence else reason)
        self.reason = reason
        self.evidence = evidence
        self.again = again  # another try may help
        self.after: float | None = None  # seconds to wait first, where the endpoint says
        self.status = 0
        self.busy = False  # the endpoint has too much to do
        self.parameter = ""  # of the request, which the endpoint does not know
        self.unreachable = False  # nothing listens there
        self.advice = ""  # where set, no other request can succeed either
        self.tries = 0
        self.seconds = 0.0


class Stopped(Exception):
    """A request was not sent, because no more may be: its text says why."""


def of_status(error: "openai.APIStatusError", said: str) -> Unanswered:
    """What an HTTP status means; `said` are the endpoint's words."""
    status = error.status_code
    found = Unanswered(f"HTTP {status}", said, again=status in _AGAIN or status >= 500)
    found.status = status
    found.busy = status in _BUSY
    if status in _UNUSABLE:
        found.advice = {
            401: "set OPENAI_API_KEY to a key that it knows",
            402: "see to the account that the key belongs to",
            403: "see what the key may be used for",
        }.get(status, "check OPENAI_BASE_URL (it often ends in /v1) and EVERSPRING_MODEL")
    elif status == 429 and error.code == "insufficient_quota":
        found.again, found.advice = False, "see to the account that the key belongs to"
    elif status == 400:
        found.parameter = str(error.param or _unknown_parameter(said)).partition(".")[0]
    elif found.again:
        found.after = _retry_after(error.response.headers.get("retry-after", ""))
    return found


def of_transport(error: BaseException) -> Unanswered:
    """What became of a connection; the transport reports a lost one as a timeout, or wraps it."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            found = Unanswered("cannot connect", _innermost(cause), again=True)
            found.unreachable = True
            return found
        if isinstance(cause, TimeoutError) and not isinstance(cause, aiohttp.ClientConnectionError):
            return Unanswered("no answer in time", _innermost(cause), again=True)
        cause = cause.__cause__
    # A body that ends early or cannot be decoded arrives here too.
    return Unanswered("connection lost", _innermost(error), again=True)


_NOT_KNOWN = re.compile(
    r"(?:unsupported|unknown|unrecognized|unexpected|not support|not permitted|extra)\D{0,60}?[\'\"`](\w+)[\'\"`]"
    r"|[\'\"`](\w+)[\'\"`].{0,40}?(?:not supported|not permitted|unsupported|not allowed)",
    re.IGNORECASE,
)


def _unknown_parameter(said: str) -> str:
    """The parameter that an endpoint complains of, in whatever words; empty where it is none."""
    found = _NOT_KNOWN.search(said)
    return (found[1] or found[2]) if found else ""


def _innermost(error: BaseException) -> str:
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
