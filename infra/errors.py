"""The two ways a run says no. Everything else that is raised is a bug."""

from collections.abc import Iterable
from difflib import get_close_matches

from infra.secrets import redacted


class EverspringError(Exception):
    """An error that a user can act on, worded `<subject>: <what is>, <what was wanted>; <what to do>`."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))  # an error goes to the terminal, to Prefect and into the lake


class Refusal(EverspringError):
    """Bad usage: an unknown name, a setting or a file that cannot be used. Exit code 2."""

    exit_code = 2

    @classmethod
    def unknown(cls, kind: str, name: str, known: Iterable[str]) -> "Refusal":
        """The error for an unknown name, with the near ones, or all of them where none is near."""
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        listed = ", ".join(near or names) or "none exist"
        return cls(f"{kind} {name!r}: unknown; {'did you mean' if near else 'there are'}: {listed}")


class Failure(EverspringError):
    """A run or a gate failed: nothing was published. Exit code 1."""


class Lost(Failure):
    """A server or a store that was there went away: the same work, done again, may well succeed."""
