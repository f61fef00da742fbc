"""Language identification: chat prompts with the language of the chatterbot-corpus folder they stand in."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source
from catalog.sources._chatterbot import LICENCE, PACKAGE, openings
from catalog.sources._sampling import spread

# Languages with thirty prompts or more, each written in one way only: Chinese is in two scripts.
_LANGUAGES = (
    *("bengali", "chinese", "dutch", "english", "french", "german", "hebrew", "indonesian", "italian", "japanese"),
    *("korean", "oriya", "persian", "portuguese", "russian", "spanish", "swedish", "turkish", "ukrainian"),
)
_ROWS = 60
"""At most, of one language: English has twenty times as many as Hebrew."""


@source(table="raw.labelled_texts", licence=LICENCE, package=PACKAGE)
def chatterbot_languages() -> Iterator[tuple[Labelled, str]]:
    """Nineteen classes; of a large one, rows from all over it."""
    for language in _LANGUAGES:
        for opening in spread(list(openings(language)), _ROWS):
            yield Labelled(text=opening.turns[0], label=language.title(), dataset="language"), opening.place
