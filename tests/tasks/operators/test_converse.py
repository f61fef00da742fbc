from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply

from catalog.records import Answer, Message, Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.converse import circles, converse, polite, script, spoken

SEA = Prompt(prompt="Tell me about the sea.")
FOLLOW = "What is next?\n{transcript}"


def sea(prompt: str, body: dict[str, Any]) -> str:
    """The assistant numbers its answers; the user asks on with the number of turns that it sees."""
    if prompt.startswith("What is next?"):
        return f"And then, after {prompt.count(chr(10))} turns?"
    return f"Answer {sum(message['role'] == 'assistant' for message in body['messages'])} to {prompt}"


def test_two_models_talk_each_in_its_part(scripted_llm: Callable[..., LLM]) -> None:
    ((row, talk),) = converse(*[scripted_llm(sea)] * 2, [SEA], "{prompt}", FOLLOW, rounds=(2, 2))
    assert row is SEA
    assert [(m["role"], m["content"]) for m in talk.messages] == [
        ("user", "Tell me about the sea."),
        ("assistant", "Answer 0 to Tell me about the sea."),
        ("user", "And then, after 2 turns?"),
        ("assistant", "Answer 1 to And then, after 2 turns?"),
    ]
    assert talk.parents == (SEA.record_id,)
    assert len({made.call for made in talk.origin if isinstance(made, Answer)}) == 3


def test_the_role_card_is_the_assistants_alone(scripted_llm: Callable[..., LLM]) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or sea(prompt, body))
    converse(llm, llm, [SEA], "{prompt}", FOLLOW, system="You know: {prompt}", rounds=(2, 2))
    carded = [body["messages"][0] for body in bodies if body["messages"][0]["role"] == "system"]
    assert [card["content"] for card in carded] == ["You know: Tell me about the sea."] * 2


def test_the_number_of_rounds_is_drawn_for_each_row(scripted_llm: Callable[..., LLM]) -> None:
    rows = [Prompt(prompt=f"sea {number}") for number in range(12)]
    talks = converse(*[scripted_llm(sea)] * 2, rows, "{prompt}", FOLLOW, rounds=(1, 3))
    assert [row for row, _ in talks] == rows
    assert {len(talk.messages) for _, talk in talks} == {2, 4, 6}


def test_a_conversation_ends_where_the_user_ends_it(scripted_llm: Callable[..., LLM]) -> None:
    def thank(prompt: str, body: dict[str, Any]) -> str:
        return "Thanks!" if prompt.startswith("What is next?") and prompt.count("\n") > 2 else sea(prompt, body)

    llm = scripted_llm(thank)
    ((_, talk),) = converse(llm, llm, [SEA], "{prompt}", FOLLOW, rounds=(2, 5), over="Thanks!".__eq__)
    assert len(talk.messages) == 4
    with keep(Ledger()) as ledger:
        assert converse(llm, llm, [SEA], "{prompt}", FOLLOW, rounds=(3, 5), over="Thanks!".__eq__) == []
    assert [drop.reason for drop in ledger.drops] == ["the conversation ends before 3 rounds"]


def test_one_answer_is_read_as_the_turns_of_its_speakers() -> None:
    text = "Sure!\n**Mom**: Look, a dog.\n**Child:** Dog!\nNote: a big one.\n[Mom]: Yes.\nMom: It barks."
    assert [(m["role"], m["content"]) for m in spoken(text, ["Mom", "Child"])] == [
        ("Mom", "Look, a dog."),
        ("Child", "Dog!\nNote: a big one."),
        ("Mom", "Yes.\nIt barks."),
    ]


def test_the_last_turn_of_a_cut_conversation_is_left_out(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: Reply("Mom: Look.\nChild: Dog!\nMom: It is a bi", finish="length"))
    ((_, answer),) = script(llm, [SEA], "{prompt}", lambda row: ["Mom", "Child"])
    assert [m["content"] for m in answer.value] == ["Look.", "Dog!"]


def test_a_conversation_that_is_short_or_lacks_a_speaker_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: "Mom: Look.\nChild: Dog!" if "sea" in prompt else "Mom: Look.\nDad: Oh.")
    rows = [SEA, Prompt(prompt="Tell me about rivers.")]
    with keep(Ledger()) as ledger:
        assert script(llm, rows, "{prompt}", lambda row: ["Mom", "Child", "Dad"]) == []
        assert script(llm, rows[:1], "{prompt}", lambda row: ["Mom", "Child"], least=3) == []
    reasons = [(drop.reason, drop.evidence.partition(":")[0]) for drop in ledger.drops]
    assert reasons == [
        ("a speaker says nothing", "Dad"),
        ("a speaker says nothing", "Child"),
        ("the conversation has fewer than 3 turns", "Mom"),
    ]


def test_a_conversation_that_says_something_again_goes_in_circles() -> None:
    def talk(*said: str) -> list[Message]:
        return [Message(role="user", content=text) for text in said]

    assert circles(talk("Why?", "Because.", "why? "))
    assert circles(talk("Why?", "It is red and it is blue and " * 6))
    assert not circles(talk("Why?", "Because.", "Why not?"))


@pytest.mark.parametrize(
    ("message", "expected"),
    [("Thanks a lot!", True), ("Wonderful answer.", True), ("Thanks, but how?", False), ("And the sails?", False)],
)
def test_thanks_without_a_question_are_only_polite(message: str, expected: bool) -> None:
    assert polite(message) is expected
