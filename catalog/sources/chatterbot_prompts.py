"""What people say first to a chat bot: the distinct opening turns of chatterbot-corpus in English."""

from collections.abc import Iterator

from catalog.records import Prompt
from catalog.sources import source
from catalog.sources._chatterbot import LICENCE, PACKAGE, openings


@source(table="raw.prompts", licence=LICENCE, package=PACKAGE, part="english")
def chatterbot_prompts() -> Iterator[tuple[Prompt, str]]:
    """Each opening once, wherever it comes first."""
    seen: set[str] = set()
    for opening in openings("english"):
        if opening.turns[0] not in seen:
            seen.add(opening.turns[0])
            yield Prompt(prompt=opening.turns[0]), opening.place
