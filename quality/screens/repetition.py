"""Repetition: a text that says the same again and again, or ends in a loop.

Thresholds of Gopher's quality and repetition filters (Rae et al., 2021, https://arxiv.org/abs/2112.11446, table A1):

    duplicate lines 0.30, duplicate paragraphs 0.30; characters in duplicate lines 0.20, in duplicate paragraphs 0.20;
    characters in the most common 2-, 3-, 4-gram 0.20, 0.18, 0.16;
    characters in duplicate 5-, 6-, 7-, 8-, 9-, 10-grams 0.15, 0.14, 0.13, 0.12, 0.11, 0.10.

Departs from the paper, which judges whole web pages: only prose of fifty words (Gopher's least length) or more is
judged, and no multiple-choice question, for code, tables, puzzles, lists and choices repeat themselves by nature; a
stretch is a duplicate from its third time on, for people quote, and say the main thing twice; the thresholds of n-grams
are wider for short texts, of which one name is a large share; a text of which a large part is a copy is at fault as
well; rules of length, word length and symbols are left to a table's expectations. A loop, the end that small models run
into, is looked for in every text.
"""

import re
from collections import Counter
from collections.abc import Sequence

from quality.screens import Fault, Span, text_screen

MOST_COMMON = {2: 0.20, 3: 0.18, 4: 0.16}
"""Size of an n-gram → share of a text's characters that the most common one may have."""
DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
"""Size of an n-gram → share of a text's characters that may stand in n-grams which the text has twice."""
LINES, LINE_CHARACTERS = 0.30, 0.20
"""Shares of lines (paragraphs) that may repeat an earlier one, and of the characters in them."""
TWICE = 0.40
"""Share of a text's characters that may stand in a line of twelve words or more which is there twice, or, in a text of
a single line, in ten words in a row that are: a text and its corrected version share less."""
LEAST_WORDS = 50
PROSE = 0.88
"""Share of letters, white space apart, from which a text is prose: code, tables and formulas have less."""

_NUMBERING = re.compile(r"^[ \t]*(?:[-*•]|\(?\d{1,3}[.):])[ \t]+", re.MULTILINE)
_CHOICE = re.compile(r"^[ \t]*\(?[A-Ha-h0-9][.):]", re.MULTILINE)
"""A line of a multiple-choice question, whose choices share most of their words."""
_PARAGRAPH = re.compile(r"\n\s*\n")


@text_screen(policy="drop")
def repetition(
    texts: Sequence[str], *, least_words: int = LEAST_WORDS, prose: float = PROSE, longest_period: int = 300
) -> list[Fault | None]:
    """Fault the texts that loop, and prose that repeats itself beyond Gopher's thresholds.

    Args:
        texts: what to look at.
        least_words: words that prose needs to be judged by shares.
        prose: share of letters, white space apart, from which a text is prose.
        longest_period: words that go round in the longest loop.
    """
    return [_fault(text, least_words, prose, longest_period) for text in texts]


def _fault(text: str, least_words: int, prose: float, longest: int) -> Fault | None:
    tokens = _NUMBERING.sub("", text).lower().split() if "\n" in text else text.lower().split()
    if loop := _looping_words(tokens, longest) or _looping_characters(text) or _repeated_line(text):
        return loop
    if len(tokens) < least_words or sum(map(str.isalpha, text)) < prose * sum(map(len, tokens)):
        return None
    if len(_CHOICE.findall(text)) >= 3:
        return None
    return _repeats(tokens) or _said_twice(text, tokens) or _repeated_parts(text)


def _looping_words(tokens: Sequence[str], longest: int) -> Fault | None:
    """A fault where the last words go round; the very last may be cut off, and a round need not be complete."""
    last = len(tokens) - 2
    for period in range(1, min(longest, last // 2) + 1):
        if tokens[last] != tokens[last - period]:
            continue
        start = last
        while start >= period and tokens[start] == tokens[start - period]:
            start -= 1
        words = last - start + period + (tokens[last + 1] == tokens[last + 1 - period])
        unit = tokens[last - period + 1 : last + 1]
        rounds, size = words / period, sum(map(len, unit)) + period
        needed = 10 if period == 1 else 5 if period <= 3 else 3
        says = _says_something(unit) or (words == len(tokens) and sum(map(str.isalpha, "".join(unit))) >= 60)
        if rounds >= needed and rounds * size >= 60 and says:
            return Fault("loops", f"{rounds:.0f} × {_shown(' '.join(unit))}")
    return None


def _says_something(unit: Sequence[str]) -> bool:
    """Whether there is a word among the tokens: grids of digits and lines of marks go round by nature."""
    letters = sum(c.isalpha() for token in unit for c in token)
    return any(sum(map(str.isalpha, token)) >= 3 for token in unit) and letters > 0.6 * sum(map(len, unit))


def _looping_characters(text: str) -> Fault | None:
    """A fault where the last characters go round, for scripts without spaces and words without end."""
    tail = text.rstrip()[-800:]
    for period in range(1, 61):
        if len(tail) < 4 * period or tail[-period:] != tail[-2 * period : -period]:
            continue
        start = len(tail) - period
        while start > 0 and tail[start - 1] == tail[start - 1 + period]:
            start -= 1
        size, unit = len(tail) - start, tail[-period:]
        wide = sum(c >= "\u2e80" for c in unit)
        letters = sum(c.isalpha() for c in unit)
        needed = (5, 20) if wide >= 2 else (5, 60)
        if size >= needed[0] * period and size >= needed[1] and letters > 0.7 * period and " " not in unit:
            return Fault(
                "loops",
                f"{size // period} × {_shown(unit)}",
                (Span(len(text.rstrip()) - size, len(text.rstrip()), "LOOP"),),
            )
    return None


def _repeated_line(text: str) -> Fault | None:
    """A fault for a line of three words or more that stands four times in a row."""
    if text.count("\n") < 3:
        return None
    run, before = 1, ""
    for line in filter(None, (part.strip() for part in _NUMBERING.sub("", text).split("\n"))):
        run = run + 1 if line == before else 1
        before = line
        if run == 4 and len(line) >= 10 and len(words := line.split()) >= 3 and _says_something(words):
            return Fault("repeats a line", _shown(line))
    return None


def _repeats(tokens: Sequence[str]) -> Fault | None:
    """A fault for n-grams beyond Gopher's shares."""
    characters = sum(map(len, tokens))
    slack = 1 + LEAST_WORDS / len(tokens)
    for size, most in MOST_COMMON.items():
        grams = Counter(zip(*(tokens[start:] for start in range(size)), strict=False))
        gram, times = grams.most_common(1)[0]
        share = times * sum(map(len, gram)) / characters
        if times > 3 and share > most * slack:
            return Fault(f"repeats {size} words too often", f"{share:.0%} is {_shown(' '.join(gram))}")
        if size == 3 and len(tokens) - len(grams) < 0.04 * len(tokens):
            return None  # too few n-grams are there twice for any longer one to reach its share
    for size, most in DUPLICATE.items():
        share, example = _duplicate_share(tokens, size, characters, before=2)
        if share > most * slack:
            return Fault(f"repeats stretches of {size} words", f"{share:.0%}, such as {_shown(' '.join(example))}")
    return None


def _duplicate_share(tokens: Sequence[str], size: int, characters: int, *, before: int) -> tuple[float, Sequence[str]]:
    """The share of characters in n-grams that stood in the text so often before, each character counted once."""
    seen: Counter[tuple[str, ...]] = Counter()
    covered, end, example = 0, 0, ()
    for start, gram in enumerate(zip(*(tokens[shift:] for shift in range(size)), strict=False)):
        if seen[gram] >= before:
            covered += sum(map(len, tokens[max(start, end) : start + size]))
            end, example = start + size, example or gram
        seen[gram] += 1
    return covered / characters, example


def _said_twice(text: str, tokens: Sequence[str]) -> Fault | None:
    """A fault for a text of which a large part is a copy of another."""
    if "\n" not in text.strip():
        share, example = _duplicate_share(tokens, 10, sum(map(len, tokens)), before=1)
        found = " ".join(example)
    else:
        counts = Counter(line for part in text.split("\n") if len((line := part.strip()).split()) >= 12)
        share = sum((n - 1) * len(line) for line, n in counts.items()) / len(text)
        found = counts.most_common(1)[0][0] if counts else ""
    return Fault("says a large part twice", f"{share:.0%}, such as {_shown(found)}") if share > TWICE else None


def _repeated_parts(text: str) -> Fault | None:
    """A fault for lines or paragraphs beyond Gopher's shares, where there are four or more."""
    for what, parts in (("paragraphs", _PARAGRAPH.split(text)), ("lines", text.split("\n"))):
        filled = [part.strip() for part in parts if sum(map(str.isalpha, part)) >= 3]
        if len(filled) < 4:
            continue
        counts = Counter(filled)
        repeated = sum(n - 1 for n in counts.values()) / len(filled)
        size = sum((n - 1) * len(part) for part, n in counts.items() if n > 2) / sum(map(len, filled))
        if repeated > LINES or size > LINE_CHARACTERS:
            return Fault(
                f"repeats {what}", f"{repeated:.0%} of {len(filled)}, such as {_shown(counts.most_common(1)[0][0])}"
            )
    return None


def _shown(found: str) -> str:
    return repr(found if len(found) <= 80 else f"{found[:79]}…")
