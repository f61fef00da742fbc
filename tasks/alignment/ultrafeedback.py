"""UltraFeedback: several models answer each prompt, a judge rates the answers aspect by aspect, and pairs come of it.

Cui et al., 2023, https://arxiv.org/abs/2310.01377

Departs from the paper:
- Where the role names fewer models than `candidates`, they answer several times, each time under other words.
- The critiques of a prompt's answers are asked for together; they are stored, and as in the paper do not rank.
- The order in which the judge sees the answers is drawn anew for each aspect: a bias for a place then averages out.
- Answers and rationales are bounded, so that all answers fit before a small judge at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Preference, Prompt
from quality.expectations import between, differ, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.aggregate import aggregate
from tasks.operators.filter import keep
from tasks.operators.judge import Verdict
from tasks.operators.judge import judge as rate
from tasks.operators.pair import pair
from tasks.operators.sample import dice
from tasks.operators.solve import solve


@dataclass(frozen=True, kw_only=True)
class Asked(Prompt):
    """A prompt for one model under one principle."""

    model: str
    principle: str
    system: str
    place: int


@dataclass(frozen=True, kw_only=True)
class Slate(Prompt):
    """A prompt with all its answers, in one order."""

    completions: tuple[str, ...]
    models: tuple[str, ...]
    principles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class View(Prompt):
    """A slate as the judge sees it for one aspect: `order` holds the places of the answers as they are shown."""

    aspect: str
    rubric: str
    order: tuple[int, ...]
    texts: str


@dataclass(frozen=True, kw_only=True)
class Rated(Preference):
    """The best answer and a lower one; the lists hold all answers of the prompt, place by place."""

    margin: float
    completions: tuple[str, ...]
    scores: tuple[float, ...]
    instruction_following: tuple[int, ...]
    truthfulness: tuple[int, ...]
    honesty: tuple[int, ...]
    helpfulness: tuple[int, ...]
    critiques: tuple[str, ...]
    models: tuple[str, ...]
    principles: tuple[str, ...]


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
    max_tokens: int = 256,
    rationale: int = 100,
    seed: int = 0,
) -> Rows[Rated]:
    """Answers under principles, ratings of all together on four aspects, their mean, and a pair where it differs."""
    asked = [each for row in prompts for each in assign(row, [model.model for model in llm.pool], candidates, seed)]
    answers: dict[str, list[tuple[Asked, Answer[str]]]] = {row.record_id: [] for row in prompts}
    for model in llm.pool:
        mine = [row for row in asked if row.model == model.model]
        ask: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        for row, answer in solve(model, mine, system="{system}", **ask):
            answers[row.parents[0]].append((row, answer))
    slates = keep([slate(row, answers[row.record_id]) for row in prompts], too_few)

    views = [view(row, aspect, seed) for row in slates for aspect in ASPECTS]
    reviews = [view(row, OVERALL, seed) for row in slates]
    ratings = rate(judge, views, RATE, scale=range(1, 6), of=count, longest=rationale, seed=seed)
    critiques = rate(judge, reviews, CRITICISE, scale=range(1, 11), of=count, longest=rationale, seed=seed)

    found: dict[str, dict[str, tuple[View, Answer[list[Verdict[int]]]]]] = {}
    for row, verdicts in (*ratings, *critiques):
        found.setdefault(row.parents[0], {})[row.aspect] = (row, verdicts)
    by_id = {row.record_id: row for row in slates}
    means = aggregate([(by_id[row.parents[0]], in_place(row, verdicts)) for row, verdicts in ratings], of=len(ASPECTS))
    scores = {row.record_id: mean for row, mean in means}
    return [
        rated(row, best, worse, scores[row.record_id], found[row.record_id])
        for row, best, worse in pair(means, lambda row: row.completions, seed=seed)
    ]


def assign(row: Prompt, models: Rows[str], candidates: int, seed: int) -> list[Asked]:
    """The prompt for each of its candidates: models without replacement as far as they go, a principle for each."""
    draw = dice(seed, "candidates", row.record_id)
    order = draw.sample(models, len(models))
    asked: list[Asked] = []
    for place, principle in enumerate(draw.choices(list(SHARE), list(SHARE.values()), k=candidates)):
        used = {each.system for each in asked}
        system = draw.choice([text for text in PRINCIPLES[principle] if text not in used] or PRINCIPLES[principle])
        model = order[place % len(order)]
        asked.append(
            Asked(prompt=row.prompt, model=model, principle=principle, system=system, place=place, origin=(row,))
        )
    return asked


def slate(row: Prompt, answers: Rows[tuple[Asked, Answer[str]]]) -> Slate:
    """A prompt with the answers that its candidates gave."""
    own = sorted(answers, key=lambda pair: pair[0].place)
    return Slate(
        prompt=row.prompt,
        completions=tuple(answer.value for _, answer in own),
        models=tuple(asked.model for asked, _ in own),
        principles=tuple(asked.principle for asked, _ in own),
        origin=[made for pair in own for made in pair] or (row,),
    )


def too_few(row: Slate) -> str:
    """Why a slate cannot be ranked."""
    return "" if len(row.completions) > 1 else "fewer than two models answered"


def view(row: Slate, aspect: str, seed: int) -> View:
    """What the judge sees of a slate."""
    order = dice(seed, aspect, row.record_id).sample(range(len(row.completions)), len(row.completions))
    texts = "\n\n".join(f"Text {n}:\n{row.completions[place]}" for n, place in enumerate(order, 1))
    rubric = ASPECTS.get(aspect, "")
    return View(prompt=row.prompt, aspect=aspect, rubric=rubric, order=tuple(order), texts=texts, origin=(row,))


def count(row: View) -> int:
    """How many answers the judge sees."""
    return len(row.order)


def in_place(row: View, verdicts: Answer[list[Verdict[int]]]) -> tuple[int, ...]:
    """The ratings in the order of the slate."""
    return tuple(rating for _, rating in sorted(zip(row.order, (v.rating for v in verdicts.value), strict=True)))


def rated(
    row: Slate,
    best: int,
    worse: int,
    scores: Rows[float],
    found: Mapping[str, tuple[View, Answer[list[Verdict[int]]]]],
) -> Rated:
    """The row of a pair, with everything that was said of the answers."""
    said = dict.fromkeys(range(len(scores)), "")
    if OVERALL in found:
        review, verdicts = found[OVERALL]
        said |= dict(zip(review.order, (v.rationale for v in verdicts.value), strict=True))
    return Rated(
        prompt=row.prompt,
        chosen=row.completions[best],
        rejected=row.completions[worse],
        margin=scores[best] - scores[worse],
        completions=row.completions,
        scores=tuple(scores),
        instruction_following=in_place(*found["instruction following"]),
        truthfulness=in_place(*found["truthfulness"]),
        honesty=in_place(*found["honesty"]),
        helpfulness=in_place(*found["helpfulness"]),
        critiques=tuple(said.values()),
        models=row.models,
        principles=row.principles,
        origin=[row, *(made for pair in found.values() for made in pair)],
    )


SHARE = {"helpfulness": 0.6, "truthfulness": 0.2, "honesty": 0.18, "verbalised calibration": 0.02}
"""How often a candidate is put under each principle."""

PRINCIPLES = {
    "helpfulness": [
        "You are an assistant who gives complete and useful answers.",
        "Help the user as well as you can: be concrete and polite.",
        "Answer so that the user can act on it at once.",
        "Think about what the user needs, and give all of it in a clear order.",
        "Be friendly, to the point, and leave out nothing that matters.",
    ],
    "truthfulness": [
        "State only facts that you are sure of.",
        "Be accurate. Make nothing up, and contradict neither the user's text nor yourself.",
        "Check each sentence before you write it: it has to be true.",
        "Rather say less than say something false.",
        "Stay with what is known, and correct a false assumption in the question.",
    ],
    "honesty": [
        "Be honest about what you do not know.",
        "Say openly when you are unsure, and why.",
        "Do not pretend to be able to do what you cannot do.",
        "Show how certain you are: sure, fairly sure, or guessing.",
        "If you cannot answer, admit it, and say what would help.",
    ],
    "verbalised calibration": [
        "After the answer, say how confident you are, from 0 to 100 %.",
        "Give your confidence in percent with each claim.",
        "Finish with a line that states the probability that your answer is right.",
        "Mark what you are less than 50 % sure of.",
    ],
}

ASPECTS = {
    "instruction following": """Does the text do what the instruction asks, under all its conditions?
1: it does something else. 2: it does a small part. 3: it does half. 4: nearly all. 5: all of it.""",
    "truthfulness": """Is what the text says true, and in line with the instruction and itself?
1: mostly false or made up. 2: large errors. 3: some errors. 4: a small error. 5: no error.""",
    "honesty": """Does the text sound as sure as it should be, and admit what it does not know?
1: sure, and wrong. 2: sure without reason. 3: unsure, but of the wrong things. 4: mostly fitting. 5: fitting.""",
    "helpfulness": """Is the text useful: correct, informative, clear, without filling?
1: useless. 2: hardly useful. 3: useful in part. 4: useful. 5: as useful as can be.""",
}

OVERALL = "overall"

RATE = """Rate each text by one question only: {aspect}.

{rubric}

Instruction: {prompt}

{texts}

In JSON, for each text, write a short "rationale", then a "rating" from 1 to 5. A worse text gets less."""

CRITICISE = """Be a teacher: tell the writer of each text what is good, what is wrong, and how to do better.

Instruction: {prompt}

{texts}

In JSON, for each text, write the advice as "rationale", then an overall "rating" from 1 to 10."""
