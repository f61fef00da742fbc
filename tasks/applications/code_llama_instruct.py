"""Code Llama - Instruct's self-instruct: interview questions, unit tests for each, and the first solution that passes.

Rozière et al., 2023, https://arxiv.org/abs/2308.12950

Departs from the paper:
- `rows` is the number of questions asked for, as the paper's 62,000, of which 14,000 became triplets.
- A question is asked for alone, on one of our topics, where the paper's model wrote lists of questions.
- Tests are asserts that call one function, and do not all expect the same; the paper's could have any form.
- The paper's Llama 2 70B is the generator here, its Code Llama 7B the student; by default both are one model.
"""

import json
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Annotated, Any

from pydantic import Field, create_model

from catalog.records import Labelled, Prompt, PromptCompletion
from quality.expectations import matches, not_blank, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.rewrite import looped
from tasks.operators.sample import sample
from tasks.operators.verify import fault_of_tests, read_code, verify_tests
from tasks.prompts import read_examples, read_prompts
from tasks.sandbox import Bounds, Sandbox


@dataclass(frozen=True, kw_only=True)
class Tested(Prompt):
    """A question, and the unit tests that an answer must pass."""

    tests: str


@dataclass(frozen=True, kw_only=True)
class Triplet(PromptCompletion):
    """A question, its unit tests, and a solution that passes them."""

    tests: str


@method(
    paper=Paper("Code Llama: Open Foundation Models for Code", "Rozière et al.", 2023, "2308.12950"),
    categories=["model-self-improvement"],
    also=["sft"],
    reads={"topics": "raw.interview_topics"},
    expects=[unique("prompt"), not_blank("completion"), matches("tests", r"^assert ")],
)
def code_llama_instruct(
    topics: Rows[Labelled],
    llm: LLM,
    student: LLM,
    sandbox: Sandbox,
    *,
    rows: int = 62_000,
    solutions: int = 10,
    most_tests: int = 4,
    temperature: float = 0.8,
    seconds: float = 5.0,
    seed: int = 0,
) -> Rows[Triplet]:
    """Questions without repeats, tests for each, `solutions` candidates; the first that passes joins the set."""
    ask: dict[str, Any] = {"temperature": temperature, "seed": seed}
    drawn = list(islice(cycle(sample(topics, len(topics), seed=seed)), rows))
    asked = generate(llm, drawn, PROMPTS["question"], turns=shots("question"), max_tokens=120, **ask)
    new = [Prompt(prompt=" ".join(answer.value.split()), origin=(topic, answer)) for topic, answer in asked]
    ended = keep(new, lambda row: "the question runs in a circle" if looped(row.prompt) else "")
    questions = dedup(ended, lambda row: row.prompt, reason="the question repeats another")
    test = Annotated[str, Field(min_length=12, max_length=100, pattern=r"^assert ")]
    listed: Any = Annotated[list[test], Field(min_length=2, max_length=most_tests)]
    wanted: Any = create_model("Tests", tests=(listed, ...))
    answers = generate(student, questions, PROMPTS["tests"], turns=shots("tests"), schema=wanted, max_tokens=300, **ask)
    tested = [Tested(prompt=q.prompt, tests="\n".join(a.value.tests), origin=(q, a)) for q, a in answers]
    sound = keep(tested, lambda row: fault_of_tests(row.tests))
    ask |= {"turns": shots("solution"), "parse": read_code, "max_tokens": 300, "n": solutions}
    tried = generate(student, sound, PROMPTS["solution"], **ask)
    passed = verify_tests(sandbox, tried, lambda row: row.tests, bounds=Bounds(seconds=seconds))
    made = [Triplet(prompt=q.prompt, completion=a.value, tests=q.tests, origin=(q, a)) for q, a in passed]
    return dedup(made, lambda row: row.prompt, reason="an earlier solution passes")


def shots(step: str) -> list[tuple[str, str]]:
    """Our examples: what is asked at a step, and the answer."""
    return [
        (
            PROMPTS[step].format(text=each["text"], prompt=each["question"], tests=each["asserts"]),
            each[step] if step in each else json.dumps({"tests": each["asserts"].splitlines()}),
        )
        for each in read_examples(PROMPTS, "text", "question", "asserts", "solution")
    ]


PROMPTS = read_prompts(__file__)
