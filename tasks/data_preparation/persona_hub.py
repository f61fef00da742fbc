"""Persona Hub: find the persons behind texts and those close to them, and have each ask something that is then solved.

Chan et al., 2024, https://arxiv.org/abs/2406.20094

Departs from the paper:
- As many persons are made as `rows` asks for, a share of them from texts, in as few rounds as it takes; each asks one
  thing. The paper makes a billion of the web's. An answer that is cut is dropped.
- Of its six uses three are here, each with an example and its person; knowledge texts, game characters, tools are not.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Document, Prompt, PromptCompletion, content
from quality.expectations import differ, distinct_together, one_of
from tasks.llm import LLM
from tasks.llm.embedder import Embedder
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.extract import chunk
from tasks.operators.filter import cut, keep
from tasks.operators.generate import generate
from tasks.operators.iterate import iterate
from tasks.operators.persona import Person, distinct_persons, persons
from tasks.operators.rewrite import read
from tasks.operators.sample import sample
from tasks.operators.solve import solve
from tasks.prompts import read_prompts

KINDS = ("math", "logic", "instruction")


@dataclass(frozen=True, kw_only=True)
class Asked(Prompt):
    """What a person asks."""

    persona: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Solved(Asked, PromptCompletion):
    """What a person asks, with a solution."""


@method(
    paper=Paper("Scaling Synthetic Data Creation with 1,000,000,000 Personas", "Chan et al.", 2024, arxiv="2406.20094"),
    categories=["general-model-distillation"],
    reads={"texts": ("raw.passages", "raw.documents")},
    expects=[distinct_together("prompt", "completion"), differ("prompt", "completion"), one_of("kind", KINDS)],
)
def persona_hub(
    texts: Rows[Document],
    llm: LLM,
    embedder: Embedder,
    *,
    rows: int = 50_000,
    from_texts: float = 0.5,
    rounds: int = 6,
    alike: float = 0.9,
    temperature: float = 0.7,
    seed: int = 0,
) -> Rows[Solved]:
    """Persons from texts, those close to them in up to `rounds`, no two `alike`; what each asks, and its solution."""
    draw: dict[str, Any] = {"temperature": temperature, "seed": seed}

    def meet(people: list[Person], number: int) -> list[Person]:
        last = [person for person in people if person.round == number - 1][: rows - len(people)]
        met = persons(llm, last, PROMPTS["from person"], shots=[FRIEND], round=number, **draw)
        return distinct_persons(embedder, [*people, *met], alike=alike)

    pieces = sample(chunk(texts), max(1, round(rows * from_texts)), seed=seed)
    readers = distinct_persons(
        embedder, persons(llm, pieces, PROMPTS["from text"], shots=[READER], **draw), alike=alike
    )
    people = iterate(readers, meet, rounds=rounds, size=len, target=rows)
    asked = [
        Asked(prompt=a.value, persona=person.persona, kind=kind, origin=(person, a))
        for turn, kind in enumerate(KINDS)
        for person, a in generate(llm, people[turn::3], PROMPTS[kind], turns=[EXAMPLES[kind]], parse=read, **draw)
    ]
    solved = solve(llm, dedup(keep(asked, _fault), lambda row: row.prompt), **draw)
    return keep([Solved(**content(row), completion=a.value, origin=(row, a)) for row, a in solved], cut)


def _fault(row: Asked) -> str:
    return "" if row.kind == "instruction" or "?" in row.prompt else "the problem asks nothing"


PROMPTS = read_prompts(__file__)
BEEKEEPER = PROMPTS["example of a person"]
READER = (PROMPTS["from text"].format(text=PROMPTS["example of a text"]), BEEKEEPER)
FRIEND = (PROMPTS["from person"].format(persona=BEEKEEPER), PROMPTS["example of another person"])
EXAMPLES = {kind: (PROMPTS[kind].format(persona=BEEKEEPER), PROMPTS[f"example of {kind}"]) for kind in KINDS}
