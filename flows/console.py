"""Where the command line writes to."""

import re
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

PIPED = 200
"""Columns of output that no terminal bounds."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """A text with control characters, and bytes that are no text, written out: as wide as Rich takes it for."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text)


class _Plain(Console):
    """A console on which text is text: what a model or a file says is no command to the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What there is to print, with control characters written out; those of Rich itself are kept."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for a table where output goes elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    return _Plain(stderr=stderr, width=None if stream.isatty() else PIPED)
