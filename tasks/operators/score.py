"""`score`: how far a source supports what a row claims, from 0 to 1, without a model (operators.md 13).

An approximation of entailment by what can be checked offline: words, numbers and names of each sentence of the claim
must stand in the source, near to each other, and with the same polarity. It sees invention, not a false combination of
true parts: a judge or an entailment model sees those.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.extract import sentences

R = TypeVar("R", bound=Record)

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?!\w)")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+\b|\b[A-Z]{2,}\b|\b\w+_\w+\b|\b[A-Za-z]+[a-z][A-Z]\w*\b")
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|cannot|without)\b|n[’']t\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:_\w+)*")
_SUFFIX = re.compile(r"(?:ations?|ation|ings?|edly|ed|ies|es|ers?|ors?|ly|s|e|y)$")
FUNCTION_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being both but by can could did do does
    doing during each few for from further had has have having he her here hers him his how i if in into is it its just
    may me might more most much must my no nor not of off on once one only or other our out over own same shall she
    should so some such than that the their them then there these they this those through to too under until up upon us
    very was we were what when where which while who whom why will with would yes you your""".split()  # noqa: SIM905
)


@operator
def score(rows: Rows[R], claim: Callable[[R], str], source: Callable[[R], str]) -> list[tuple[R, float]]:
    """(row, support) for each row: how far `source` supports `claim`, the mean over the claim's sentences by length."""
    return [(row, round(support(claim(row), source(row)), 3)) for row in rows]


def support(claim: str, source: str) -> float:
    """How far a source supports a claim: 0 for a claim that says nothing.

    A sentence is worth the mean of two shares of its content words (by stem): those in the source, and those in the
    best three neighbouring sentences of it. A number or name that the source lacks makes it worth nothing; a negation
    that the best sentence of the source lacks, or has in excess, half.
    """
    said = [(words, sentence) for sentence in sentences(claim) if (words := stems(sentence))]
    if not said:
        return 0.0
    read = sentences(source)
    total = sum(len(words) for words, _ in said)
    return sum(len(words) * _sentence(words, sentence, source, read) for words, sentence in said) / total


def stems(text: str) -> set[str]:
    """The content words of a text without their endings."""
    words = (word.lower() for word in _WORD.findall(text))
    return {_stem(word) for word in words if word not in FUNCTION_WORDS and (len(word) > 1 or word.isdigit())}


def _sentence(words: set[str], sentence: str, source: str, read: list[str]) -> float:
    if set(_NUMBER.findall(sentence)) - set(_NUMBER.findall(source)):
        return 0.0
    if any(name.lower() not in source.lower() for name in _NAME.findall(sentence)):
        return 0.0
    each = [stems(part) for part in read]
    everywhere = len(words & set[str]().union(*each)) / len(words)
    windows = [set[str]().union(*each[i : i + 3]) for i in range(max(1, len(each) - 2))]
    together = max((len(words & window) for window in windows), default=0) / len(words)
    nearest = max(range(len(read)), key=lambda i: len(words & each[i]), default=None)
    opposite = nearest is not None and bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(read[nearest]))
    return (everywhere + together) / 2 * (0.5 if opposite else 1.0)


def _stem(word: str) -> str:
    short = _SUFFIX.sub("", word)
    return short if len(short) >= 3 else word
