"""GLAN: from a taxonomy to subjects, from these to syllabuses, and from their key concepts to solved homework.

Li et al., 2024, https://arxiv.org/abs/2402.13064

Departs from the paper:
- The taxonomy is `raw.taxonomy`, 126 disciplines written for this repository; people checked the paper's, by GPT-4.
- As many subjects are taken as `rows` asks for, the disciplines in turn, by name alone; the paper makes ten lists of
  each, with levels, and has a cheaper model answer. Answers that are cut are dropped.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from catalog.records import Prompt, PromptCompletion, Record, Triple, content
from quality.expectations import differ, distinct_together, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import cut, keep
from tasks.operators.generate import generate
from tasks.operators.outline import Section, names, outline
from tasks.operators.program import program
from tasks.operators.rewrite import read
from tasks.operators.sample import sample
from tasks.operators.solve import solve
from tasks.prompts import read_prompts

TITLE = "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for Language Models"


@dataclass(frozen=True, kw_only=True)
class Lesson(Record):
    """Class sessions of a subject, and key concepts learned in them."""

    discipline: str
    name: str
    sessions: str
    concepts: str


@dataclass(frozen=True, kw_only=True)
class Question(Lesson, Prompt):
    """A homework question on a lesson."""


@dataclass(frozen=True, kw_only=True)
class Homework(Question, PromptCompletion):
    """A homework question with its answer."""


@method(
    paper=Paper(TITLE, "Li et al.", 2024, arxiv="2402.13064"),
    categories=["general-model-distillation"],
    reads={"taxonomy": "raw.taxonomy"},
    expects=[distinct_together("prompt", "completion"), differ("prompt", "completion"), not_blank("concepts")],
)
def glan(
    taxonomy: Rows[Triple],
    llm: LLM,
    *,
    rows: int = 10_000_000,
    sessions: int = 2,
    concepts: int = 5,
    temperature: float = 0.7,
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[Homework]:
    """Subjects, their syllabuses, lessons of up to `sessions` and `concepts`, questions on them, and answers."""
    ask: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    subjects = [
        Triple(subject=name, relation="is a subject of", object=node.subject, graph=node.graph, origin=(node, answer))
        for node, answer in names(llm, sample(taxonomy, rows, seed=seed), SUBJECTS, **ask)
        for name in answer.value
    ]
    taught = sample(dedup(subjects, lambda s: s.subject.lower()), rows, by=lambda s: s.object, seed=seed)
    planned = outline(llm, taught, SYLLABUS, shots=[PLANNED], **ask)
    plans = {subject.record_id: plan for subject, plan in planned}

    def lesson(of: Triple, draw: Random) -> Lesson:
        plan = plans[of.record_id]
        chosen = draw.sample(plan.value, min(draw.randint(1, sessions), len(plan.value)))
        learned = list(dict.fromkeys(point for session in chosen for point in session.points))
        titles = "; ".join(session.title for session in chosen)
        points = "; ".join(draw.sample(learned, min(draw.randint(1, concepts), len(learned))))
        return Lesson(discipline=of.object, name=of.subject, sessions=titles, concepts=points, origin=(of, plan))

    drawn = program([subject for subject, _ in planned], lesson, n=-(-rows // max(1, len(planned))), seed=seed)
    lessons = sample([lesson for _, lesson in drawn], rows, by=lambda lesson: lesson.name, seed=seed)
    asked = generate(llm, lessons, QUESTION, turns=[ASKED], parse=read, **ask)
    questions = [Question(**content(on), prompt=asks.value, origin=(on, asks)) for on, asks in asked]
    solved = solve(llm, dedup(questions, lambda question: question.prompt), **ask)
    return keep([Homework(**content(q), completion=a.value, origin=(q, a)) for q, a in solved], cut)


SUBJECTS, SYLLABUS, QUESTION, EXAMPLE = read_prompts(__file__).values()
SECTIONS = [Section("Distances", ("map scale", "units of length")), Section("Directions", ("compass rose", "bearing"))]
PLANNED = (SYLLABUS.format(subject="Reading Maps", object="Navigation"), SECTIONS)
LESSON = {"name": "Reading Maps", "discipline": "Navigation", "sessions": "Distances", "concepts": "map scale; bearing"}
ASKED = (QUESTION.format(**LESSON), EXAMPLE)
