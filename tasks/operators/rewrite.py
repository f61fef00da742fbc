"""`rewrite`: say a text again in another style, and keep the answers that do (operators.md 5)."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Document, Prompt
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.extract import count_tokens
from tasks.operators.generate import Prompting, fill, generate
from tasks.operators.score import stems

D = TypeVar("D", bound=Document)

_LABEL = re.compile(
    r"\A\W*(?:(?:sure|certainly|of course|okay|ok|absolutely)\s*[,.!]\W*)?"
    r"(?:here(?:'s| is| are)\b[^.\n:]{0,100}:|(?:(?:the|my|a|an|your)\s+)?(?:\w+\s+)?"
    r"(?:re-?phras\w+|re-?writ\w+|paraphras\w+|simplified|revised|version)(?:\s+\w+){0,4}\s*:)?[\s*]*",
    re.IGNORECASE,
)
"""An opening that announces the answer: cut off, since the rest may be sound."""
_META = re.compile(
    r"\b(?:paraphras\w*|re-?phras\w*|re-?writ(?:e|ten|ing)|as an ai|language model|"
    r"(?:the|this|your) (?:original |given |provided |above |following )*(?:text|passage|paragraph|excerpt|article)\b|"
    r"i (?:can(?:not|'t)|am (?:sorry|unable)|apologi[sz]e)|i'm (?:sorry|unable)|please (?:provide|let me know))",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class _Asked(Prompt):
    """A row, by its place, in a style."""

    place: int
    style: str


@operator
def rewrite(
    llm: LLM,
    rows: Rows[D],
    styles: Mapping[str, Prompting[D]],
    *,
    of: Callable[[D], Collection[str]] | None = None,
    system: str = "",
    shortest: float = 0.2,
    longest: float = 1.5,
    most_copied: float = 0.8,
    least_shared: float = 0.4,
    temperature: float = 0.7,
    seed: int = 0,
) -> list[tuple[D, str, Answer[str]]]:
    """Ask for each row in each style; returns (row, style, answer) for the answers that rewrite their row.

    Args:
        llm: the model.
        rows: the texts.
        styles: name → prompt.
        of: the styles that a row is asked for in; all of them by default.
        system: the system's message.
        shortest: least length of an answer, as a share of the row's tokens.
        longest: greatest length, as a share of the row's tokens; an answer is cut there, and dropped.
        most_copied: share of the answer's runs of five words that may stand in the row.
        least_shared: share of the answer's content words that must stand in the row: less is another text.
        temperature: of the sampling.
        seed: of the sampling.

    Blank answers and those that talk about the task are asked again; the rest that fail are dropped with the reason.
    """
    asked = [
        _Asked(prompt=fill(prompt, row), place=place, style=style, origin=(row,))
        for style, prompt in styles.items()
        for place, row in enumerate(rows)
        if of is None or style in of(row)
    ]
    answers = generate(
        llm,
        asked,
        lambda one: one.prompt,
        system=system,
        parse=read,
        max_tokens=lambda one: max(1, math.ceil(longest * count_tokens(rows[one.place].text))),
        temperature=temperature,
        seed=seed,
    )
    made: list[tuple[D, str, Answer[str]]] = []
    for one, answer in answers:
        row, style = rows[one.place], one.style
        fault = fault_of(
            row.text,
            answer.value,
            shortest=shortest,
            longest=longest,
            most_copied=most_copied,
            least_shared=least_shared,
        )
        if not fault and answer.finish_reason == "length":
            fault = f"longer than {longest:g} times its source"
        if fault:
            drop(row, f"{style}: {fault}", answer.value[:500])
        else:
            made.append((row, style, answer))
    return made


def read(text: str) -> str:
    """The rewritten text without an opening that announces it.

    Raises:
        ValueError: where nothing is left, or it talks about the task rather than doing it.
    """
    body = _LABEL.sub("", text.strip()).strip().strip('"').strip()
    if not body:
        raise ValueError("the answer is blank")
    if found := _META.search(body[:200]):
        raise ValueError(f"the answer talks about the task ({found[0].lower()!r})")
    return body


def fault_of(
    source: str, text: str, *, shortest: float, longest: float, most_copied: float, least_shared: float
) -> str:
    """Why a text is no rewriting of its source, or nothing."""
    share = count_tokens(text) / max(1, count_tokens(source))
    if share < shortest:
        return f"shorter than {shortest:g} of its source"
    if share > longest:
        return f"longer than {longest:g} times its source"
    runs = _runs(text)
    if runs and len(runs & _runs(source)) / len(runs) > most_copied:
        return "a copy of its source"
    said = stems(text)
    if len(said & stems(source)) < least_shared * len(said):
        return "mostly words that its source does not have"
    if looped(text):
        return "it repeats itself"
    return ""


def looped(text: str) -> bool:
    """Whether two of five runs of five words repeat an earlier one: a model caught in a loop."""
    words = _WORD.findall(text.lower())
    return len(words) > 20 and len(_runs(text)) < 0.6 * (len(words) - 4)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()
