"""The PostgreSQL server of a team: whether the settings name one, and its client."""

import re
from typing import Any

from infra.errors import Failure, Lost, Refusal
from infra.settings import Settings

# In the words of PostgreSQL's client library, which DuckDB and psycopg pass on; a server that is there can roll back.
_GONE = re.compile(
    r"connection refused|could not connect|connection to server|server closed the connection|terminating connection|"
    r"the database system is|no connection to the server|connection (?:is )?(?:lost|closed|reset|already closed)|"
    r"SSL SYSCALL|could not (?:receive|send) data|bad connection|broken pipe|failed to execute query \"ROLLBACK\"",
    re.IGNORECASE,
)
_NOT_LET_IN = re.compile(r"authentication failed|does not exist|no password supplied|permission denied")


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


def why_not(error: BaseException) -> str:
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


def postgres_failure(error: BaseException) -> Failure:
    """The failure to tell of where the server went away (then it is `Lost`), or cannot be used."""
    gone = bool(_GONE.search(str(error))) and not _NOT_LET_IN.search(str(error))
    why = why_not(error)
    return (Lost if gone else Failure)(
        f"lake: PostgreSQL cannot be reached ({why}), a server that can be is wanted; see EVERSPRING_LAKE"
    )
