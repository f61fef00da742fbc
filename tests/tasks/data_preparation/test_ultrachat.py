import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.records import Document, Labelled
from catalog.sources.chat_themes import chat_themes
from tasks.data_preparation.ultrachat import Chat, ultrachat
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.converse import polite

THEMES: list[Labelled] = [row for row, _ in chat_themes()]
TEXTS = [
    Document(text=f"Mill number {n} was built of stone. " + "The miller ground corn there every day. " * 3)
    for n in range(9)
]


def good(prompt: str, body: dict[str, Any]) -> str:
    if schema_of(body):
        field = prompt.partition("talk about ")[2].partition(".")[0]
        return json.dumps({"subtopics": [f"{field} {word}"[:40] for word in ("history", "tools", "errors", "costs")]})
    number = body["seed"] % 9973
    said = {
        "Ask one": f"What should I know first about {prompt.rpartition(': ')[2]}, say in lesson {number}?",
        "A person wants": f"Write {prompt.partition('write ')[2].partition('. Say')[0]} about my boat number {number}.",
        "Say this wish": f"{prompt.rpartition(': ')[2]} It has four lines, is cheerful and names the sea.",
        "A person has": "Which material does this text name first?",
        "This is a talk": f"What comes after step {prompt.count('Assistant:') + number}?",
    }
    answer = f"Here is what I can say about it, in part {number}: begin with the easy things and go on from there."
    return next((text for opening, text in said.items() if prompt.startswith(opening)), answer)


def promised(row: Chat) -> bool:
    roles = [message["role"] for message in row.messages]
    asked = [message["content"] for message in row.messages if message["role"] == "user"]
    return (
        roles == ["user", "assistant"] * (len(roles) // 2)
        and 6 <= len(roles) <= 14
        and not any(polite(message) for message in asked)
    )


def test_openings_come_from_three_sectors_in_equal_parts(scripted_llm: Callable[..., LLM]) -> None:
    chats = ultrachat(THEMES, TEXTS, scripted_llm(good), rows=12)
    assert Counter(chat.sector for chat in chats) == {"world": 4, "creation": 4, "material": 4}
    assert all(promised(chat) for chat in chats)
    assert len({len(chat.messages) for chat in chats}) > 2
    opening = {chat.sector: chat.messages[0]["content"] for chat in chats}
    assert opening["world"].startswith("What should I know first about")
    assert opening["material"].startswith("Mill number")
    assert opening["material"].endswith("Which material does this text name first?")


def test_most_wishes_are_made_finer(scripted_llm: Callable[..., LLM]) -> None:
    chats = ultrachat(THEMES, TEXTS, scripted_llm(good), rows=30)
    wishes = [chat.messages[0]["content"] for chat in chats if chat.sector == "creation"]
    assert len(wishes) == 10
    assert sum("It has four lines" in wish for wish in wishes) == 8


def test_a_user_who_only_thanks_ends_the_talk(scripted_llm: Callable[..., LLM]) -> None:
    def thank(prompt: str, body: dict[str, Any]) -> str:
        return "Thank you, you are great!" if prompt.startswith("This is a talk") else good(prompt, body)

    with keep(Ledger()) as ledger:
        assert ultrachat(THEMES, TEXTS, scripted_llm(thank), rows=3) == []
    assert {drop.reason for drop in ledger.drops} == {"the conversation ends before 3 rounds"}


def test_a_talk_in_which_something_is_said_twice_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    def stuck(prompt: str, body: dict[str, Any]) -> str:
        return "And then?" if prompt.startswith("This is a talk") else good(prompt, body)

    with keep(Ledger()) as ledger:
        assert ultrachat(THEMES, TEXTS, scripted_llm(stuck), rows=3) == []
    assert {drop.reason for drop in ledger.drops} == {"something is said twice"}
