"""The text screens: texts a second, false faults on real clean text, and planted defects found, a screen.

Beside all of them: the rate that 100,000 texts of 200 words in four minutes on two cores need. Beside pii,
presidio-analyzer over a blank spaCy pipeline, beside toxicity, alt-profanity-check alone, each where it is installed.
"""

import importlib.util
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks"), str(ROOT / "tests" / "quality" / "screens")]

from planted import FAULTY  # noqa: E402 - found by the lines above
from table import Line, show  # noqa: E402

from catalog.records import content  # noqa: E402
from catalog.sources import load_sources  # noqa: E402
from quality.screens import Fault, load_screens  # noqa: E402
from quality.texts import texts_in  # noqa: E402

TEXTS, WORDS = 1_500, 200
MOST = 1_000
"""Rows that are read of a source at most."""
BUDGET = 100_000 / (4 * 60 * 2)
"""Texts a second and core that all screens together must reach."""


def clean() -> dict[str, list[str]]:
    """The rows of every installed source, as one text a row, drawn at random."""
    found: dict[str, list[str]] = {}
    for name, source in load_sources().items():
        rows = [
            "\n".join(text for value in content(row).values() for text in texts_in(value)) for row, _ in source.rows()
        ]
        found[name] = random.Random(0).sample(rows, min(MOST, len(rows)))
    return found


def stretches(texts: Sequence[str]) -> list[str]:
    """Texts of two hundred words, cut from the texts laid end to end, with their line breaks."""
    words = random.Random(0).sample(list(texts), len(texts))
    joined = "\n".join(words).split(" ")
    return [" ".join(joined[start : start + WORDS]) for start in range(0, min(len(joined), TEXTS * WORDS), WORDS)]


def rate(find: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Texts a second of processor time, after a first look that loads what is loaded once."""
    find(texts[:20])
    start = time.process_time()
    find(texts)
    return len(texts) / (time.process_time() - start)


def asked(find: Callable[..., list[Fault | None]], **options: object) -> Callable[[Sequence[str]], list[bool]]:
    """Whether a screen faults each text."""
    return lambda texts: [fault is not None for fault in find(texts, **options)]


def others() -> dict[str, tuple[str, Callable[[Sequence[str]], list[bool]]]]:
    """Screen → what one would use instead, and whether it faults each text."""
    found: dict[str, tuple[str, Callable[[Sequence[str]], list[bool]]]] = {}
    if importlib.util.find_spec("presidio_analyzer"):
        found["pii"] = ("presidio-analyzer", _presidio())
    if importlib.util.find_spec("profanity_check"):
        found["toxicity"] = ("alt-profanity-check", _profanity())
    return found


def _presidio() -> Callable[[Sequence[str]], list[bool]]:
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # else it asks the network

    class Blank(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return self._doc_to_nlp_artifact(self.nlp[language](text), language)

    engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    kinds = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "CRYPTO"]
    return lambda texts: [bool(engine.analyze(text, language="en", entities=kinds)) for text in texts]


def _profanity() -> Callable[[Sequence[str]], list[bool]]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from profanity_check import predict_prob
    return lambda texts: [bool(share >= 0.9) for share in predict_prob(list(texts))]


def lines() -> list[Line]:
    return list(_lines())


def _lines() -> Iterator[Line]:
    sources = clean()
    every = [text for texts in sources.values() for text in texts]
    long = stretches(every)
    instead = others()
    total = 0.0
    for name, screen in load_screens().items():
        against, other = instead.get(name, ("", None))
        find = asked(screen.find, **({"expected": ("en",)} if name == "language" else {}))

        speed = rate(find, long)
        total += 1 / speed
        yield Line(
            f"{name}: texts of {WORDS} words", speed, rate(other, long[:200]) if other else None, "texts/s", against
        )
        if name not in {"language", "licence"}:
            yield Line(
                f"{name}: false faults in {len(every):,} texts",
                100 * sum(find(every)) / len(every),
                100 * sum(other(every[::10])) / len(every[::10]) if other else None,
                "%",
                against,
            )
        if planted := FAULTY.get(name):
            yield Line(
                f"{name}: found of {len(planted)} planted",
                100 * sum(find(planted)) / len(planted),
                100 * sum(other(planted)) / len(planted) if other else None,
                "%",
                against,
            )
    yield Line("all screens", 1 / total, BUDGET, "texts/s", "what the budget asks for, on one core")


if __name__ == "__main__":
    show(lines())
