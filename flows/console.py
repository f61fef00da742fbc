"""Where the command line writes to."""

import sys

from rich.console import Console

PIPED = 200
"""Columns of output that no terminal bounds."""


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for a table where output goes elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PIPED)
