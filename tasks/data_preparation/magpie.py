"""Magpie: give an aligned model only the opening of a user's turn, and it writes the user's request; then it answers.

Xu et al., 2024, https://arxiv.org/abs/2406.08464

Departs from the paper:
- Requests are tagged and selected before they are answered, not after: what is dropped needs no answer.
- There is no reward, nor its difference to a base model's, to select by; safety is left to the toxicity screen of every
  table. The distance to the nearest request is one of the vectors that the embedder given makes.
- Conversations have one turn. Requests that are cut, run in a circle or end in a colon are dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from catalog.records import Answer, Prompt, PromptCompletion
from catalog.sources.chat_templates import ChatTemplate
from quality.expectations import between, not_blank, one_of, unique
from quality.screens.language import told
from tasks.llm import LLM
from tasks.llm.embedder import Embedder
from tasks.method import Paper, Rows, method
from tasks.operators.complete import complete
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.neighbours import neighbours
from tasks.operators.pre_query import pre_query
from tasks.operators.tag import REQUEST_TAGS, SOUND, tag
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Tagged(PromptCompletion):
    """A request with its answer and tags; `distance` is the least cosine distance to another request."""

    task: str
    difficulty: str
    quality: str
    language: str
    distance: float


@method(
    paper=Paper(
        "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with Nothing",
        "Xu et al.",
        2024,
        "2406.08464",
    ),
    categories=["general-model-distillation", "model-self-improvement"],
    reads={"templates": "raw.chat_templates"},
    expects=[unique("prompt"), not_blank("completion"), one_of("quality", SOUND), between("distance", 0, 2)],
)
def magpie(
    templates: Rows[ChatTemplate],
    llm: LLM,
    judge: LLM,
    embedder: Embedder,
    *,
    rows: int = 1000,
    template: Literal["chatml", "llama-3", "gemma", "phi-3", "zephyr", "mistral"] = "chatml",
    domain: Literal["any", "code", "math", "translation", "reasoning"] = "any",
    languages: tuple[str, ...] = ("en",),
    least_distance: float = 0.0,
    longest: int = 256,
    temperature: float = 1.0,
    seed: int = 0,
) -> Rows[Tagged]:
    """`rows` openings completed to requests, those that differ, are tagged as sound, and their greedy answers."""
    chosen = [each for each in templates if each.name == template]
    ask: dict[str, Any] = {"stop": tuple(each.stop for each in chosen), "max_tokens": longest, "seed": seed}
    turns = pre_query(llm, chosen, lambda each: opening(each, domain), n=rows, temperature=temperature, **ask)
    written = [Prompt(prompt=turn.value, origin=(each, turn)) for each, turn in turns]
    distinct = dedup(written, lambda row: row.prompt.casefold(), reason="the request repeats another")
    known = keep(distinct, lambda row: "" if told(row.prompt) in languages else "it is in another language")
    distance = {row.record_id: d for row, d in neighbours(embedder, known, lambda row: row.prompt)}
    far = keep(known, lambda row: "" if distance[row.record_id] > least_distance else "another request means the same")
    tags = {row.record_id: labels for row, labels in tag(judge, far, "{prompt}", REQUEST_TAGS, seed=seed)}
    tagged = [row for row in far if row.record_id in tags]
    good = keep(tagged, lambda row: "" if tags[row.record_id]["quality"].value in SOUND else "its quality is too low")
    answers = complete(llm, good, lambda row: opening(chosen[0], domain, row.prompt), temperature=0.0, **ask)
    return [answered(row, answer, tags[row.record_id], distance[row.record_id]) for row, answer in answers]


def opening(template: ChatTemplate, domain: str, asked: str = "") -> str:
    """All that stands before the user's turn, with the domain's or default system message; or before an answer."""
    message = template.default if domain == "any" else PROMPTS[domain]
    system = template.system.format(text=message) if message else ""
    return system + template.user + (asked + template.assistant if asked else "")


def answered(row: Prompt, answer: Answer[str], tags: Mapping[str, Answer[str]], distance: float) -> Tagged:
    """A request with its answer and all that it was tagged with."""
    values: dict[str, Any] = {name: its.value for name, its in tags.items()} | {"language": told(row.prompt)}
    origin = (row, *tags.values(), answer)
    return Tagged(prompt=row.prompt, completion=answer.value, distance=distance, **values, origin=origin)


PROMPTS = read_prompts(__file__)
