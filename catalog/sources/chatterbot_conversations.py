"""What people say first to a chat bot and its first reply, from chatterbot-corpus in English.

Later turns are left out: without those before them they are no prompt.
"""

from collections.abc import Iterator

from catalog.records import PromptCompletion
from catalog.sources import source
from catalog.sources._chatterbot import LICENCE, PACKAGE, conversations


@source(table="raw.conversations", licence=LICENCE, package=PACKAGE, part="english")
def chatterbot_conversations() -> Iterator[tuple[PromptCompletion, str]]:
    """Every conversation, those that repeat another included."""
    for conversation in conversations("english"):
        prompt, completion, *_ = conversation.turns
        yield PromptCompletion(prompt=prompt, completion=completion), conversation.place
