"""`generate`: ask a model once or n times for each row (operators.md 2)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
    max_tokens: "int | Callable[[R], int]" = ...,
    stop: tuple[str, ...] = ...,
    logprobs: int | None = ...,
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
    max_tokens: "int | Callable[[R], int]" = ...,
    stop: tuple[str, ...] = ...,
    logprobs: int | None = ...,
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
    max_tokens: "int | Callable[[R], int]" = ...,
    stop: tuple[str, ...] = ...,
    logprobs: int | None = ...,
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
    max_tokens: "int | Callable[[R], int]" = 512,
    stop: tuple[str, ...] = (),
    logprobs: int | None = None,
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
        max_tokens: the longest answer, the same for all or a function of the row.
        stop: texts at which an answer ends.
        logprobs: keep each token's log-probability, and those of so many others in its place, in `Answer.tokens`.
        seed: of the sampling; each question and draw has its own seed under it.

    A row whose request fails in the end is dropped with the failure's reason.
    """
    adapter: TypeAdapter[Any] | None = TypeAdapter(schema) if schema is not None else None
    wanted = adapter.json_schema() if adapter else None

    def request(row: R) -> Request:
        return Request(
            messages=_messages(row, system, turns, prompt),
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens(row) if callable(max_tokens) else max_tokens,
            stop=stop,
            schema=wanted,
            logprobs=logprobs,
        )

    return ask_each(llm, rows, request, _reader(adapter) if adapter else parse or read_text, n=n, seed=seed)


def ask_each(
    llm: LLM, rows: Rows[R], request: Callable[[R], Request], parse: Callable[[str], T], *, n: int, seed: int
) -> list[tuple[R, Answer[T]]]:
    """Send the request of each row n times, each with a seed of its own; returns (row, answer) pairs.

    For operators that ask: `generate`, `complete`. A row whose request fails in the end is dropped with the reason.
    """
    asked: Counter[str] = Counter()

    def requests() -> Iterator[Request]:
        for row in rows:
            made = request(row)
            # Known by what is asked, not by the row: whoever asks the same again gets the same answer. Rows that ask
            # the same get draws of their own.
            question = digest([seed, made.messages, made.prefix] if made.prefix else [seed, made.messages])
            first = asked[question] * n
            asked[question] += 1
            for sample in range(first, first + n):
                yield replace(made, seed=int(digest([question, sample])[:7], 16), sample=sample)

    if ledger := current():
        ledger.expect_calls(len(rows) * n)
    answers = llm.ask(requests(), parse)
    pairs: list[tuple[R, Answer[T]]] = []
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


def read_text(text: str) -> str:
    """The text without the white space around it.

    Raises:
        ValueError: where it is blank.
    """
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
