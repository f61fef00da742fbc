"""CoAnnotating: a model labels texts asked in seven ways, and people those on which its answers differ too much.

Li et al., 2023, https://arxiv.org/abs/2310.15638

Departs from the paper:
- Answers are constrained to the labels, so that none has to be searched for in what the model says.
- "True or false?" is asked of the label that the plain instruction gave: of many classes, a fixed one would nearly
  always be false. There "false" is a vote for none.
- Texts go to people by a threshold of the entropy, not as a share of all texts: a later batch is split alike.
- The front of quality against cost is by labels that neither model nor people see, and people are taken to be right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.records import Labelled
from quality.expectations import between, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.aggregate import vote
from tasks.operators.evaluate import allocation, evaluate
from tasks.operators.human import human
from tasks.operators.poll import Way, poll
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Annotated(Labelled):
    """A text with its label, who gave it, and how far the model's votes differ: their entropy, in nats."""

    annotator: str
    entropy: float
    votes: tuple[str, ...]


@method(
    paper=Paper(
        "CoAnnotating: Uncertainty-Guided Work Allocation between Human and Large Language Models for Data Annotation",
        "Li et al.",
        2023,
        "2310.15638",
    ),
    categories=["data-augmentation:co-annotation"],
    also=["instruction_tuning"],
    reads={"texts": ("raw.sentiments", "raw.labelled_texts")},
    expects=[not_blank("annotator"), between("entropy", 0, 2)],
)
def coannotating(
    texts: Rows[Labelled],
    llm: LLM,
    *,
    about: str = "sentiment",
    threshold: float = 0.6,
    human_cost: float = 1.0,
    llm_cost: float = 0.05,
    seed: int = 0,
) -> Rows[Annotated]:
    """Seven answers for each text; where their entropy is above the threshold it waits for people."""
    labels = sorted({row.label for row in texts})
    polled = poll(
        llm, texts, ways(about, labels), "{text}", check=lambda guess: whether(about, guess, labels), seed=seed
    )
    voted = vote([(row, answer.value) for row, answers in polled for answer in answers])
    doubts = [(of_all.entropy, of_all.value == row.label) for row, of_all in voted]
    evaluate(doubts, lambda rows: allocation(rows, threshold=threshold, human_cost=human_cost, llm_cost=llm_cost))

    annotated: list[Annotated] = []
    for (row, its), (_, answers) in zip(voted, polled, strict=True):
        given: dict[str, Any] = {"dataset": row.dataset, "annotator": llm.model, "origin": (row, *answers)}
        annotated.append(Annotated(text=row.text, label=its.value, entropy=its.entropy, votes=its.votes, **given))

    def unsure(row: Annotated) -> str:
        return f"its votes differ: {', '.join(row.votes)}" if row.entropy > threshold else ""

    question = f"What is the {about} of this text?"
    return human(annotated, unsure, decides="label", question=question, text="{text}", choices=labels)


def ways(about: str, labels: Sequence[str]) -> list[Way]:
    """Six ways to ask, the plain instruction first."""
    meanings = {kind: {name: name for name in labels} for kind in PROMPTS}
    meanings["sequence swap"] = {name: name for name in reversed(labels)}
    meanings["multiple choice"] = {str(number): name for number, name in enumerate(labels, 1)}
    return [way(kind, about, meanings[kind], labels[0]) for kind in PROMPTS if kind != "true or false"]


def whether(about: str, guess: str, labels: Sequence[str]) -> Way:
    """The seventh: whether what the model said is true."""
    others = [name for name in labels if name != guess]
    return way("true or false", about, {"true": guess, "false": others[0] if len(others) == 1 else "none"}, guess)


def way(kind: str, about: str, meaning: Mapping[str, str], guess: str) -> Way:
    """A way to ask, in words."""
    options = "\n".join(f"{answer}. {name}" for answer, name in meaning.items())
    return Way(PROMPTS[kind].format(about=about, labels=" or ".join(meaning), options=options, guess=guess), meaning)


PROMPTS = read_prompts(__file__)
