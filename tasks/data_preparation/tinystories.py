"""TinyStories: short stories in a small child's words, each around a noun, a verb and an adjective drawn at random.

Eldan and Li, 2023, https://arxiv.org/abs/2305.07759

Departs from the paper:
- The words are the 250 or so of `raw.words` that a child of four knows; the paper has 1,500.
- Each feature is asked for with the probability `chance`, since the paper does not say how many are.
- The story is written in JSON, by paragraphs; one that lacks one of its words or runs in a circle is dropped.
- Three stories of ours show the form. The variant with instructions and the grading of models are left out.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, create_model

from catalog.records import Document, content
from catalog.sources.basic_words import Word
from quality.expectations import matches, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.extract import whole
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.plot import Plan, plot
from tasks.operators.rewrite import looped
from tasks.prompts import read_prompts, read_shots


@dataclass(frozen=True, kw_only=True)
class Story(Plan, Document):
    """A story of 3 to 5 paragraphs, and what it was to have in it."""


@method(
    paper=Paper(
        "TinyStories: How Small Can Language Models Be and Still Speak Coherent English?",
        "Eldan and Li",
        2023,
        "2305.07759",
    ),
    categories=["general-model-distillation"],
    reads={"words": "raw.words"},
    expects=[unique("text"), matches("text", r"\n\n(?s:.*)\n\n")],
)
def tinystories(
    words: Rows[Word],
    llm: LLM,
    *,
    rows: int = 2_000_000,
    age: int = 4,
    chance: float = 0.3,
    temperature: float = 0.7,
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[Story]:
    """Draw the words and features of each story, have it told, and keep it where it has them."""
    simple = {word.word: word for word in words if word.age <= age}
    drawn = plot([*simple.values()], rows, features=FEATURES, chance=chance, seed=seed)
    plans = dedup(drawn, lambda row: tuple(content(row).values()), reason="it was drawn before")
    ask: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
    told = generate(llm, plans, prompt, system=card, turns=SHOTS, schema=Told, **ask)
    stories = [
        Story(**content(row), text="\n\n".join(map(whole, a.value.paragraphs)), origin=(row, a)) for row, a in told
    ]
    distinct = dedup(stories, lambda row: row.text, reason="the story repeats another")
    return keep(distinct, lambda row: fault(row, [simple[word] for word in (row.noun, row.verb, row.adjective)]))


def card(row: Plan) -> str:
    """The part that the model plays, and what is wished for beside the words."""
    return PROMPTS["system"].format(wishes="".join(f" {PROMPTS[name]}" for name in row.features))


def prompt(row: Plan) -> str:
    """What the model is asked for a plan."""
    return PROMPTS["story"].format(**content(row), article="an" if row.adjective[0] in "aeiou" else "a")


def fault(row: Story, words: Rows[Word]) -> str:
    """Why a story is not the one that was asked for."""
    if not all(word.stands_in(row.text) for word in words):
        return "the story lacks one of its words"
    if len([part for part in row.text.split("\n\n") if part]) < 3:
        return "the story has fewer than 3 paragraphs"
    return "the story runs in a circle" if looped(row.text) else ""


Paragraph = Annotated[str, Field(min_length=20, max_length=240)]
Told: Any = create_model("Told", paragraphs=(Annotated[list[Paragraph], Field(min_length=3, max_length=5)], ...))
FEATURES = ("dialogue", "plot twist", "bad ending", "moral value", "foreshadowing", "conflict")
PROMPTS = read_prompts(__file__)
SHOTS = [
    (prompt(Plan(noun=noun, verb=verb, adjective=adjective)), told)
    for words, told in read_shots(PROMPTS, "words", "story")
    for noun, verb, adjective in [words.split()]
]
