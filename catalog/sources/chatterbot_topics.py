"""Topic classification: English chat prompts with the topic of the chatterbot-corpus file they stand in."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source
from catalog.sources._chatterbot import LICENCE, PACKAGE, openings

# Files that are about one subject and have a dozen prompts or more; `trivia` and `conversations` are about anything.
_TOPICS = {
    "ai": "artificial intelligence",
    "coding": "programming",
    "emotion": "emotions",
    "food": "food",
    "literature": "literature",
    "money": "money",
    "movies": "movies",
    "politics": "politics",
    "psychology": "psychology",
    "science": "science",
    "sports": "sports",
}


@source(table="raw.labelled_texts", licence=LICENCE, package=PACKAGE, part="english")
def chatterbot_topics() -> Iterator[tuple[Labelled, str]]:
    """Eleven classes."""
    for opening in openings("english", *_TOPICS):
        row = Labelled(text=opening.turns[0], label=_TOPICS[opening.topic], dataset="prompt topic")
        yield row, opening.place
