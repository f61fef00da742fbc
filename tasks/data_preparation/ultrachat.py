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

from dataclasses import dataclass
from typing import Any

from catalog.records import Dialogue, Document, Labelled
from quality.expectations import one_of, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.converse import circles, converse, polite
from tasks.operators.dedup import dedup
from tasks.operators.extract import chunk
from tasks.operators.filter import keep
from tasks.operators.opening import opening
from tasks.operators.sample import dice, sample
from tasks.operators.subtopics import subtopics
from tasks.prompts import read_prompts, read_shots


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
    max_tokens: int = 128,
    seed: int = 0,
) -> Rows[Chat]:
    """Openings of three sectors in equal parts, and the talks that two instances of the model have about them."""
    ask: dict[str, Any] = {"temperature": temperature, "seed": seed}
    fields, kinds = (pick(themes, sector, (rows + 2 - place) // 3, seed) for place, sector in enumerate(SECTORS[:2]))
    texts = chunk(sample(documents, rows // 3, seed=seed), max_tokens=passage)
    pieces = sample(texts, rows // 3, seed=seed)

    topics = subtopics(llm, fields, PROMPTS["subtopics"], **ask)
    world = opening(llm, topics, PROMPTS["question"], "world", turns=SHOTS["question"], max_tokens=64, **ask)
    drafts = opening(llm, kinds, PROMPTS["wish"], "creation", turns=SHOTS["wish"], max_tokens=64, **ask)
    left = round(len(drafts) * (1 - refined))
    plain, vague = drafts[:left], drafts[left:]
    finer = opening(llm, vague, PROMPTS["finer"], "creation", turns=SHOTS["finer"], max_tokens=96, **ask)
    material = opening(llm, pieces, PROMPTS["task"], "material", turns=SHOTS["task"], max_tokens=48, **ask)

    openings = dedup([*world, *plain, *finer, *material], lambda row: row.prompt)
    ask |= {"follow_up_turns": SHOTS["go on"], "rounds": (fewest, most), "over": polite, "max_tokens": max_tokens}
    talks = converse(llm, llm, openings, "{prompt}", PROMPTS["go on"], **ask)
    chats = [Chat(messages=t.messages, sector=o.sector, topic=o.topic, origin=t.origin) for o, t in talks]
    return keep(chats, lambda row: "something is said twice" if circles(row.messages) else "")


def pick(themes: Rows[Labelled], sector: str, count: int, seed: int) -> list[Labelled]:
    """`count` draws from the themes of a sector."""
    pool = [row for row in themes if row.label == sector]
    return [dice(seed, sector, number).choice(pool) for number in range(count if pool else 0)]


SECTORS = ("world", "creation", "material")
PROMPTS = read_prompts(__file__)
SHOTS = {
    name: read_shots(PROMPTS, f"{name} given", f"{name} said", PROMPTS[name])
    for name in ("question", "wish", "finer", "task", "go on")
}
