"""Secrets of this process: what the settings and the environment hold of them, and texts without them."""

import base64
import logging
import os
import re
import traceback
import urllib.parse
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

LEAST = 8
"""Characters from which on a secret is looked for: shorter ones are in too many words."""
_NAMED = re.compile(r"(_KEY|TOKEN|SECRET|PASSWORD|PASSWD|AUTH_STRING|WEBHOOK\w*)$", re.IGNORECASE)
_FILES = {"EVERSPRING_SIGNING_KEY"}
_POSTGRES = re.compile(r"postgres(?:ql)?://(.*)@")

_known: set[str] = set()


def redacted(text: str) -> str:
    """A text in which stars stand in place of every secret that is known."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, "***")
    return text


def remember(secret: str) -> None:
    """Know a secret, as it is and as an address has it."""
    if len(secret) >= LEAST:
        _known.update((secret, urllib.parse.quote(secret, safe="")))


def remember_all(value: Any) -> None:
    """Know every secret in settings: what is declared as one, and logins and tokens in addresses."""
    if isinstance(value, SecretStr):
        remember(value.get_secret_value())
    elif isinstance(value, BaseModel):
        remember_all(dict(value))
    elif isinstance(value, Mapping):
        for each in value.values():
            remember_all(each)
    elif isinstance(value, tuple):
        for each in value:
            remember_all(each)
    elif isinstance(value, str) and "://" in value:
        for secret in secrets_in(value):
            remember(secret)


def remember_environment() -> None:
    """Know what variables are secrets by their names: those of other programs too, such as S3's."""
    for name, value in os.environ.items():
        if _NAMED.search(name) and name not in _FILES:
            remember(value)


def secrets_in(address: str) -> set[str]:
    """The password of an address, its login as a header has it, and the values of a query that names keys or tokens."""
    try:
        parts = urllib.parse.urlsplit(address)
        login, query = parts.netloc.rpartition("@")[0], parts.query
    except ValueError:
        login, query = "", ""
    if not login and (found := _POSTGRES.match(address)):  # a slash in the password
        login = found[1]
    user, colon, password = login.partition(":")
    secrets = {value for name, value in urllib.parse.parse_qsl(query) if _NAMED.search(f"_{name}")}
    if colon:
        plain = urllib.parse.unquote(password)
        secrets |= {password, plain, *(base64.b64encode(each.encode()).decode() for each in (login, f"{user}:{plain}"))}
    return secrets - {""}


def guard_logs() -> None:
    """Keep secrets out of log records, whoever writes them and wherever they go."""
    make = logging.getLogRecordFactory()
    if getattr(make, "guards", False):
        return

    def guarded(*given: Any, **named: Any) -> logging.LogRecord:
        record = make(*given, **named)
        message = record.getMessage()
        if (safe := redacted(message)) != message:
            record.msg, record.args = safe, ()
        if record.exc_info and record.exc_info[1]:
            text = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
            if (safe := redacted(text)) != text:
                record.exc_text, record.exc_info = safe, None
        return record

    guarded.guards = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(guarded)
