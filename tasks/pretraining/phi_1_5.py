"""phi-1.5: write textbook passages on common sense, by topic and audience, each from a snippet of the web.

Li et al., 2023, https://arxiv.org/abs/2309.05463

Departs from the paper:
- The topics are those of `raw.topics`, the snippet one of the nearest to each by BM25: the paper tells neither.
- The passages are short, and are not mixed with phi-1's code data or filtered web text.
- Passages that are cut, loop, copy their snippet or do not come to their topic are dropped.
"""

import math
from dataclasses import dataclass
from random import Random

from catalog.records import Document, Labelled, Record
from quality.expectations import distinct_together, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.filter import cut, keep
from tasks.operators.generate import generate
from tasks.operators.program import program
from tasks.operators.retrieve import retrieve
from tasks.operators.rewrite import fault_of, read
from tasks.operators.sample import sample
from tasks.operators.score import stems
from tasks.prompts import read_prompts

AUDIENCES = ("children of ten", "pupils at school", "students in their first year", "curious grown-ups")


@dataclass(frozen=True, kw_only=True)
class Plan(Record):
    """What a passage is to be about, for whom, and what it starts from."""

    topic: str
    area: str
    audience: str
    snippet: str


@dataclass(frozen=True, kw_only=True)
class Passage(Document):
    """A passage of a textbook; its title is the topic, `snippet` what it starts from."""

    area: str
    audience: str
    snippet: str


@method(
    paper=Paper("Textbooks Are All You Need II: phi-1.5 technical report", "Li et al.", 2023, arxiv="2309.05463"),
    categories=["general-model-distillation"],
    also=["applications"],
    reads={"topics": "raw.topics", "web": "raw.passages"},
    expects=[not_blank("title"), distinct_together("text", "audience")],
)
def phi_1_5(
    topics: Rows[Labelled],
    web: Rows[Document],
    llm: LLM,
    *,
    rows: int = 20_000,
    snippets: int = 3,
    most_copied: float = 0.3,
    temperature: float = 0.7,
    max_tokens: int = 300,
    seed: int = 0,
) -> Rows[Passage]:
    """Topics, the areas in turn; for each a snippet near to it and an audience; of each of these a passage."""
    drawn = sample(topics, rows, by=lambda topic: topic.label, seed=seed)
    found = retrieve(drawn, web, lambda topic: topic.text, lambda page: f"{page.title} {page.text}", k=snippets)
    near = {topic.record_id: [each.row for each in every] for topic, every in found}

    def plan(topic: Labelled, draw: Random) -> Plan:
        page, audience = draw.choice(near[topic.record_id]), draw.choice(AUDIENCES)
        return Plan(topic=topic.text, area=topic.label, audience=audience, snippet=page.text, origin=(topic, page))

    drafts = program([topic for topic, _ in found], plan, n=math.ceil(rows / max(1, len(found))), seed=seed)
    plans = sample([draft for _, draft in drafts], rows, by=lambda plan: plan.topic, seed=seed)
    answers = generate(
        llm, plans, PASSAGE, turns=[SHOT], parse=read, temperature=temperature, max_tokens=max_tokens, seed=seed
    )
    made = [
        Passage(text=a.value, title=p.topic, area=p.area, audience=p.audience, snippet=p.snippet, origin=(p, a))
        for p, a in answers
    ]
    return keep(made, lambda row: cut(row) or _fault(row, most_copied))


def _fault(row: Passage, most_copied: float) -> str:
    if not stems(row.title) & stems(row.text):
        return "it does not come to its topic"
    return fault_of(row.snippet, row.text, shortest=0.5, longest=math.inf, most_copied=most_copied, least_shared=0.0)


PASSAGE, EXAMPLE = read_prompts(__file__).values()
WASHING = "Hang the washing where there is wind. It dries on a cold day too, if the air is dry."
SHOT = (PASSAGE.format(audience="pupils at school", topic="why wet clothes dry", snippet=WASHING), EXAMPLE)
