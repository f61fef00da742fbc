"""`converse` and `script`: conversations, of two models turn by turn or written by one at once (operators.md 4)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Dialogue, Message, Record, content
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, Turns, fill, generate
from tasks.operators.iterate import iterate
from tasks.operators.rewrite import looped
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)

_POLITE = re.compile(
    r"\b(?:thank|thanks|bye|goodbye|great (?:answer|job|work)|wonderful|well done|you are (?:so|very|great))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Talk(Dialogue):
    """A conversation on its way to so many `rounds` of a message and its answer, about the row in a `place`."""

    place: int
    rounds: int

    @property
    def open(self) -> bool:
        """Whether a message of the user waits for its answer."""
        return self.messages[-1]["role"] == "user"


@operator
def converse(
    assistant: LLM,
    user: LLM,
    rows: Rows[R],
    opening: "Prompting[R]",
    follow_up: str,
    *,
    system: "Prompting[R]" = "",
    follow_up_turns: Sequence[tuple[str, str]] = (),
    rounds: tuple[int, int] = (3, 7),
    over: Callable[[str], bool] = lambda _: False,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    longest_follow_up: int = 64,
    seed: int = 0,
) -> list[tuple[R, Dialogue]]:
    """(row, dialogue) pairs: the assistant answers, the user asks on, for a number of rounds drawn for each row.

    Args:
        assistant: the model that answers; it sees the conversation as its own.
        user: the model that plays who asks; it sees the conversation written out, so that it keeps to its part.
        rows: what to talk about.
        opening: the user's first message.
        follow_up: what to ask `user` for the next one, with `{transcript}` and placeholders for the row's fields.
        system: the role card of the assistant; none where empty.
        follow_up_turns: (asked, message) pairs that show how, as earlier turns.
        rounds: the fewest and the most; a round is a message and its answer.
        over: whether a message of the user ends the conversation: it is left out, and what was said before stays.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest answer.
        longest_follow_up: tokens of the user's message.
        seed: of the draws and the sampling.

    The dialogue's origin is its row and every answer. One that is over before the fewest rounds is dropped.
    """

    def turn(state: list[Talk], _: int) -> list[Talk]:
        answers = generate(
            assistant,
            [talk for talk in state if talk.open],
            lambda talk: talk.messages[-1]["content"],
            system=(lambda talk: fill(system, rows[talk.place])) if system else "",
            turns=lambda talk: _exchanges(talk.messages),
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            seed=seed,
        )
        answered = [_grown(talk, "assistant", answer) for talk, answer in answers]
        asked = generate(
            user,
            [talk for talk in answered if len(talk.messages) < 2 * talk.rounds],
            lambda t: follow_up.format_map({**content(rows[t.place]), "transcript": transcript(t.messages)}),
            turns=follow_up_turns,
            temperature=temperature,
            top_p=top_p,
            max_tokens=longest_follow_up,
            stop=("\n",),
            seed=seed,
        )
        going = [talk if over(ask.value) else _grown(talk, "user", ask) for talk, ask in asked]
        done = [talk for talk in answered if len(talk.messages) >= 2 * talk.rounds]
        return [talk for talk in state if not talk.open] + done + going

    begun: list[Talk] = []
    for place, row in enumerate(rows):
        count = dice(seed, "rounds", row.record_id).randint(*rounds)
        first = (Message(role="user", content=fill(opening, row)),)
        begun.append(Talk(messages=first, place=place, rounds=count, origin=(row,)))
    pairs: list[tuple[R, Dialogue]] = []
    for talk in sorted(iterate(begun, turn, rounds=rounds[1]), key=lambda talk: talk.place):
        if len(talk.messages) < 2 * rounds[0]:
            drop(talk, f"the conversation ends before {rounds[0]} rounds", talk.messages[-1]["content"][:200])
        else:
            pairs.append((rows[talk.place], Dialogue(messages=talk.messages, origin=talk.origin)))
    return pairs


@operator
def script(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    speakers: Callable[[R], Sequence[str]],
    *,
    turns: "Turns[R]" = (),
    least: int = 2,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[R, Answer[tuple[Message, ...]]]]:
    """(row, messages) pairs: one answer of the model holds a whole conversation, in which it plays all the parts.

    Args:
        llm: the model.
        rows: what the conversations are about.
        prompt: asks for one, each turn on a line that begins with the speaker's name and a colon.
        speakers: the names in a row's conversation: the roles of its messages.
        turns: (asked, conversation) pairs that show how, as earlier turns.
        least: the fewest turns.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest conversation.
        seed: of the sampling.

    What stands before the first name is left out, as is the last turn of an answer that was cut; what one speaker says
    in two turns running is one. A conversation that is too short, or in which a speaker says nothing, is dropped.
    """
    pairs: list[tuple[R, Answer[tuple[Message, ...]]]] = []
    asked = generate(
        llm, rows, prompt, turns=turns, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed
    )
    for row, answer in asked:
        messages = spoken(answer.value, speakers(row))
        if answer.finish_reason == "length":
            messages = messages[:-1]
        silent = [name for name in speakers(row) if name not in {message["role"] for message in messages}]
        if len(messages) < least:
            drop(row, f"the conversation has fewer than {least} turns", answer.value[:500])
        elif silent:
            drop(row, "a speaker says nothing", f"{', '.join(silent)}: {answer.value[:500]}")
        else:
            pairs.append((row, Answer(messages, answer.call, answer.finish_reason)))
    return pairs


def transcript(messages: Sequence[Message]) -> str:
    """A conversation written out, each turn under the name of its role."""
    return "\n".join(f"{message['role'].capitalize()}: {message['content']}" for message in messages)


def circles(messages: Sequence[Message]) -> bool:
    """Whether a message is said twice, or one of them runs in a circle."""
    said = [" ".join(message["content"].casefold().split()) for message in messages]
    return len(set(said)) < len(said) or any(looped(text) for text in said)


def polite(message: str) -> bool:
    """Whether a user's message only thanks or praises, or takes leave."""
    return "?" not in message and _POLITE.search(message) is not None


def spoken(text: str, names: Sequence[str]) -> tuple[Message, ...]:
    """The turns in a conversation written out: what follows each name, up to the next."""
    every = "|".join(re.escape(name) for name in names)
    _, *parts = re.split(rf"^[ \t>*_#\[|(-]*({every})[ \t*_\]|)]*:[ \t*_]*", text, flags=re.MULTILINE | re.IGNORECASE)
    known = {name.casefold(): name for name in names}
    messages: list[Message] = []
    for name, said in zip(parts[::2], parts[1::2], strict=True):
        role, words = known[name.casefold()], said.strip()
        if messages and messages[-1]["role"] == role:
            messages[-1] = Message(role=role, content=f"{messages[-1]['content']}\n{words}".strip())
        elif words:
            messages.append(Message(role=role, content=words))
    return tuple(messages)


def _exchanges(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """The message and answer of every round that is complete."""
    said = [message["content"] for message in messages]
    return list(zip(said[:-1:2], said[1::2], strict=True))


def _grown(talk: Talk, role: str, answer: Answer[str]) -> Talk:
    messages = (*talk.messages, Message(role=role, content=answer.value))
    return Talk(messages=messages, place=talk.place, rounds=talk.rounds, origin=(*talk.origin, answer))
