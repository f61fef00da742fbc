"""How screens keep to their time: one pattern over the whole batch finds the few texts that are looked at closely."""

from collections.abc import Callable, Sequence
from typing import cast

from quality.screens import Fault


def look_closely(texts: Sequence[str], pattern: str, find: Callable[[str], Fault | None]) -> list[Fault | None]:
    """The faults that `find` sees in the texts in which the pattern is, and none for the others.

    The pattern is one of Rust's `regex` (https://docs.rs/regex), which reads all texts in time linear in their length:
    it knows no look-around and no back-references.
    """
    import polars as pl

    column = pl.Series(values=[_whole(text) for text in texts], dtype=pl.String)
    # The word boundaries of ASCII, since Unicode's would make the engine leave its fast path at the first curly quote.
    suspects = column.str.contains(pattern.replace(r"\b", r"(?-u:\b)")).arg_true()
    found: list[Fault | None] = [None] * len(texts)
    for position in cast("list[int]", suspects.to_list()):
        found[position] = find(texts[position])
    return found


def _whole(text: str) -> str:
    """The text with half characters (lone surrogates, which no encoding has) replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
