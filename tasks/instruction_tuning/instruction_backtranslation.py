"""Instruction backtranslation: predict the instruction that a text answers, rate the pairs, keep the best, twice.

Li et al., 2023, https://arxiv.org/abs/2308.06259

Departs from the paper:
- No model is trained. Seed pairs turned around are shown in place of a backward model trained on them. In place of a
  better model the second round of curation shows the judge pairs that the first rated highest.
- Segments are the first pieces of documents that can be read by themselves, not ClueWeb's elements under a header.
- The judge gives its reason before the rating, in JSON. Seeds and instructions that ask for nothing are dropped.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Document, PromptCompletion, Record
from quality.expectations import between, not_blank, one_of, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.grade import grade
from tasks.operators.invert import asks, invert
from tasks.operators.sample import sample
from tasks.operators.segments import segments
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Tagged(PromptCompletion):
    """A pair to tune on, under the system message of its kind; `score` is the last round's, or the top for a seed."""

    system: str
    kind: str
    score: int


@method(
    paper=Paper("Self-Alignment with Instruction Backtranslation", "Li et al.", 2023, arxiv="2308.06259"),
    categories=["model-self-improvement", "data-augmentation:reformation"],
    also=["alignment"],
    reads={"documents": "raw.documents", "seeds": "raw.conversations"},
    expects=[not_blank("prompt"), unique("completion"), between("score", 4, 5), one_of("kind", ["seed", "augmented"])],
)
def instruction_backtranslation(
    documents: Rows[Document],
    seeds: Rows[PromptCompletion],
    llm: LLM,
    judge: LLM,
    *,
    rounds: int = 2,
    top: int = 5,
    shots: int = 3,
    each: int = 1,
    max_tokens: int = 120,
    longest: int = 160,
    rationale: int = 100,
    temperature: float = 0.7,
    seed: int = 0,
) -> Rows[Tagged]:
    """Augment: segments with the instruction predicted for each. Curate `rounds` times. Add the seeds."""
    human = keep(dedup(seeds, lambda pair: pair.completion), no_seed)
    shown = [(pair.prompt, pair.completion) for pair in sample(human, shots, seed=seed)]
    question = PROMPTS["instruct"]
    pieces = segments(documents, each=each, max_tokens=max_tokens)
    inverted = invert(llm, pieces, "{text}", question, shots=shown, longest=longest, temperature=temperature, seed=seed)
    pairs = keep([tagged("augmented", row, a.value, row.text, 0, a) for row, a in inverted], no_instruction)
    scored, best = list[Tagged](), list[Tagged]()
    for _ in range(rounds):
        examples = [*SHOTS, *((row.prompt, row.completion, SHOTS[-1][2], top) for row in best[:2])]
        rated = grade(judge, pairs, PROMPTS["rate"], scale=range(1, 6), shots=examples, longest=rationale, seed=seed)
        scored = [tagged("augmented", row, row.prompt, row.completion, a.value.rating, a) for row, a in rated]
        best = [row for row in scored if row.score >= top]
    seeded = [tagged("seed", pair, pair.prompt, pair.completion, top) for pair in human]
    return [*seeded, *keep(scored, lambda row: "" if row.score >= top else f"it is rated below {top} at last")]


def tagged(kind: str, made_of: Record, prompt: str, completion: str, score: int, *answers: Answer[Any]) -> Tagged:
    """A pair under the system message of its kind."""
    origin = (made_of, *answers)
    return Tagged(prompt=prompt, completion=completion, system=PROMPTS[kind], kind=kind, score=score, origin=origin)


def no_seed(pair: PromptCompletion) -> str:
    """Why a pair shows no instruction with its answer."""
    fits = 3 <= len(pair.prompt.split()) < 40 and 6 <= len(pair.completion.split()) < 80 and asks(pair.prompt)
    return "" if fits else "the pair is too short or too long, or asks for nothing"


def no_instruction(row: Tagged) -> str:
    """Why a predicted text is no instruction."""
    copied = row.prompt.lower() in row.completion.lower()
    return "it stands in the text itself" if copied else "" if asks(row.prompt) else "the instruction asks for nothing"


PROMPTS = read_prompts(__file__)
SHOTS = [
    ("Name three fruits.", "Carrots are orange.", "Wrong: a carrot is no fruit.", 1),
    ("Why is the sky blue?", "Because of the air, as the next part explains.", "Half right: it leans on more.", 3),
    ("What is a lens?", "A lens is a piece of glass that bends light.", "Right: it says just what was asked.", 5),
]
