"""Imports: rows of users' files and tables as records, with what cannot be used named, row by row.

Every row comes out, as `Good` or as `Bad`. What is wrong with the whole (no such file, no such column, no rows) is a
`Refusal`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from catalog import records
from catalog.bridges import MADE_OF, Bridge, Source
from catalog.bridges._rows import turns_in
from catalog.formats import open_table
from catalog.formats.table import Bad, Cells, Fault, Table, TooLong, has_surrogates, is_messages, shown
from catalog.records import Message, ProblemScript, Record, columns, content, required
from infra.errors import Refusal

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "Bad",
    "Good",
    "Reading",
    "content_hash",
    "find_shape",
    "guess_shape",
    "origin_of",
    "read_rows",
    "reading",
    "shape_in",
    "shapes",
]

CELL = 1 << 20
"""Bytes of a text that is taken by default."""
_BATCH_CHARACTERS = 1 << 25
"""A batch ends early where its texts come to this, so that long rows need no more memory than short ones."""

# From a conversation: the field, and whose first turn it is.
_TURNS = {"prompt": "user", "completion": "assistant"}
_NESTED = ("STRUCT", "MAP", "UNION", "JSON", "BLOB", "BIT")


@dataclass(frozen=True)
class Good:
    """A row that can be used, and where it stands."""

    row: Record
    place: str


def content_hash(where: str) -> str:
    """32 hex digits that stand for the bytes of a file or folder, or for the rows of a table in any order.

    Raises:
        Refusal: where it cannot be read.
    """
    return open_table(where).content_hash()


def origin_of(where: str) -> str:
    """What the rows are said to come from: the file's name, or host, database and table without user and password.

    Raises:
        Refusal: where it cannot be read.
    """
    return open_table(where).origin


def shapes() -> Mapping[str, type[Record]]:
    """The shapes that can be imported, by name. A problem script names a function of this repository: it is none."""
    return {
        name: shape
        for name, shape in vars(records).items()
        if isinstance(shape, type) and issubclass(shape, Record) and shape not in (Record, ProblemScript)
    }


def find_shape(name: str) -> type[Record]:
    """The shape of that name.

    Raises:
        Refusal: for an unknown one, naming the nearest.
    """
    known = shapes()
    if name not in known:
        raise Refusal.unknown("shape", name, known)
    return known[name]


def guess_shape(found: Mapping[str, str], mapping: Mapping[str, str] | None = None) -> type[Record]:
    """The shape with the most required columns of which none is missing.

    Args:
        found: the columns, with their types.
        mapping: shape field → column, where names differ.

    Raises:
        Refusal: where no shape fits, or several do equally.
    """
    there = {*found, *(mapping or {})}
    if any(is_messages(kind) for name, kind in found.items() if name == "messages"):
        there |= set(_TURNS)
    fitting = {name: shape for name, shape in shapes().items() if there.issuperset(required(shape))}
    most = max((len(required(shape)) for shape in fitting.values()), default=0)
    richest = {name: shape for name, shape in fitting.items() if len(required(shape)) == most}
    if len(richest) == 1:
        return next(iter(richest.values()))
    if richest:
        raise Refusal(f"import: the columns fit {' and '.join(richest)} alike, one shape is wanted; choose with --as")
    needs = "; ".join(f"{name}: {', '.join(required(shape))}" for name, shape in shapes().items())
    raise Refusal(
        f"import: the columns {', '.join(found)} fit no shape; "
        f"choose with --as SHAPE and name columns with --map FIELD=COLUMN ({needs})"
    )


def read_rows(
    where: str, *, shape: type[Record], columns: Mapping[str, str], batch: int = 10_000, cell: int = CELL
) -> Iterator[list[Good | Bad]]:
    """Every row of a file, a folder or a table, in its order, in batches.

    A column with the name of a field is read as it. Numbers, truth values and dates become text where the whole column
    is of such a type. A field with a default takes it where the cell is null, and, in CSV, where it is empty.

    Args:
        where: see `catalog.formats.open_table`.
        shape: what the rows are to be.
        columns: shape field → column, where names differ. `prompt` and `completion` may be mapped to a column of
            messages: they are then the first turns of user and assistant, as they are if there is a column `messages`.
        batch: rows in a batch at most.
        cell: bytes of a text at most.

    Raises:
        Refusal: at once where it cannot be read or lacks a column; on the way where it turns out to be broken or empty.
    """
    return reading(Source(open_table(where)), shape, columns).batches(batch, cell)


def shape_in(source: Source, mapping: Mapping[str, str]) -> type[Record]:
    """The shape of a source's rows: what its bridge says, or what its columns fit.

    Raises:
        Refusal: where no shape fits, or several do equally.
    """
    return source.shape if source.shape and not mapping else guess_shape(source.table.columns, mapping)


@dataclass(frozen=True)
class Reading:
    """How a source is read as a shape: by a bridge, or column by column."""

    source: Source
    shape: type[Record]
    bridge: Bridge | None
    plan: "Sequence[_Field]"

    @property
    def told(self) -> str:
        """What the source was recognised as; empty where that is nothing but columns."""
        title = self.bridge.title if self.bridge else ""
        return ", ".join(filter(None, [self.source.layout, "" if self.source.layout.startswith(title) else title]))

    @property
    def left_out(self) -> list[str]:
        """The columns that are not read."""
        return [name for name in self.source.table.columns if name not in self._columns]

    @property
    def _columns(self) -> list[str]:
        if not self.bridge or not self.source.shape:
            return [field.column for field in self.plan]
        own = columns(self.source.shape)
        return [
            name
            for name in self.bridge.known(self.source.table.columns)
            if self.bridge.reads is not None or name in own
        ]

    def batches(self, batch: int = 10_000, cell: int = CELL) -> Iterator[list[Good | Bad]]:
        """Every row, `batch` of them at most at once; `cell`: bytes of a text at most.

        Raises:
            Refusal: on the way, where the source turns out to be broken or empty.
        """
        rows: list[Good | Bad] = []
        characters = count = 0
        for found in self.source.table.read(self._columns, cell):
            made = self._made(found, cell) if isinstance(found, Cells) else found
            rows.append(made)
            count += 1
            if isinstance(made, Good):
                characters += sum(map(_size, content(made.row).values()))
            if len(rows) >= batch or characters >= _BATCH_CHARACTERS:
                yield rows
                rows, characters = [], 0
        if rows:
            yield rows
        if not count:
            raise Refusal(f"{self.source.table.origin}: it holds no rows, one at least is wanted")

    def _made(self, found: Cells, cell: int) -> Good | Bad:
        if self.bridge:
            long = ((name, value) for name, value in found.values.items() if isinstance(value, TooLong))
            for name, value in long:
                return Bad(found.place, f"{name} has more than {value.limit} bytes")
            try:
                found = Cells(found.place, _fitted(self.bridge.row(found.values), self.shape))
            except Fault as fault:
                return Bad(found.place, str(fault), shown(dict(found.values)))
        return _row(found, self.shape, self.plan, cell)


def reading(source: Source, shape: type[Record], mapping: Mapping[str, str]) -> Reading:
    """How a source is to be read: by its bridge if it has one that makes the shape, else as `read_rows` does.

    From a conversation a Prompt takes what the user says first, and a PromptCompletion all of it, which may be no more
    than a question and its answer.

    Args:
        source: as `catalog.bridges.open_source` opens it.
        shape: what the rows are to be.
        mapping: shape field → column; where some are named, it is read by them and not by the bridge.

    Raises:
        Refusal: as `read_rows` does at once, and where the bridge that the user named does not make the shape.
    """
    bridge = _bridge(source, shape, mapping)
    return Reading(source, shape, bridge, _fields(shape) if bridge else _plan(source.table, shape, mapping))


def _bridge(source: Source, shape: type[Record], mapping: Mapping[str, str]) -> Bridge | None:
    """The bridge that makes this shape of a source; None where the columns alone are to say it."""
    bridge, makes = source.bridge, MADE_OF.get(source.shape, (source.shape,)) if source.shape else ()
    if bridge and not mapping and shape in makes:
        return bridge
    if bridge and source.asked:
        listed = " or ".join(each.__name__ for each in makes)
        what = "--map names columns" if mapping else f"{shape.__name__} was asked for"
        raise Refusal(
            f"{source.table.origin}: {what}, and --from {bridge.name} makes {listed} by itself; "
            "leave out one of the two"
        )
    return None


def _size(value: Any) -> int:
    """The characters of a text, or of a conversation."""
    if isinstance(value, tuple):
        return sum(len(turn["content"]) for turn in cast("tuple[Message, ...]", value))
    return len(value) if isinstance(value, str) else 0


@dataclass(frozen=True)
class _Field:
    """A field of the shape, the column it is read from, and how."""

    name: str
    column: str
    type: Any
    required: bool
    turn: str = ""
    scalar: bool = False


def _fields(shape: type[Record]) -> list[_Field]:
    """The fields of a shape, each read from what a bridge calls as it is called."""
    return [_Field(name, name, python, name in required(shape)) for name, python in columns(shape).items()]


def _fitted(fields: Mapping[str, Any], shape: type[Record]) -> Mapping[str, Any]:
    """What a bridge made, as the shape has it: conversations as prompt and completion, or the other way round."""
    wanted = columns(shape)
    if "messages" in wanted and "messages" not in fields and {"prompt", "completion"} <= fields.keys():
        said = [("user", fields["prompt"]), ("assistant", fields["completion"])]
        return {"messages": [{"role": role, "content": text} for role, text in said]}
    if "messages" in wanted or "messages" not in fields:
        return fields
    talk = fields["messages"]
    if "completion" not in wanted:
        return {"prompt": _turn(talk, "user")}
    if [turn["role"] for turn in talk] != ["user", "assistant"]:
        said = ", ".join(turn["role"] for turn in talk[:4]) + (" …" if len(talk) > 4 else "")
        raise Fault(f"is a conversation of {said}, a question and its answer are wanted; import it with --as Dialogue")
    return {"prompt": talk[0]["content"], "completion": talk[1]["content"]}


def _plan(table: Table, shape: type[Record], mapping: Mapping[str, str]) -> list[_Field]:
    fields = columns(shape)
    for name in mapping:
        if name not in fields:
            raise Refusal.unknown(f"{shape.__name__}: field", name, fields)
    plan: list[_Field] = []
    for name, python in fields.items():
        needed = name in required(shape)
        column = mapping.get(name) or _default(table, name)
        if column not in table.columns:
            if needed or name in mapping:
                raise _no_column(table, shape, name, column)
            continue
        field = _field(table, name, column, python, needed=needed)
        if field is not None:
            plan.append(field)
        elif needed or name in mapping:
            raise Refusal(
                f"{table.origin}: column {column!r} is {table.columns[column]}, text is wanted for {name}; "
                f"map another with --map {name}=COLUMN"
            )
    return plan


def _default(table: Table, name: str) -> str:
    messages = is_messages(table.columns.get("messages", ""))
    return "messages" if messages and name in _TURNS and name not in table.columns else name


def _field(table: Table, name: str, column: str, python: Any, *, needed: bool) -> _Field | None:
    """How a column is read as a field; None where its type cannot be."""
    kind = table.columns[column]
    if python is not str:
        return _Field(name, column, python, needed)
    if is_messages(kind) and name in _TURNS:
        return _Field(name, column, python, needed, turn=_TURNS[name])
    if kind.endswith("]") or kind.startswith(_NESTED):
        return None
    # What a sample of JSON says is not enough to turn numbers into text: all the column must be of that type.
    scalar = kind != "VARCHAR" and table.settle(column) not in ("VARCHAR", "JSON")
    return _Field(name, column, python, needed, scalar=scalar)


def _no_column(table: Table, shape: type[Record], name: str, column: str) -> Refusal:
    there = list(table.columns)
    near = get_close_matches(column, there, n=1, cutoff=0.5)
    listed = ", ".join(there) or "none"
    hint = f"did you mean --map {name}={near[0]}" if near else f"name it with --map {name}=COLUMN"
    return Refusal(
        f"{table.origin}: it has no column {column!r}, which is wanted for {shape.__name__}.{name}; "
        f"{hint}; it has: {listed}"
    )


def _row(found: Cells, shape: type[Record], plan: "Sequence[_Field]", cell: int) -> Good | Bad:
    values: dict[str, Any] = {}
    for field in plan:
        value = found.values.get(field.column)
        try:
            taken = _value(field, value, cell)
        except Fault as fault:
            evidence = "" if value is None or isinstance(value, TooLong) else shown(value)
            return Bad(found.place, f"{field.column} {fault}", evidence)
        if taken is not None:
            values[field.name] = taken
    return Good(shape(**values), found.place)


def _value(field: _Field, value: Any, cell: int) -> Any:
    """The field's value, None for its default."""
    if isinstance(value, TooLong):
        raise Fault(f"has more than {value.limit} bytes")
    if field.turn:
        value = _turn(value, field.turn)
    if value is None:
        if field.required:
            raise Fault("is null")
        return None
    if field.type == tuple[Message, ...]:
        taken = turns_in(value)
        for turn in taken:
            _check(turn["content"], cell)
        return tuple(taken)
    if field.type is not str:
        return _native(field.type, value)
    if field.scalar and not isinstance(value, (str, list, dict, bytes)):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        raise Fault(f"is {type(value).__name__}, text is wanted")
    return _text(field, value, cell)


def _text(field: _Field, text: str, cell: int) -> str | None:
    _check(text, cell)
    if not text.strip():
        if field.required:
            raise Fault("is blank")
        return text or None
    return text


def _check(text: str, cell: int) -> None:
    """Refuse what the lake does not hold.

    Raises:
        Fault: saying what that is.
    """
    if has_surrogates(text):
        raise Fault("holds half a surrogate pair")
    if "\0" in text:
        raise Fault("holds a NUL")
    if len(text) > cell or len(text.encode()) > cell:
        raise Fault(f"has more than {cell} bytes")


def _turn(value: Any, role: str) -> Any:
    """The first content of a role in a conversation."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise Fault(f"is {type(value).__name__}, a list of messages is wanted")
    for turn in value:
        if isinstance(turn, dict) and turn.get("role") == role:
            return turn.get("content")
    raise Fault(f"has no message of the {role}")


def _native(kind: Any, value: Any) -> Any:
    from pydantic import ValidationError  # only for shapes with fields other than text

    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise Fault(f"is no {kind} ({error.errors(include_url=False)[0]['msg']})") from None


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # see _native

    return TypeAdapter(kind)
