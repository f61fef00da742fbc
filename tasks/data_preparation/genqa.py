"""GenQA: let a model list many topics, draw one of them, let it list again, and write a question about what was drawn.

Chen et al., 2024, https://arxiv.org/abs/2406.10323

Departs from the paper:
- A list, and the question with its answer, are requests of their own, so that the item is picked by dice and not by a
  model that counts; in `generator-uniform` the model picks, as in the paper.
- There are eight kinds of questions rather than nine: conversations of several turns are left out.
- Answers are JSON of bounded length; questions that loop, repeat another or are their own answer are dropped.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from catalog.records import PromptCompletion, Record
from catalog.sources.question_splits import QuestionSplit
from quality.expectations import differ, not_blank, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.list_and_pick import list_and_pick
from tasks.operators.sample import dice
from tasks.operators.write_pair import Pair, write_pair
from tasks.prompts import read_prompts

Variant = Literal["static", "conditional", "generator-conditional", "generator-nested", "generator-uniform"]


@dataclass(frozen=True, kw_only=True)
class Draw(Record):
    """What was drawn for one row so far: a kind of question, a topic where there is one, and a booster."""

    number: int
    options: int
    wanted: str
    question: str
    topic: str
    booster: str


@dataclass(frozen=True, kw_only=True)
class Generated(PromptCompletion):
    """A question with its answer, and the topic that it was written for."""

    topic: str


@method(
    paper=Paper(
        "GenQA: Generating Millions of Instructions from a Handful of Prompts", "Chen et al.", 2024, "2406.10323"
    ),
    categories=["general-model-distillation"],
    reads={"splits": "raw.question_splits"},
    expects=[not_blank("prompt"), not_blank("completion"), unique("prompt"), differ("prompt", "completion")],
)
def genqa(
    splits: Rows[QuestionSplit],
    llm: LLM,
    *,
    rows: int = 1000,
    variant: Variant = "generator-nested",
    options: int = 40,
    longest: int = 400,
    temperature: float = 0.9,
    seed: int = 0,
) -> Rows[Generated]:
    """`rows` draws, the kinds in turn; as many lists as the variant has; a question about what is drawn."""
    ask: dict[str, Any] = {"temperature": temperature}
    by = "model" if variant == "generator-uniform" else "dice"
    draws = [begin(splits[n % len(splits)], n, variant, options, seed) for n in range(rows if splits else 0)]
    for template in LISTS.get(variant, ()):
        prompt = PROMPTS[template] + (PROMPTS["pick"] if by == "model" else "")
        shots = [(prompt.format(**SHOWN, options=options), ANIMALS[:options])]
        picked = list_and_pick(llm, draws, prompt, options=options, shots=shots, by=by, seed=seed, **ask)
        draws = [replace(d, record_id="", parents=(), topic=item.value, origin=(d, item)) for d, item in picked]
    prompt = PROMPTS["ask" if variant == "static" else "ask about"]
    written = write_pair(llm, draws, prompt, shots=[(prompt.format(**SHOWN), MOON)], longest=longest, seed=seed, **ask)
    made = [
        Generated(prompt=pair.value.question, completion=pair.value.answer, topic=draw.topic, origin=(draw, pair))
        for draw, pair in written
    ]
    return dedup(made, lambda row: row.prompt.casefold(), reason="the question repeats another")


def begin(split: QuestionSplit, number: int, variant: Variant, options: int, seed: int) -> Draw:
    """A kind of question and a booster; a topic where the variant takes one from the kind's own."""
    draw = dice(seed, "draw", number)
    topic = draw.choice(split.topics) if variant in ("conditional", "generator-conditional") else ""
    kind: dict[str, Any] = {"wanted": split.wanted, "question": split.question, "booster": draw.choice(BOOSTERS)}
    return Draw(number=number, options=options, topic=topic, **kind, origin=(split,))


PROMPTS = read_prompts(__file__)
BOTH = ("list", "list within")
LISTS = {"generator-conditional": BOTH[1:], "generator-nested": BOTH, "generator-uniform": BOTH}
BOOSTERS = PROMPTS["boosters"].splitlines()
ANIMALS = PROMPTS["animals"].split(", ")
SHOWN = {"question": "a question of a child", "wanted": "animals", "topic": "nature", "booster": BOOSTERS[0]}
MOON = Pair("Why does the moon change its shape?", "We see only the part that the sun lights, and the moon moves.")
