"""Records: the rows of every table, one frozen dataclass a shape, with TRL's column names.

A record knows what it was made from: `origin` holds the records and model answers themselves, so the lineage of a row,
intermediate rows included, is in memory the moment the row is. `record_id` and `parents` follow from it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Generic, TypedDict, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

PROVENANCE = ("record_id", "parents", "origin")
"""Fields of every record that say where it came from rather than what it is."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token of an answer: its log-probability (natural), and those of others that could have stood there."""

    text: str
    logprob: float
    others: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a model returned to one request, parsed; `call` is its id in `catalog.calls`.

    `finish_reason` is the endpoint's word: `stop`, or `length` for an answer that was cut. `tokens` are there where
    log-probabilities were asked for.
    """

    value: T
    call: str
    finish_reason: str = ""
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row: the fields of its shape, plus an id, the ids of its parents, and (in memory) what it was made from.

    `record_id` is 32 hex digits, a hash of the shape's name, the content, the parents and the model calls; rows read
    from the lake keep the id they were published under.
    """

    record_id: str = ""
    parents: tuple[str, ...] = ()
    origin: Sequence["Record | Answer[Any]"] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.parents:
            ids = dict.fromkeys(made.record_id for made in self.origin if isinstance(made, Record))
            object.__setattr__(self, "parents", tuple(ids))
        if not self.record_id:
            calls = [made.call for made in self.origin if isinstance(made, Answer)]
            object.__setattr__(
                self, "record_id", digest([type(self).__name__, content(self), list(self.parents), calls])
            )


@dataclass(frozen=True, kw_only=True)
class Document(Record):
    """A text to read."""

    text: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Code(Record):
    """A piece of source code."""

    code: str
    name: str = ""
    language: str = "python"


@dataclass(frozen=True, kw_only=True)
class Labelled(Record):
    """A text with its class in one classification dataset."""

    text: str
    label: str
    dataset: str = ""


@dataclass(frozen=True, kw_only=True)
class Prompt(Record):
    """What a model is asked."""

    prompt: str


@dataclass(frozen=True, kw_only=True)
class PromptCompletion(Prompt):
    """A prompt and the answer to learn: TRL's prompt-completion format."""

    completion: str


@dataclass(frozen=True, kw_only=True)
class Problem(Prompt):
    """A prompt whose answer can be verified; `solution` is a worked one where the source has it."""

    answer: str
    solution: str = ""
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class Dialogue(Record):
    """A conversation: TRL's conversational format, with roles `system`, `user`, `assistant`, and `tool` in imports."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class Triple(Record):
    """A fact of a knowledge graph; `graph` names which."""

    subject: str
    relation: str
    object: str
    graph: str = ""


@dataclass(frozen=True, kw_only=True)
class Preference(Prompt):
    """Two answers to one prompt, the better and the worse: TRL's preference format."""

    chosen: str
    rejected: str


@dataclass(frozen=True, kw_only=True)
class BenchmarkItem(Record):
    """One item of a benchmark, to keep out of training data."""

    benchmark: str
    item: str
    text: str
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class ProblemScript(Record):
    """A parameterised problem script: `name` is its function in `catalog.sources.problem_scripts`."""

    name: str
    topic: str
    source_code: str


def content(record: Record) -> dict[str, Any]:
    """The record's fields without those that say where it came from."""
    return {name: getattr(record, name) for name in columns(type(record))}


@cache
def columns(shape: type[Record]) -> dict[str, Any]:
    """Name → type of a shape's content fields, in order."""
    hints = get_type_hints(shape)
    return {f.name: hints[f.name] for f in fields(shape) if f.name not in PROVENANCE}


@cache
def required(shape: type[Record]) -> tuple[str, ...]:
    """The content columns of a shape that have no default: those a table must have to be read as it."""
    return tuple(
        f.name
        for f in fields(shape)
        if f.name not in PROVENANCE and f.default is MISSING and f.default_factory is MISSING
    )


_SQL_TYPES: dict[Any, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


def sql_type(python: Any) -> str:
    """The DuckDB type of a field.

    Raises:
        TypeError: for a type the lake cannot hold; DuckLake takes no fixed-size arrays.
    """
    if python in _SQL_TYPES:
        return _SQL_TYPES[python]
    if python is Message:
        return "STRUCT(role VARCHAR, content VARCHAR)"
    if get_origin(python) in (tuple, list, Sequence):
        return sql_type(get_args(python)[0]) + "[]"
    known = "str, int, float, bool, Message, or a tuple or list of one of these"
    raise TypeError(f"record field: a type the lake cannot hold was found ({python!r}); use {known}")


def digest(value: Any) -> str:
    """32 hex digits that stand for a JSON-like value, the same on every machine and day."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Sequence, set, frozenset)):
        return list(value)
    raise TypeError(f"digest: {type(value).__name__} is no JSON-like value")


def clean(text: str) -> str:
    """The text with each lone surrogate replaced by a question mark: it has no UTF-8, and no file format holds it."""
    return text.encode("utf-8", "replace").decode("utf-8")
