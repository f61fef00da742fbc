"""Fluency: whether a text is text at all, and not shuffled words, keys hit at random or characters decoded wrongly.

- Word order, in English: how much better the words before foretell a word than its frequency does. The trigram model is
  the one of general English in pocketsphinx (https://github.com/cmusphinx/pocketsphinx). In text the words before tell
  much, among shuffled words they mislead; so the measure is their mean pointwise mutual information in nats, which
  topic and rare words hardly move. Prose from the web, news, law and medicine has 0.2 to 3, the same words shuffled
  -2.3 to -0.3.
- Spelling: the mean log-probability of the letters in lower-case words, each after the two before it, learned from
  the pronouncing dictionary in pocketsphinx and its many foreign names.
- Mojibake: sequences that UTF-8 read in another encoding leaves, as ftfy (https://github.com/rspeer/python-ftfy) knows
  them, and replacement characters.

Code, tables, formulas, lists of words and other languages are not judged by word order.
"""

import functools
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from quality.screens import Fault, text_screen

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.!?;:\n|(){}\[\]=<>\"/\\_+*#0-9]+|[^\x00-\x7f]")
_LOWER = re.compile(r"(?<![\w'’.@/\\$#-])[A-Z]?[a-z]{3,}(?![\w'’@/\\_-]|\.\w)")
_BROKEN = re.compile(r"[ÂÃÐÑØÙâãåæçïðŃÅÄžЃГВРСвЂ√‚ΒΓΞβ€×à]")
_WORDS_ONLY = re.compile(r"[A-Za-z'’ -]+\.?\s*")
_HOLDING = frozenset({
    *("a", "about", "all", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "have"),
    *("he", "her", "his", "i", "if", "in", "is", "it", "its", "my", "no", "not", "of", "on", "or", "she", "so", "that"),
    *("the", "their", "there", "they", "this", "to", "up", "was", "we", "were", "what", "when", "which", "who", "will"),
    *("with", "you"),
})  # fmt: skip
"""Words without which there is hardly an English sentence."""
_CODE = re.compile(r"\w_|_\w|\w\(|[{}<>=\\$|`^~]|\w\.\w+\.\w|\bpackage\b|^\s*[-*#]", re.MULTILINE)
_SPACE = string.whitespace.encode() + b"\x1c\x1d\x1e\x1f"
_OF_PROSE = string.ascii_letters.encode() + b",.'"
_STRICT = 0.93
"""Share of prose that a text with a mark of code or of a formula needs."""
_ENOUGH = 120
"""Words that are scored at most: more change no verdict."""
_PLAIN = 30
"""Words after which a text that is plainly in order is read no further."""


class Order(NamedTuple):
    """What the trigram model says: words, those that it knows, and the nats that contexts add to each scored word."""

    words: int
    known: int
    gains: list[float]


@text_screen(policy="drop")
def fluency(
    texts: Sequence[str],
    *,
    least_words: int = 20,
    least_gain: float = -0.2,
    prose: float = 0.88,
    least_spelling: float = -4.2,
    most_broken: float = 0.01,
) -> list[Fault | None]:
    """Fault the texts that are no text.

    Args:
        texts: what to look at.
        least_words: words in a known context that a text needs for its order to be judged.
        least_gain: mean nats that the words before must add to a word's log-probability.
        prose: share of letters, full stops, commas and apostrophes, white space apart, from which a text is prose.
        least_spelling: mean log-probability of a letter (nats) under which a word is one of keys hit at random.
        most_broken: share of characters that may be wrongly decoded or replaced.
    """
    return [
        _broken(text, most_broken) or _mashed(text, least_spelling) or _shuffled(text, least_words, least_gain, prose)
        for text in texts
    ]


def _broken(text: str, most: float) -> Fault | None:
    """A fault for characters that were decoded wrongly, or lost."""
    if text.isascii():
        return None
    if (lost := text.count("\ufffd")) >= 2 and lost > most * len(text):
        return Fault("has lost characters", f"{lost} replacement characters")
    if not _BROKEN.search(text):
        return None
    from ftfy.badness import BADNESS_RE

    found = [match[0] for match in BADNESS_RE.finditer(text)]
    if len(found) >= 3 or (len(found) == 2 and sum(map(len, found)) > most * len(text)):
        return Fault("was decoded wrongly", f"{len(found)} × such as {found[0]!r}")
    return None


def _mashed(text: str, least: float) -> Fault | None:
    """A fault where many words are spelt as no word is."""
    words = _LOWER.findall(text)
    if not words:
        return None
    spelling = _spelling()
    odd = [word for word in words if spelling(word.lower()) < least]
    if len(odd) >= 3 and len(odd) >= 0.4 * len(words) and sum(map(len, odd)) > 0.3 * len(text.strip()):
        return Fault("has keys hit at random", f"{len(odd)} of {len(words)} words, such as {', '.join(odd[:3])}")
    return None


def _shuffled(text: str, least_words: int, least: float, prose: float) -> Fault | None:
    """A fault where the order of English words tells nothing."""
    if len(text) < 4 * least_words or _share_of_prose(text) < (_STRICT if _CODE.search(text) else prose):
        return None
    if _strung(text):
        return Fault("strings words together", f"{len(text.split())} words and no sentence")
    order = _order(text)
    if len(order.gains) < least_words or order.known < 0.75 * order.words:
        return None
    gain = sum(order.gains) / len(order.gains)
    # The fewer the words, the further from the least that their mean must be.
    if gain + 0.3 / math.sqrt(len(order.gains)) >= least:
        return None
    return Fault("has its words out of order", f"{gain:.2f} nats a word over {len(order.gains)} words")


def _strung(text: str) -> bool:
    """Whether there are many words, and neither a mark between them nor one of those that hold a sentence together."""
    words = text.lower().split()
    if len(words) < 30 or not _WORDS_ONLY.fullmatch(text):
        return False
    return sum(word in _HOLDING for word in words) < 0.03 * len(words)


def _share_of_prose(text: str) -> float:
    """The share of letters and the marks of prose, white space apart."""
    if text.isascii():  # as most texts are, and then many times as fast
        encoded = text.encode()
        size = len(encoded.translate(None, _SPACE))
        return (size - len(encoded.translate(None, _SPACE + _OF_PROSE))) / max(1, size)
    solid = "".join(text.split())
    return sum(c.isalpha() or c in ",.'’" for c in solid) / max(1, len(solid))


def _order(text: str) -> Order:
    """How well the words of the text foretell each other; marks, numbers and unknown words part contexts."""
    alone, given = _model()
    words = known = 0
    gains: list[float] = []
    before: tuple[str, ...] = ()
    for token in _TOKEN.findall(text.lower()):
        if not ("a" <= token[0] <= "z"):
            before = ()
            continue
        words += 1
        if (own := alone(token)) is None:
            before = ()
            continue
        known += 1
        if before:
            gains.append(given(token, *before) - own)
            if len(gains) == _ENOUGH or (len(gains) == _PLAIN and sum(gains) > 0.5 * _PLAIN):
                break
        before = (token, *before[:1])
    return Order(words, known, gains)


@functools.cache
def _model() -> tuple[Callable[[str], float | None], Callable[..., float]]:
    """Log-probabilities (nats) of a word alone (None: unknown), and after the words before it, the nearest first."""
    import pocketsphinx

    model = pocketsphinx.NGramModel.readfile(str(_folder() / "en-us.lm.bin"))
    # In logarithms to the base of 1.0001; unknown words have the least there is.
    unit = math.log(1.0001)

    @functools.lru_cache(1 << 16)
    def alone(word: str) -> float | None:
        value = model.prob([word])
        return value * unit if value > -(1 << 28) else None

    def given(*words: str) -> float:
        return model.prob(list(words)) * unit

    return alone, given


@functools.cache
def _spelling() -> Callable[[str], float]:
    """The mean log-probability of a word's letters, its end among them."""
    seen: Counter[str] = Counter()
    # A third of its 134,000 entries teaches the same, in a third of the time.
    for line in (_folder() / "cmudict-en-us.dict").read_text("utf-8").splitlines()[::3]:
        word = line.partition(" ")[0].partition("(")[0]
        if word.isalpha() and word.isascii():
            framed = f"  {word} "
            seen.update(map(str.__add__, map(str.__add__, framed, framed[1:]), framed[2:]))
    pairs: Counter[str] = Counter()
    for triple, times in seen.items():
        pairs[triple[:2]] += times
    logs = {triple: math.log((times + 0.1) / (pairs[triple[:2]] + 2.7)) for triple, times in seen.items()}

    @functools.lru_cache(1 << 16)
    def spelling(word: str) -> float:
        framed = f"  {word} "
        triples = [framed[start : start + 3] for start in range(len(word) + 1)]
        return sum(logs.get(t) or math.log(0.1 / (pairs[t[:2]] + 2.7)) for t in triples) / len(triples)

    return spelling


@functools.cache
def _folder() -> Path:
    """The folder of the English model in the installed pocketsphinx."""
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"
