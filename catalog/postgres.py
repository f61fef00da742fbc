"""The PostgreSQL server of a team: whether the settings name one, and its client."""

from typing import Any

from infra.errors import Refusal
from infra.settings import Settings


def of_a_team(settings: Settings) -> bool:
    """Whether catalogue and calls are kept in PostgreSQL, rather than in SQLite in the home folder.

    Raises:
        Refusal: where the settings name anything else.
    """
    if settings.lake and not settings.lake.startswith(("postgres://", "postgresql://")):
        raise Refusal(
            "lake: EVERSPRING_LAKE is no postgresql:// address; "
            "set one like postgresql://user@host/database, or leave it empty for SQLite in the home folder"
        )
    return bool(settings.lake)


def psycopg() -> Any:
    """The PostgreSQL client.

    Raises:
        Refusal: where it is not installed.
    """
    try:
        import psycopg as client
    except ImportError:
        raise Refusal(
            "lake: EVERSPRING_LAKE names a PostgreSQL server, and its client psycopg is not installed; "
            "pip install 'psycopg[binary]'"
        ) from None
    return client


def why_not(error: Exception) -> str:
    """What PostgreSQL says is wrong, in words of ours: its own may hold some of the password."""
    known = {
        "authentication failed": "the user or the password is wrong",
        "no password supplied": "it asks for a password",
        "does not exist": "there is no such database or user",
        "Connection refused": "nobody listens at that address",
        "translate host name": "there is no such host",
        "timeout": "it does not answer",
        "permission denied": "permission denied: the user may not use it",
    }
    said = str(error)
    if getattr(error, "sqlstate", None):  # the server's own words, which know no password
        return said.partition("\n")[0]
    return next((why for sign, why in known.items() if sign in said), "the connection or the query failed")
