"""Genie: write questions, summaries and extractions that a passage answers, and keep those that are faithful to it.

Yehudai et al., 2024, https://arxiv.org/abs/2401.14367

Departs from the paper:
- Faithfulness is `score`'s approximation, from the words, numbers and names of the answer in the passage, in place of a
  trained entailment model; the threshold is the same. An answer that combines a passage's words wrongly may pass.
- Quality is a judge's rating from 1 to 5 in place of a reward model's score.
- `passages_each` passages of a document are drawn, so that long documents do not outweigh the others.
- The model answers in JSON with bounded fields rather than in free text that is parsed; the examples are our own.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Document, content
from quality.expectations import between, distinct_together, one_of
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.extract import chunk
from tasks.operators.filter import keep
from tasks.operators.ground import Grounded, fault_of_form, ground
from tasks.operators.judge import judge as rate
from tasks.operators.prose import prose
from tasks.operators.sample import sample_each
from tasks.operators.score import score
from tasks.prompts import read_prompts, read_shots

TASKS = ("question_answering", "summarization", "information_extraction")


@dataclass(frozen=True, kw_only=True)
class GroundedPair(Grounded):
    """A request about the passage `text`, its answer, and how far passage and judge support it."""

    faithfulness: float
    quality: int


@method(
    paper=Paper(
        "Genie: Achieving Human Parity in Content-Grounded Datasets Generation", "Yehudai et al.", 2024, "2401.14367"
    ),
    categories=["general-model-distillation"],
    reads={"documents": "raw.documents"},
    expects=[
        distinct_together("prompt", "completion"),
        one_of("task", TASKS),
        between("faithfulness", 0.5, 1),
        between("quality", 1, 5),
    ],
)
def genie(
    documents: Partition[Document],
    llm: LLM,
    judge: LLM,
    *,
    tasks: tuple[str, ...] = TASKS,
    passage_tokens: int = 250,
    passages_each: int = 1,
    shortest: int = 5,
    longest: int = 150,
    least_faithful: float = 0.5,
    least_quality: int = 3,
    temperature: float = 0.3,
    seed: int = 0,
) -> Rows[GroundedPair]:
    """Pairs that passed the three filters, task by task; `shortest` and `longest` bound an answer's tokens."""
    readable = prose(chunk(documents, max_tokens=passage_tokens))
    passages = sample_each(readable, passages_each, by=lambda passage: passage.parents, seed=seed)
    warm: dict[str, Any] = {"temperature": temperature, "seed": seed}
    drafts: list[Grounded] = []
    for task in tasks:
        system, ask = PROMPTS[f"{task} system"], PROMPTS[f"{task} ask"]
        drafts += ground(llm, passages, task, system, ask, shots=SHOTS[task], **warm)
    formed = keep(drafts, lambda draft: fault_of_form(draft, SHOTS[draft.task], shortest, longest))
    supported = score(formed, claim=lambda draft: draft.completion, source=lambda draft: draft.text)
    support = {draft.record_id: value for draft, value in supported}
    faithful = keep(formed, lambda draft: below("faithfulness", support[draft.record_id], least_faithful))
    pairs: list[GroundedPair] = []
    for draft, verdicts in rate(judge, faithful, PROMPTS["rubric"], scale=(1, 2, 3, 4, 5), seed=seed):
        scores: dict[str, Any] = {"faithfulness": support[draft.record_id], "quality": verdicts.value[0].rating}
        pairs.append(GroundedPair(**content(draft), **scores, origin=(draft, verdicts)))
    return keep(pairs, lambda pair: below("quality", pair.quality, least_quality))


def below(what: str, value: float, least: float) -> str:
    """Why a value is not enough."""
    return f"{what}: below {least:g}" if value < least else ""


PROMPTS = read_prompts(__file__)
SHOTS = {task: read_shots(PROMPTS, "text", task) for task in TASKS}
