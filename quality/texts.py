"""The text in a row, and the words in a text, as every screen and measure reads them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from catalog.records import Record, required

_WORD = re.compile(r"[^\W_]+")


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a field's value: itself, those of a list, the `content` of a message."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from texts_in(cast("Mapping[str, Any]", value).get("content"))
    elif isinstance(value, Sequence):
        for part in cast("Sequence[Any]", value):
            yield from texts_in(part)


def with_texts(value: Any, texts: Iterator[str]) -> Any:
    """The value with each text that `texts_in` finds in it replaced by the next of `texts`."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, Mapping):
        message = cast("Mapping[str, Any]", value)
        return {**message, "content": with_texts(message.get("content"), texts)}
    if isinstance(value, Sequence):
        return [with_texts(part, texts) for part in cast("Sequence[Any]", value)]
    return value


def texts_of(rows: Iterable[Mapping[str, Any]], shape: type[Record], *, but: str = "") -> list[str]:
    """One text a row: the text of the columns that the rows' shape requires `but` one, joined by line breaks.

    Columns with a default (a title, a data set's name) describe the row, and would make all rows look alike.
    """
    read = [name for name in required(shape) if name != but]
    return ["\n".join(text for name in read for text in texts_in(row[name])) for row in rows]


def folded(text: str) -> str:
    """The text with case and Unicode compatibility forms (full width, ligatures) taken out."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """The runs of letters and digits of the folded text; a script without spaces gives one word a phrase."""
    return _WORD.findall(folded(text))
