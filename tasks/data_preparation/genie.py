"""Genie: write questions, summaries and extractions that a passage answers, and keep those that are faithful to it.

Yehudai et al., 2024, https://arxiv.org/abs/2401.14367

Departs from the paper:
- Faithfulness is `score`'s approximation, from the words, numbers and names of the answer in the passage, in place of a
  trained entailment model; the threshold is the same. An answer that combines a passage's words wrongly may pass.
- Quality is a judge's rating from 1 to 5 in place of a reward model's score.
- The model answers in JSON with bounded fields rather than in free text that is parsed; the examples are our own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from catalog.records import Answer, Document, PromptCompletion
from quality.expectations import between, distinct_together, not_blank, one_of
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.extract import chunk, count_tokens, sentences
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.judge import judge as rate
from tasks.operators.score import score

Line = Annotated[str, Field(min_length=10, max_length=160)]
Passage = Annotated[str, Field(min_length=20, max_length=400)]
Item = Annotated[str, Field(min_length=2, max_length=60)]


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


@dataclass(frozen=True, kw_only=True)
class Draft(PromptCompletion):
    """A request about a passage, with its answer, before it is scored."""

    text: str
    task: str


@dataclass(frozen=True, kw_only=True)
class GroundedPair(Draft):
    """A request about the passage `text`, its answer, and how far passage and judge support it."""

    faithfulness: float
    quality: int


@method(
    paper=Paper(
        "Genie: Achieving Human Parity in Content-Grounded Datasets Generation",
        "Yehudai et al.",
        2024,
        arxiv="2401.14367",
    ),
    categories=["general-model-distillation"],
    reads={"documents": "raw.documents"},
    expects=[
        distinct_together("prompt", "completion"),
        not_blank("completion"),
        one_of("task", ["question_answering", "summarization", "information_extraction"]),
        between("faithfulness", 0.5, 1),
        between("quality", 1, 5),
    ],
)
def genie(
    documents: Partition[Document],
    llm: LLM,
    judge: LLM,
    *,
    tasks: tuple[str, ...] = ("question_answering", "summarization", "information_extraction"),
    passage_tokens: int = 250,
    shortest: int = 5,
    longest: int = 150,
    least_faithful: float = 0.5,
    least_quality: int = 3,
    temperature: float = 0.3,
    seed: int = 0,
) -> Rows[GroundedPair]:
    """Pairs that passed the three filters, task by task; `shortest` and `longest` bound an answer's tokens."""
    passages = keep(chunk(documents, max_tokens=passage_tokens), _not_prose)
    drafts = [
        _draft(passage, answer, task)
        for task in tasks
        for passage, answer in generate(
            llm,
            passages,
            partial(_content, task),
            system=lambda _, task=task: _few_shot(task),
            schema=FORMS[task],
            temperature=temperature,
            max_tokens=300,
            seed=seed,
        )
    ]
    formed = keep(drafts, lambda draft: _fault(draft, shortest, longest))
    support = {
        draft.record_id: value
        for draft, value in score(formed, claim=lambda draft: draft.completion, source=lambda draft: draft.text)
    }
    faithful = keep(formed, lambda draft: _below("faithfulness", support[draft.record_id], least_faithful))
    pairs = [
        GroundedPair(
            prompt=draft.prompt,
            completion=draft.completion,
            text=draft.text,
            task=draft.task,
            faithfulness=support[draft.record_id],
            quality=verdicts.value[0].rating,
            origin=(draft, verdicts),
        )
        for draft, verdicts in rate(judge, faithful, RUBRIC, scale=(1, 2, 3, 4, 5), seed=seed)
    ]
    return keep(pairs, lambda pair: _below("quality", pair.quality, least_quality))


def _draft(passage: Document, answer: Answer[Form], task: str) -> Draft:
    request, completion = answer.value.read()
    return Draft(
        prompt=f"{passage.text}\n\n{request}",
        completion=completion,
        text=passage.text,
        task=task,
        origin=(passage, answer),
    )


def _not_prose(passage: Document) -> str:
    """Content preparation: a passage must say something in sentences, not in code, grammar or tables."""
    letters = sum(character.isalpha() or character.isspace() for character in passage.text)
    if letters < 0.8 * len(passage.text):
        return "the passage is less than 80 % letters"
    if len([sentence for sentence in sentences(passage.text) if len(sentence.split()) >= 5]) < 2:
        return "the passage has fewer than two sentences"
    return ""


def _fault(draft: Draft, shortest: int, longest: int) -> str:
    """Why the format of a draft is wrong, or nothing."""
    request = draft.prompt.removeprefix(draft.text).strip()
    listed = draft.task == "information_extraction"
    faults = {
        "an example was copied": any(draft.completion == _shown(draft.task, shown).read()[1] for shown in EXAMPLES),
        "the answer repeats the request": draft.completion.strip(".") in request,
        "the question does not end as one": draft.task == "question_answering" and not request.endswith("?"),
        "the list has fewer than two items": listed and "\n" not in draft.completion,
        "the answer does not end as a sentence": not listed and not draft.completion.endswith((*".!?\"')",)),
        f"the answer is not {shortest} to {longest} tokens long": not (
            shortest <= count_tokens(draft.completion) <= longest
        ),
    }
    return next((f"format: {fault}" for fault, found in faults.items() if found), "")


def _below(what: str, value: float, least: float) -> str:
    return f"{what}: below {least:g}" if value < least else ""


def _few_shot(task: str) -> str:
    """What to do, and four pairs of content and example."""
    shown = [f"Text: {example['text']}\nJSON: {json.dumps(asdict(_shown(task, example)))}" for example in EXAMPLES]
    return "\n\n".join([TASKS[task], *shown])


def _content(task: str, passage: Document) -> str:
    """The new content; a double quote in it would end a weak model's JSON string."""
    return f"Text: {passage.text}\n\n{ASK[task]}".replace('"', "'")


def _shown(task: str, example: Mapping[str, Any]) -> Form:
    return FORMS[task](**{field.name: example[field.name] for field in fields(FORMS[task])})


TASKS = {
    "question_answering": "For a text, write a question that a curious reader would ask and that the text answers, and "
    "its answer in one or two full sentences in the words of the text. Write JSON.",
    "summarization": "For a text, write a summary in one or two full sentences in the words of the text. Write JSON.",
    "information_extraction": "For a text, write a request to list things of one kind that it names, and the list in "
    "the words of the text. Write JSON.",
}

ASK = {
    "question_answering": "Write a question that this text answers, and the answer in its words.",
    "summarization": "Write a summary of this text in its words.",
    "information_extraction": "Write a request to list things that this text names, and the list in its words.",
}

RUBRIC = """\
Read the text with the request about it, and rate the answer.

{prompt}

Answer: {completion}

Rate from 1 (useless or wrong) over 3 (correct but plain) to 5 (correct, complete and well written)."""

EXAMPLES: Sequence[Mapping[str, Any]] = (
    {
        "text": "Lighthouses warn ships of rocks and shallow water. Before electricity, keepers burned wood, coal or "
        "whale oil and had to tend the flame all night. Today most lights are automatic and need two visits a year.",
        "question": "Why did lighthouses need a keeper in the past?",
        "answer": "Keepers had to tend a flame of wood, coal or whale oil all night, before there was electricity.",
        "summary": "Lighthouses warn ships; keepers once tended their flames all night, but most are automatic today.",
        "request": "List the fuels that keepers burned.",
        "items": ["wood", "coal", "whale oil"],
    },
    {
        "text": "A glacier forms where more snow falls in winter than melts in summer. Its own weight presses the snow "
        "into ice, which flows slowly downhill. Glaciers carve valleys, carry rocks and feed rivers.",
        "question": "How does snow become the ice of a glacier?",
        "answer": "The weight of the snow that does not melt in summer presses it into ice.",
        "summary": "A glacier forms from snow that does not melt; it flows downhill, carves valleys and feeds rivers.",
        "request": "List what glaciers do.",
        "items": ["carve valleys", "carry rocks", "feed rivers"],
    },
    {
        "text": "Honey bees dance to tell each other where flowers are. The angle of the dance shows the direction to "
        "the sun, and its length shows the distance. Karl von Frisch described it and won a Nobel Prize in 1973.",
        "question": "How does a bee show the others how far away flowers are?",
        "answer": "The length of the dance shows the distance to the flowers.",
        "summary": "Honey bees dance to show where flowers are, as Karl von Frisch described.",
        "request": "List what the dance of a bee shows.",
        "items": ["the direction to the sun", "the distance"],
    },
    {
        "text": "Bread rises because yeast turns sugar into gas. Salt slows the yeast down and makes the dough firmer. "
        "If the dough is left too long, the gas escapes and the loaf becomes flat.",
        "question": "What happens to dough that is left too long?",
        "answer": "The gas escapes from the dough and the loaf becomes flat.",
        "summary": "Yeast makes bread rise with gas, salt slows it down, and dough left too long becomes flat.",
        "request": "List the ingredients that the text names.",
        "items": ["yeast", "sugar", "salt"],
    },
)
