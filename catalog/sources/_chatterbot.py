"""The conversations of chatterbot-corpus: YAML files, one a language and topic."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.sources import folder_of

PACKAGE = "chatterbot-corpus"
LICENCE = "BSD-3-Clause"


@dataclass(frozen=True)
class Conversation:
    """Turns that people wrote for a chat bot to learn from; the first is the human's."""

    language: str
    topic: str
    turns: tuple[str, ...]
    place: str


def conversations(language: str, *topics: str) -> Iterator[Conversation]:
    """The conversations of a language, of all topics or of those named; single turns that nobody answers are none."""
    import yaml  # only where the corpus is read

    folder = folder_of(PACKAGE, "chatterbot_corpus") / "data" / language
    for file in sorted(folder.glob("*.yml")):
        if topics and file.stem not in topics:
            continue
        found = yaml.load(file.read_bytes(), yaml.CSafeLoader)["conversations"]
        for number, turns in enumerate(found):
            if isinstance(turns, list) and len(turns) > 1:
                said = tuple(str(turn).strip() for turn in turns)
                yield Conversation(language, file.stem, said, f"{language}/{file.name}#{number}")


def openings(language: str, *topics: str) -> Iterator[Conversation]:
    """The conversations that open in a new way: the first of each opening turn, in one file."""
    seen: set[tuple[str, str]] = set()
    for conversation in conversations(language, *topics):
        key = (conversation.topic, conversation.turns[0])
        if key not in seen:
            seen.add(key)
            yield conversation
