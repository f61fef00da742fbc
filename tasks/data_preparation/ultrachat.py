"""UltraChat: two models talk, one in the part of a user, about the world, texts to write and texts at hand.

Ding et al., 2023, https://arxiv.org/abs/2305.14233

Departs from the paper:
- Fields of the world and kinds of text are our own lists; no questions are made about entities of Wikidata, and the
  texts at hand are pieces of `raw.documents` where the paper takes web pages.
- One opening is made of a draw, where the paper makes ten questions of a subtopic and five tasks of a text; a field has
  up to twenty subtopics, in the paper some 37. Answers are bounded by `max_tokens`.
- A user's message that only thanks or praises ends the talk; a talk in which something is said twice is dropped.
- The user's model sees examples of ours, as a weak model needs.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from catalog.records import Answer, Dialogue, Document, Labelled, Prompt
from quality.expectations import one_of, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.converse import circles, converse
from tasks.operators.dedup import dedup
from tasks.operators.extract import chunk
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.sample import dice, sample
from tasks.prompts import read_prompts


@dataclass(frozen=True)
class Subtopics:
    """The answer with the subtopics of a field, some twenty of them."""

    subtopics: Annotated[list[Annotated[str, Field(min_length=3, max_length=40)]], Field(min_length=3, max_length=20)]


@dataclass(frozen=True, kw_only=True)
class Opening(Prompt):
    """A user's first message, in one of the three sectors: `world`, `creation`, `material`."""

    sector: str
    topic: str


@dataclass(frozen=True, kw_only=True)
class Chat(Dialogue):
    """A talk of some rounds, and the sector and topic of its opening."""

    sector: str
    topic: str


@method(
    paper=Paper(
        "Enhancing Chat Language Models by Scaling High-quality Instructional Conversations",
        "Ding et al.",
        2023,
        "2305.14233",
    ),
    categories=["general-model-distillation"],
    reads={"themes": "raw.chat_themes", "documents": "raw.documents"},
    expects=[unique("messages"), one_of("sector", ["world", "creation", "material"])],
)
def ultrachat(
    themes: Rows[Labelled],
    documents: Rows[Document],
    llm: LLM,
    *,
    rows: int = 1_500_000,
    refined: float = 0.8,
    fewest: int = 3,
    most: int = 7,
    passage: int = 150,
    temperature: float = 0.7,
    max_tokens: int = 256,
    seed: int = 0,
) -> Rows[Chat]:
    """Openings of three sectors in equal parts, and the talks that two instances of the model have about them."""
    ask: dict[str, Any] = {"temperature": temperature, "seed": seed}
    fields, kinds = (pick(themes, sector, (rows + 2 - place) // 3, seed) for place, sector in enumerate(SECTORS[:2]))
    texts = chunk(sample(documents, rows // 3, seed=seed), max_tokens=passage)
    pieces = sample(texts, rows // 3, seed=seed)

    named = dedup(fields, lambda row: row.text, reason="its subtopics are asked for once")
    lists = {row.text: answer for row, answer in generate(llm, named, PROMPTS["subtopics"], schema=Subtopics, **ask)}
    topics = [topic(row, lists[row.text], place, seed) for place, row in enumerate(fields) if row.text in lists]
    world = told("world", generate(llm, topics, PROMPTS["question"], turns=SHOTS["question"], max_tokens=64, **ask))
    drafts = told("creation", generate(llm, kinds, PROMPTS["wish"], turns=SHOTS["wish"], max_tokens=64, **ask))
    plain = drafts[: round(len(drafts) * (1 - refined))]
    finer = generate(llm, drafts[len(plain) :], PROMPTS["finer"], turns=SHOTS["finer"], max_tokens=96, **ask)
    material = told("material", generate(llm, pieces, PROMPTS["task"], turns=SHOTS["task"], max_tokens=48, **ask))

    openings = dedup([*world, *plain, *told("creation", finer), *material], lambda row: row.prompt)
    talks = converse(
        llm,
        llm,
        openings,
        "{prompt}",
        PROMPTS["go on"],
        follow_up_turns=SHOTS["go on"],
        rounds=(fewest, most),
        over=polite,
        max_tokens=max_tokens,
        **ask,
    )
    chats = [Chat(messages=t.messages, sector=o.sector, topic=o.topic, origin=t.origin) for o, t in talks]
    return keep(chats, lambda row: "something is said twice" if circles(row.messages) else "")


def pick(themes: Rows[Labelled], sector: str, count: int, seed: int) -> list[Labelled]:
    """`count` draws from the themes of a sector."""
    pool = [row for row in themes if row.label == sector]
    return [dice(seed, sector, number).choice(pool) for number in range(count if pool else 0)]


def topic(field: Labelled, found: Answer[Subtopics], place: int, seed: int) -> Labelled:
    """One subtopic of a field."""
    name = dice(seed, "subtopic", place).choice(found.value.subtopics)
    return Labelled(text=name, label=field.text, origin=(field, found))


def told(sector: str, pairs: Rows[tuple[Labelled | Document | Opening, Answer[str]]]) -> list[Opening]:
    """The openings that a model has put in words; a text at hand stands before what is to be done with it."""
    made: list[Opening] = []
    for row, answer in pairs:
        name = row.topic if isinstance(row, Opening) else row.text[:60]
        said = f"{row.text}\n\n{answer.value}" if isinstance(row, Document) else answer.value
        made.append(Opening(prompt=said, sector=sector, topic=name, origin=(row, answer)))
    return made


def polite(message: str) -> bool:
    """Whether a user's message only thanks or praises, or takes leave."""
    return "?" not in message and re.search(POLITE, message, re.IGNORECASE) is not None


SECTORS = ("world", "creation", "material")
POLITE = r"\b(?:thank|thanks|bye|goodbye|great (?:answer|job|work)|wonderful|well done|you are (?:so|very|great))\b"
PROMPTS = read_prompts(__file__)
SHOTS = {
    name: [
        (re.sub(r"\{\w+\}", given, PROMPTS[name]), said)
        for given, said in (part.split("\n=> ") for part in PROMPTS[f"{name}: examples"].split("\n---\n"))
    ]
    for name in ("question", "wish", "finer", "task", "go on")
}
