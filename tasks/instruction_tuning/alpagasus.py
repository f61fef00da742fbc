"""AlpaGasus: a judge rates every answer of an instruction set from 0 to 5, and only the pairs rated highest stay.

Chen et al., 2023, https://arxiv.org/abs/2307.08701

Departs from the paper:
- The judge gives its reason before the rating, not after, in JSON of bounded length, and sees five examples of ours.
- Ratings are halves from 0 to 5: that is what the threshold of 4.5 tells apart.
- A pair that repeats is rated once. The data are whatever the table read holds, in place of Alpaca's 52,000; nothing is
  trained on what stays.
"""

from dataclasses import dataclass
from typing import Literal

from catalog.records import PromptCompletion
from quality.expectations import between, distinct_together, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.grade import grade


@dataclass(frozen=True, kw_only=True)
class Graded(PromptCompletion):
    """An instruction with its answer, the judge's score of it, and why."""

    score: float
    explanation: str


@method(
    paper=Paper("AlpaGasus: Training A Better Alpaca with Fewer Data", "Chen et al.", 2023, arxiv="2307.08701"),
    categories=["general-model-distillation", "model-self-improvement"],
    also=["alignment"],
    reads={"pairs": ("instruction_tuning.self_instruct", "raw.conversations")},
    expects=[between("score", 4, 5), not_blank("explanation"), distinct_together("prompt", "completion")],
)
def alpagasus(
    pairs: Partition[PromptCompletion],
    judge: LLM,
    *,
    aspect: Literal["accuracy", "helpfulness"] = "accuracy",
    threshold: float = 4.5,
    rationale: int = 100,
    seed: int = 0,
) -> Rows[Graded]:
    """Rate each pair by one aspect, and keep those of `threshold` or more."""
    distinct = dedup(pairs, lambda pair: (pair.prompt, pair.completion))
    rubric = RATE.format(aspect=aspect, meaning=ASPECTS[aspect], prompt="{prompt}", completion="{completion}")
    graded = [
        Graded(
            prompt=pair.prompt,
            completion=pair.completion,
            score=float(answer.value.rating),
            explanation=answer.value.rationale,
            origin=(pair, answer),
        )
        for pair, answer in grade(judge, distinct, rubric, scale=SCALE, shots=SHOTS, longest=rationale, seed=seed)
    ]
    return keep(graded, lambda row: "" if row.score >= threshold else f"it is rated below {threshold:g}")


SCALE = [f"{half / 2:g}" for half in range(11)]

ASPECTS = {
    "accuracy": "Is everything that the answer says right, and does it do what the instruction asks?",
    "helpfulness": "Does the answer give the person what they need, clearly and completely?",
}

RATE = """Instruction: {prompt}

Answer: {completion}

Rate the {aspect} of this answer. {meaning} In JSON, write your reason as "rationale", then a "rating" from 0 (none of
it) to 5 (nothing is missing), in halves."""

SHOTS = [
    ("Name three fruits.", "Carrots are orange.", "Wrong: a carrot is no fruit.", "0.5"),
    ("Why is the sky blue?", "Because of the air.", "Half right: how air scatters light is missing.", "2.5"),
    ("What is the capital of Italy?", "Rome is the capital of Italy.", "Right: it is Rome.", "5"),
    ("How many days has a week?", "Blue is a colour.", "Wrong: it is about something else.", "0"),
    ("What do cows eat?", "Cows eat grass and hay.", "Right: both are what cows eat.", "4.5"),
]
