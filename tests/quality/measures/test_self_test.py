"""The measures tested on themselves: real text stays inside their gates, and the same text with a defect leaves them.

Run as a script, this file prints the table.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import pytest
from real_text import (
    Texts,
    blank,
    collapsed,
    copied,
    cut,
    from_template,
    labelled,
    looping,
    mislabelled,
    nearly_copied,
    on,
    one_topic,
    some,
    words_shuffled,
)

from quality.encoder import default_encoder
from quality.measures import Sample, load_measures

KINDS = ["chat prompts", "maths problems", "docs", "docstrings", "code"]
ALONE = [
    *("lexical_diversity", "repetition", "self_bleu", "templates", "semantic_diversity"),
    *("long_tail", "lengths", "word_order"),
]
AGAINST = ["fidelity", "embedded_fidelity", "drift"]

Spoil = Callable[[Texts], Texts]


class Defect(NamedTuple):
    """What is done to the text, and the figures that must show it, on which kinds (all where none are named)."""

    name: str
    spoil: Spoil
    shown_by: Sequence[str]
    kinds: Sequence[str] = KINDS


COLLAPSE_ALONE = [
    *("lexical_diversity.distinct_2_block", "lexical_diversity.distinct_3_block"),
    *("lexical_diversity.compression_block", "self_bleu.self_bleu", "long_tail.unseen_mass"),
    *("semantic_diversity.vendi_200", "semantic_diversity.nearest_distance"),
]
COLLAPSE_AGAINST = [
    *("fidelity.classifier_auc", "fidelity.js_words", "fidelity.js_bigrams", "fidelity.js_lengths"),
    *("embedded_fidelity.mmd", "embedded_fidelity.mauve", "embedded_fidelity.coverage"),
    *("drift.distinct_2_ratio", "drift.tail_ratio", "drift.spread_ratio", "drift.earlier_auc"),
]

DEFECTS = [
    Defect("10 % exact copies", copied, ["repetition.exact_duplicate_share"]),
    Defect("10 % near copies", nearly_copied, ["repetition.near_duplicate_share"]),
    Defect("20 % loops", on(0.2, looping), ["repetition.looping_share"]),
    Defect("30 % shuffled", on(0.3, words_shuffled), ["word_order.shuffled_share"], KINDS[1:]),
    Defect("all shuffled", on(1, words_shuffled), ["word_order.order_kept", "fidelity.classifier_auc"]),
    Defect("30 % of one template", on(0.3, from_template), ["templates.template_rate", "templates.top_opening_share"]),
    Defect("5 % blank", on(0.05, blank), ["lengths.blank_share"]),
    Defect("cut at 30 characters", on(1, cut(30)), ["lengths.cut_share", "drift.length_shift"], KINDS[1:]),
    Defect("one topic only", one_topic, ["semantic_diversity.embedding_spread"]),
    Defect("mode collapse", collapsed, [*COLLAPSE_ALONE, *COLLAPSE_AGAINST]),
]


class Shown(NamedTuple):
    """A line of the table."""

    kind: str
    defect: str
    figure: str
    clean: float
    spoilt: float
    low: float | None
    high: float | None

    def wrong(self) -> bool:
        return not (self.inside(self.clean) and not self.inside(self.spoilt))

    def inside(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@cache
def figures(measure: str, kind: str, spoil: Spoil | None = None, most: int = 500) -> dict[str, float]:
    """Of a kind's texts; where a measure compares, of one half, which is spoilt, against the other."""
    texts = some(kind, most)
    against = texts[len(texts) // 2 :] if measure in AGAINST else []
    texts = texts[: len(texts) // 2] if measure in AGAINST else texts
    sample = Sample(
        texts=spoil(texts) if spoil else texts, references=against, earlier=against, encode=default_encoder()
    )
    return dict(load_measures()[measure].run(sample))


def shown(defect: Defect, kind: str) -> Iterator[Shown]:
    for name in defect.shown_by:
        measure, figure = name.split(".")
        gate = load_measures()[measure].bounds[figure]
        clean, spoilt = figures(measure, kind), figures(measure, kind, defect.spoil)
        yield Shown(kind, defect.name, name, clean[figure], spoilt.get(figure, clean[figure]), *gate)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_text_leaves_the_gate_with_the_defect_only(defect: Defect, kind: str) -> None:
    if kind in defect.kinds:
        assert [line for line in shown(defect, kind) if line.wrong()] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [200, 2000])
@pytest.mark.parametrize("measure", ALONE)
def test_real_text_is_inside_every_gate(measure: str, most: int, kind: str) -> None:
    bounds = load_measures()[measure].bounds
    found = figures(measure, kind, most=min(most, 400) if measure == "semantic_diversity" else most)
    assert {name: value for name, value in found.items() if name in bounds and not bounds[name].hold(value)} == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("measure", AGAINST)
def test_two_halves_of_real_text_are_inside_every_gate(measure: str, kind: str) -> None:
    bounds, found = load_measures()[measure].bounds, figures(measure, kind)
    assert set(found) >= set(bounds)
    assert {name: value for name, value in found.items() if name in bounds and not bounds[name].hold(value)} == {}


def test_kinds_that_are_missing_or_foreign_leave_their_gates() -> None:
    docs, both = some("docs", 200), [*some("docs", 300)[200:], *some("chat prompts", 100)]
    measure = load_measures()["embedded_fidelity"]
    missing = measure.run(Sample(texts=docs, references=both, encode=default_encoder()))
    foreign = measure.run(Sample(texts=both, references=docs, encode=default_encoder()))
    for found, figures in ((missing, ("recall", "coverage")), (foreign, ("precision", "density"))):
        assert not any(measure.bounds[figure].hold(found[figure]) for figure in figures)


def noise(pairs: Sequence[tuple[str, str]], share: float) -> dict[str, float]:
    labels = mislabelled([label for _, label in pairs], share)
    return dict(load_measures()["label_noise"].run(Sample(texts=[text for text, _ in pairs], labels=labels)))


def of_kinds() -> list[tuple[str, str]]:
    return [(text, kind) for kind in KINDS for text in some(kind, 200)]


@pytest.mark.parametrize("pairs", [of_kinds, lambda: labelled()[:1500]], ids=["kinds", "packages"])
def test_label_noise_leaves_its_gate(pairs: Callable[[], list[tuple[str, str]]]) -> None:
    clean, noisy = noise(pairs(), 0), noise(pairs(), 0.2)
    assert load_measures()["label_noise"].bounds["label_noise"].hold(clean["label_noise"])
    assert not load_measures()["label_noise"].bounds["label_noise"].hold(noisy["label_noise"])
    assert noisy["label_kappa"] < clean["label_kappa"]


def test_labels_that_are_nearly_all_one_leave_their_gates() -> None:
    labels = [label for _, label in labelled()]
    chance = random.Random(0)
    collapsed_labels = [labels[0] if chance.random() < 0.9 else label for label in labels]
    bounds, run = load_measures()["label_balance"].bounds, load_measures()["label_balance"].run
    clean, spoilt = (run(Sample(texts=labels, labels=each)) for each in (labels, collapsed_labels))
    for figure, gate in bounds.items():
        assert gate.hold(clean[figure])
        assert not gate.hold(spoilt[figure])


if __name__ == "__main__":
    for kind in sys.argv[1:] or KINDS:
        for defect in DEFECTS:
            for line in shown(defect, kind) if kind in defect.kinds else ():
                mark = "WRONG" if line.wrong() else ""
                gate = f"[{line.low}, {line.high}]"
                print(
                    f"{line.kind:15}{line.defect:22}{line.figure:38}{line.clean:8.3f}{line.spoilt:8.3f} {gate:14}{mark}"
                )
    for name, pairs in () if sys.argv[1:] else (("kinds", of_kinds()), ("packages", labelled()[:1500])):
        print("label noise", name, len(pairs), {share: noise(pairs, share) for share in (0, 0.05, 0.1, 0.2)})
