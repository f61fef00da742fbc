"""Indexes that are kept: saved, loaded, and of items that nobody may read."""

from pathlib import Path

import pytest

from catalog.records import BenchmarkItem
from infra.errors import Refusal
from quality.contamination import BenchmarkIndex, Hit, Share, content_key, hashed, report
from tests.quality.contamination.items import CHAMP, DOCUMENTS, HUMAN_EVAL, TEXT, quiz


def test_a_loaded_index_finds_what_the_saved_one_did(tmp_path: Path) -> None:
    built = BenchmarkIndex([*HUMAN_EVAL[:40], hashed(HUMAN_EVAL[50])])
    built.learn(DOCUMENTS[:50])
    loaded = BenchmarkIndex.load(built.save(tmp_path / "index"))
    texts = [item.text for item in HUMAN_EVAL[:60]]
    assert loaded.find_batch(texts) == built.find_batch(texts)
    assert (len(loaded), loaded.skipped, loaded.documents, loaded.items) == (41, 0, 50, {"HumanEval": 41})
    loaded.learn(DOCUMENTS[:5])
    assert BenchmarkIndex.load(loaded.save(tmp_path / "index")).documents == 55


def test_an_index_is_kept_by_its_content(tmp_path: Path) -> None:
    for _ in range(2):
        assert len(BenchmarkIndex.kept(quiz(TEXT), tmp_path)) == 1
    assert [file.name for file in tmp_path.iterdir()] == [content_key(quiz(TEXT))]
    assert content_key(quiz(TEXT)) != content_key(quiz(TEXT + "!"))


def test_a_damaged_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no index can be read"):
        BenchmarkIndex.load(tmp_path)
    BenchmarkIndex(quiz(TEXT)).save(tmp_path)
    (tmp_path / "grams.keys.npy").write_bytes(b"?")
    with pytest.raises(Refusal, match="build it anew"):
        BenchmarkIndex.load(tmp_path)


def test_hashed_items_are_found_and_cannot_be_read() -> None:
    private = [hashed(item, b"secret") for item in CHAMP]
    index = BenchmarkIndex(private, secret=b"secret")
    found = index.find_batch([f"Well.\n{item.text.upper().replace(' ', chr(10))}\nDone." for item in CHAMP])
    right = [any(hit.item == item.item for hit in hits) for item, hits in zip(CHAMP, found, strict=True)]
    assert sum(right) / len(right) >= 0.97
    assert all(word not in item.text for item in private for word in ("integer", "number", "many"))
    assert index.find_batch(DOCUMENTS[:50]) == [[]] * 50


def test_a_hashed_item_says_where_it_stands() -> None:
    text = f"They asked: {TEXT} Nobody knew."
    (hit,) = BenchmarkIndex([hashed(quiz(TEXT)[0])]).find_all(text)
    assert (text[hit.start : hit.end], hit.layer, hit.score) == (TEXT.rstrip("?"), "13-gram", 1.0)


def test_another_secret_is_refused() -> None:
    with pytest.raises(Refusal, match="quiz 1: was hashed with another secret"):
        BenchmarkIndex([hashed(quiz(TEXT)[0], b"ours")], secret=b"theirs")


def test_damaged_hashes_are_refused() -> None:
    item = BenchmarkItem(benchmark="quiz", item="1", text=hashed(quiz(TEXT)[0]).text[:-9])
    with pytest.raises(Refusal, match="quiz 1: its hashes cannot be read"):
        BenchmarkIndex([item])


def test_an_item_too_short_to_be_hashed_is_refused() -> None:
    with pytest.raises(Refusal, match="too short"):
        hashed(quiz("Who was she?")[0])


def test_the_report_counts_items_and_documents_of_each_source_and_benchmark() -> None:
    sure = Hit("quiz", "1", 0, 9, "13-gram", 1.0, "contaminated")
    found = [
        ("web", [sure, Hit("quiz", "2", 10, 19, "code", 1.0, "contaminated")]),
        ("web", [sure]),
        (
            "web",
            [Hit("quiz", "3", 0, 9, "semantic", 0.6, "possible"), Hit("exam", "1", 0, 9, "8-gram", 0.1, "boilerplate")],
        ),
        ("books", []),
    ]
    assert report(found, {"quiz": 8, "exam": 2}) == [
        Share("web", "quiz", 8, 2, 0.25, 2, 1, 0, {"13-gram": 1, "code": 1}),
        Share("web", "exam", 2, 0, 0.0, 0, 0, 1, {}),
    ]
