"""UltraFeedback: several models answer each prompt, a judge rates the answers aspect by aspect, and pairs come of it.

Cui et al., 2023, https://arxiv.org/abs/2310.01377

Departs from the paper:
- Where the role names fewer models than `candidates`, they answer several times, each time under other words.
- The critiques of a prompt's answers are asked for together; they are stored, and as in the paper do not rank.
- The order in which the judge sees the answers is drawn anew for each aspect: a bias for a place then averages out.
- Answers and rationales are bounded, so that all answers fit before a small judge at once.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Preference, Prompt, content
from quality.expectations import between, differ, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.aggregate import aggregate
from tasks.operators.judge import Verdict
from tasks.operators.listwise import listwise
from tasks.operators.pair import pair
from tasks.operators.slate import Slate, slate
from tasks.prompts import read_prompts

Said = Answer[list[Verdict[int]]]  # on the answers to a prompt, place by place


@dataclass(frozen=True, kw_only=True)
class Rated(Slate, Preference):
    """The best answer and a lower one; the lists hold all answers of the prompt, place by place."""

    margin: float
    scores: tuple[float, ...]
    instruction_following: tuple[int, ...]
    truthfulness: tuple[int, ...]
    honesty: tuple[int, ...]
    helpfulness: tuple[int, ...]
    critiques: tuple[str, ...]


@method(
    paper=Paper("UltraFeedback: Boosting Language Models with Scaled AI Feedback", "Cui et al.", 2023, "2310.01377"),
    categories=["general-model-distillation"],
    reads={"prompts": ("instruction_tuning.evol_instruct_wizardlm", "raw.prompts")},
    expects=[not_blank("chosen"), not_blank("rejected"), differ("chosen", "rejected"), between("margin", 0.25, 4)],
)
def ultrafeedback(
    prompts: Partition[Prompt],
    llm: LLM,
    judge: LLM,
    *,
    candidates: int = 4,
    temperature: float = 1.0,
    max_tokens: int = 64,
    rationale: int = 60,
    seed: int = 0,
) -> Rows[Rated]:
    """Answers under principles, ratings of all together on four aspects, their mean, and a pair where it differs."""
    ask: dict[str, Any] = {"n": candidates, "temperature": temperature, "max_tokens": max_tokens}
    slates = slate(llm, prompts, PRINCIPLES, SHARE, **ask, seed=seed)
    said = {row.record_id: dict[str, Said]() for row in slates}
    for rubrics, top in ((RUBRICS, 5), ({OVERALL: PROMPTS["criticise"]}, 10)):
        by: dict[str, Any] = {"scale": range(1, top + 1), "longest": rationale, "seed": seed}
        for row, aspect, verdicts in listwise(judge, slates, lambda row: row.completions, rubrics, **by):
            said[row.record_id][aspect] = verdicts
    heard = [(row, name) for row in slates for name in ASPECTS if name in said[row.record_id]]
    means = aggregate([(row, ratings_of(said[row.record_id][name])) for row, name in heard], of=len(ASPECTS))
    scores = {row.record_id: mean for row, mean in means}
    pairs = pair(means, lambda row: row.completions, seed=seed)
    return [rated(row, best, worse, scores[row.record_id], said[row.record_id]) for row, best, worse in pairs]


def ratings_of(verdicts: Said) -> tuple[int, ...]:
    """What a judge gave each of the answers."""
    return tuple(verdict.rating for verdict in verdicts.value)


def rated(row: Slate, best: int, worse: int, scores: tuple[float, ...], said: dict[str, Said]) -> Rated:
    """The row of a pair, with everything that was said of the answers."""
    by_aspect: dict[str, Any] = {aspect.replace(" ", "_"): ratings_of(said[aspect]) for aspect in ASPECTS}
    return Rated(
        **content(row),
        **by_aspect,
        chosen=row.completions[best],
        rejected=row.completions[worse],
        margin=scores[best] - scores[worse],
        scores=scores,
        critiques=tuple(verdict.rationale for verdict in said[OVERALL].value) if OVERALL in said else (),
        origin=[row, *said.values()],
    )


PROMPTS = read_prompts(__file__)
SHARE = {"helpfulness": 0.6, "truthfulness": 0.2, "honesty": 0.18, "verbalised calibration": 0.02}
PRINCIPLES = {name: PROMPTS[f"{name} principles"].splitlines() for name in SHARE}
ASPECTS = ("instruction following", "truthfulness", "honesty", "helpfulness")
OVERALL = "overall"
RUBRICS = {name: PROMPTS["rate"].format(aspect=name, rubric=PROMPTS[name]) for name in ASPECTS}
