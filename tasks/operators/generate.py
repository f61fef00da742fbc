"""`generate`: ask a model once or n times for each row (operators.md 2)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from pydantic import TypeAdapter, ValidationError

from catalog.records import Answer, Message, Record, content, digest
from tasks.ledger import current, drop, operator
from tasks.llm import LLM, Failed, Request
from tasks.method import Rows

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Prompting = str | Callable[[R], str]
"""A prompt: text with `{field}` placeholders for the row's fields, or a function of the row."""


Turns = Sequence[tuple[str, str]] | Callable[[R], Sequence[tuple[str, str]]]
"""Earlier turns of a conversation: (user's, model's) messages."""


@overload
def generate(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    system: "Prompting[R]" = ...,
    turns: "Turns[R]" = ...,
    parse: Callable[[str], T],
    n: int = ...,
    temperature: float = ...,
    top_p: float = ...,
    max_tokens: int = ...,
    stop: tuple[str, ...] = ...,
    seed: int = ...,
) -> list[tuple[R, Answer[T]]]: ...
@overload
def generate(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    system: "Prompting[R]" = ...,
    turns: "Turns[R]" = ...,
    schema: type[T],
    n: int = ...,
    temperature: float = ...,
    top_p: float = ...,
    max_tokens: int = ...,
    stop: tuple[str, ...] = ...,
    seed: int = ...,
) -> list[tuple[R, Answer[T]]]: ...
@overload
def generate(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    system: "Prompting[R]" = ...,
    turns: "Turns[R]" = ...,
    n: int = ...,
    temperature: float = ...,
    top_p: float = ...,
    max_tokens: int = ...,
    stop: tuple[str, ...] = ...,
    seed: int = ...,
) -> list[tuple[R, Answer[str]]]: ...
@operator
def generate(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    system: "Prompting[R]" = "",
    turns: "Turns[R]" = (),
    schema: Any = None,
    parse: Callable[[str], Any] | None = None,
    n: int = 1,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> list[tuple[R, Answer[Any]]]:
    """Ask `llm` for each row, n times; returns (row, answer) pairs in the rows' order, n at most for each row.

    Args:
        llm: the model.
        rows: what to ask about.
        prompt: the user's message.
        system: the system's message; none where empty.
        turns: (user's, model's) messages that come before the prompt, the same for all or a function of the row.
        schema: a dataclass, TypedDict or other type that pydantic reads: the answer is JSON of that type.
        parse: makes the answer's value of the text; raises ValueError, saying why, to have it asked again.
        n: answers for each row.
        temperature: of the sampling; 0 is greedy.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest answer.
        stop: texts at which an answer ends.
        seed: of the sampling; each question and draw has its own seed under it.

    A row whose request fails in the end is dropped with the failure's reason.
    """
    adapter: TypeAdapter[Any] | None = TypeAdapter(schema) if schema is not None else None
    wanted = adapter.json_schema() if adapter else None
    asked: Counter[str] = Counter()

    def requests() -> Iterator[Request]:
        for row in rows:
            messages = _messages(row, system, turns, prompt)
            # Known by what is asked, not by the row: whoever asks the same again gets the same answer. Rows that ask
            # the same get draws of their own.
            question = digest([seed, messages])
            first = asked[question] * n
            asked[question] += 1
            for sample in range(first, first + n):
                yield Request(
                    messages=messages,
                    temperature=temperature,
                    top_p=top_p,
                    max_tokens=max_tokens,
                    stop=stop,
                    seed=int(digest([question, sample])[:7], 16),
                    sample=sample,
                    schema=wanted,
                )

    if ledger := current():
        ledger.expect_calls(len(rows) * n)
    answers = llm.ask(requests(), _reader(adapter) if adapter else parse or _text)
    pairs: list[tuple[R, Answer[Any]]] = []
    for index, answer in enumerate(answers):
        row = rows[index // n]
        if isinstance(answer, Failed):
            drop(row, answer.reason, answer.evidence)
        else:
            pairs.append((row, answer))
    return pairs


def fill(template: "Prompting[R]", row: R) -> str:
    """The prompt for one row."""
    return template(row) if callable(template) else template.format_map(content(row))


def _messages(row: R, system: "Prompting[R]", turns: "Turns[R]", prompt: "Prompting[R]") -> tuple[Message, ...]:
    before = turns(row) if callable(turns) else turns
    return (
        *((Message(role="system", content=fill(system, row)),) if system else ()),
        *(
            m
            for ask, said in before
            for m in (Message(role="user", content=ask), Message(role="assistant", content=said))
        ),
        Message(role="user", content=fill(prompt, row)),
    )


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("the answer is blank")
    return text.strip()


def _reader(adapter: TypeAdapter[Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"not the JSON asked for: {place + ': ' if place else ''}{first['msg']}") from None

    return read
