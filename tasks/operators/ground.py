"""`ground`: questions, summaries and lists about passages, with answers in their words (operators.md 2, grounding)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter

from catalog.records import Document, PromptCompletion
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.extract import count_tokens
from tasks.operators.generate import generate

Line = Annotated[str, Field(min_length=10, max_length=160)]
Passage = Annotated[str, Field(min_length=20, max_length=400)]
Item = Annotated[str, Field(min_length=2, max_length=60)]
Shots = Sequence[tuple[str, str]]
"""(Passage, answer in JSON) pairs."""


@dataclass(frozen=True)
class Question:
    """What a model writes for question answering."""

    question: Line
    answer: Passage

    def read(self) -> tuple[str, str]:
        """The request and its answer."""
        return self.question.strip(), self.answer.strip()


@dataclass(frozen=True)
class Summary:
    """What a model writes for summarization."""

    summary: Passage

    def read(self) -> tuple[str, str]:
        """The request and its answer."""
        return "Summarize the text above.", self.summary.strip()


@dataclass(frozen=True)
class Extraction:
    """What a model writes for information extraction."""

    request: Line
    items: Annotated[list[Item], Field(min_length=2, max_length=6)]

    def read(self) -> tuple[str, str]:
        """The request and its answer, one item a line."""
        items = dict.fromkeys(item.strip() for item in self.items if any(map(str.isalnum, item)))
        return self.request.strip(), "\n".join(f"- {item}" for item in items)


Form = Question | Summary | Extraction
FORMS: Mapping[str, type[Form]] = {
    "question_answering": Question,
    "summarization": Summary,
    "information_extraction": Extraction,
}
"""Task → what a model writes for it."""


@dataclass(frozen=True, kw_only=True)
class Grounded(PromptCompletion):
    """A request about the passage `text`, which stands before it in the prompt, with its answer."""

    text: str
    task: str


@operator
def ground(
    llm: LLM,
    rows: Rows[Document],
    task: str,
    system: str,
    ask: str,
    *,
    shots: Shots = (),
    temperature: float = 0.3,
    max_tokens: int = 300,
    seed: int = 0,
) -> list[Grounded]:
    """For each passage a request with its answer.

    Args:
        llm: the model.
        rows: the passages.
        task: of `FORMS`.
        system: says what to do.
        ask: asks for it after the passage.
        shots: what is shown beside the system's message.
        temperature: of the sampling.
        max_tokens: the longest answer.
        seed: of the sampling.
    """
    shown = "\n\n".join([system, *(f"Text: {text}\nJSON: {written}" for text, written in shots)])

    def asked(row: Document) -> str:
        # A double quote in it would end a weak model's JSON string.
        return f"Text: {row.text}\n\n{ask}".replace('"', "'")

    drafts: list[Grounded] = []
    for row, answer in generate(
        llm,
        rows,
        asked,
        system=lambda _: shown,
        schema=FORMS[task],
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    ):
        request, completion = answer.value.read()
        text = row.text
        prompt = f"{text}\n\n{request}"
        drafts.append(Grounded(prompt=prompt, completion=completion, text=text, task=task, origin=(row, answer)))
    return drafts


def fault_of_form(row: Grounded, shots: Shots, shortest: int, longest: int) -> str:
    """Why a request with its answer does not have the form of its task, or nothing.

    Those of the `shots` are copies; the answer is to have `shortest` to `longest` tokens.
    """
    request = row.prompt.removeprefix(row.text).strip()
    listed = row.task == "information_extraction"
    examples: list[Form] = [TypeAdapter[Form](FORMS[row.task]).validate_json(written) for _, written in shots]
    faults = {
        "an example was copied": any(row.completion == example.read()[1] for example in examples),
        "the answer repeats the request": row.completion.strip(".") in request,
        "the question does not end as one": row.task == "question_answering" and not request.endswith("?"),
        "the list has fewer than two items": listed and "\n" not in row.completion,
        "the answer does not end as a sentence": not listed and not row.completion.endswith((*".!?\"')",)),
        f"the answer is not {shortest} to {longest} tokens long": not (
            shortest <= count_tokens(row.completion) <= longest
        ),
    }
    return next((f"format: {fault}" for fault, found in faults.items() if found), "")
