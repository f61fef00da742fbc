"""The sources written for this repository: texts, topics and disciplines."""

import re
from collections import Counter

import pytest

from catalog.records import Document, Labelled, Record, Triple
from catalog.sources import load_sources
from tasks.operators.retrieve import retrieve


def rows(name: str) -> list[Record]:
    return [row for row, _ in load_sources()[name].rows()]


@pytest.mark.parametrize(
    ("name", "table", "shape"),
    [
        ("everyday_texts", "raw.passages", Document),
        ("everyday_topics", "raw.topics", Labelled),
        ("disciplines", "raw.taxonomy", Triple),
    ],
)
def test_each_has_many_rows_of_its_shape_each_with_a_place(name: str, table: str, shape: type[Record]) -> None:
    found = load_sources()[name]
    made = list(found.rows())
    assert (found.table, found.shape, found.licence) == (table, shape, "Apache-2.0")
    assert len({place for _, place in made}) == len(made) >= 60
    assert len({row.record_id for row, _ in made}) == len(made)


def test_texts_are_a_few_sentences_with_a_title() -> None:
    for row in rows("everyday_texts"):
        assert isinstance(row, Document)
        assert 2 <= len(re.findall(r"[.?!](?:\s|$)", row.text)) <= 6
        assert 25 <= len(row.text.split()) <= 70
        assert 5 <= len(row.title) <= 40


def test_topics_are_phrases_of_six_areas_in_turn() -> None:
    found = [(row.label, row.text) for row in rows("everyday_topics") if isinstance(row, Labelled)]
    assert Counter(label for label, _ in found) == dict.fromkeys([label for label, _ in found[:6]], 15)
    assert all(text and not text.endswith(".") for _, text in found)


def test_most_topics_have_a_text_that_speaks_of_them() -> None:
    topics = [row for row in rows("everyday_topics") if isinstance(row, Labelled)]
    texts = [row for row in rows("everyday_texts") if isinstance(row, Document)]
    found = retrieve(topics, texts, lambda topic: topic.text, lambda text: f"{text.title} {text.text}", k=1)
    assert len(found) >= 85
    best = {topic.text: every[0].row.title for topic, every in found}
    assert best["how bread rises"] == "Why bread rises"


def test_the_taxonomy_has_126_disciplines_of_fourteen_fields() -> None:
    found = [(row.subject, row.object) for row in rows("disciplines") if isinstance(row, Triple)]
    assert len({discipline for discipline, _ in found}) == len(found) == 126
    assert len({field for _, field in found}) == 14
