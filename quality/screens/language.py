"""Language: a text in another language than those that are expected.

The language is told by py3langid (https://github.com/adbar/py3langid), a naive Bayes classifier over byte n-grams
(langid.py, https://aclanthology.org/P12-3005). Code, formulas and short texts have no language that could be told, and
are not at fault.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

from quality.screens import Fault, text_screen

_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"[{};=<>\[\]\\]|^\s*(?:def|import|from|class|return|if|for|while)\b", re.MULTILINE)


@text_screen(policy="drop")
def language(
    texts: Sequence[str], *, expected: tuple[str, ...] = (), least_letters: int = 60, confidence: float = 0.9
) -> list[Fault | None]:
    """Fault the texts in none of the expected languages; without any expected, no text is at fault.

    Args:
        texts: what to look at.
        expected: ISO 639-1 codes, such as `("en", "de")`.
        least_letters: letters that a text needs for its language to be told.
        confidence: probability that the classifier must give to the other language.

    Raises:
        ValueError: for a code that the classifier does not know.
    """
    if not expected:
        return [None] * len(texts)
    identifier = _identifier()
    if unknown := set(expected) - set(identifier.labels):
        raise ValueError(
            f"language: expected has {', '.join(sorted(unknown))}, which py3langid does not tell; "
            f"it tells {', '.join(sorted(identifier.labels))}"
        )
    return [_fault(identifier, text, expected, least_letters, confidence) for text in texts]


def told(text: str) -> str:
    """The likeliest language of a text as ISO 639-1 code; empty where it has no letters."""
    letters = " ".join(_WORD.findall(text[:4000]))
    return _identifier().classify(letters)[0] if letters else ""


def _fault(identifier: Any, text: str, expected: tuple[str, ...], least: int, confidence: float) -> Fault | None:
    letters = " ".join(_WORD.findall(text[:4000]))
    if _weight(letters) < least or len(_CODE.findall(text[:4000])) * 25 > len(letters):
        return None
    told, share = identifier.classify(letters)
    if told in expected or share < confidence:
        return None
    return Fault(f"is in another language than {', '.join(expected)}", f"{told}, probability {share:.2f}")


def _weight(letters: str) -> int:
    """How many letters there are; one of a script that writes syllables or words counts as three."""
    return len(letters) + 2 * sum(character >= "\u2e80" for character in letters)


@functools.cache
def _identifier() -> Any:
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
