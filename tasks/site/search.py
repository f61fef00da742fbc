"""The index that the search box looks through: a script that sets a variable, since no page may read a file."""

import json
from collections.abc import Sequence
from typing import NamedTuple

MOST = 20_000
"""Rows that can be found."""


class Entry(NamedTuple):
    """Something to find: what it is, its name, more of its text, and its page."""

    kind: str
    name: str
    text: str
    page: str


def script(entries: Sequence[Entry]) -> str:
    """The index as JavaScript in ASCII, in which nothing could end an element, a string or a line."""
    told = json.dumps([list(entry) for entry in entries], ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        told = told.replace(character, f"\\u{ord(character):04x}")
    return f"window.EVERSPRING_INDEX={told};\n"
