"""Exact and near duplicates, on real documents, against the definition worked out in full."""

import functools
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from pydoc_data.topics import topics

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.duplicates import PAIRS, minhash
from quality.duplicates.minhash import STORED, near_duplicates, signatures
from quality.duplicates.shingles import _units, shingle_sets
from quality.texts import words as words_of


def documents() -> list[str]:
    """Parts of Python's language reference, less those with a passage of another: topics repeat each other."""
    found: list[str] = []
    for part in (part for text in topics.values() for part in text.split("\n\n\n")):
        passages = (part[at : at + 50] for at in range(0, len(part), 100))
        if 100 < len(part.split()) < 1000 and not any(passage in "".join(found) for passage in passages):
            found.append(part)
    return found


DOCUMENTS = documents()


def pairs(texts: Sequence[str], threshold: float = 0.8) -> list[tuple[str, str, str]]:
    found = near_duplicates(signatures([str(n) for n in range(len(texts))], texts), threshold=threshold)
    return list(found.select("record_id", "kept_id", "kind").iter_rows())


@functools.cache
def shingles(text: str) -> set[int]:
    (sets,) = shingle_sets([text])
    return set(sets.values.tolist())


def jaccard(one: str, other: str) -> float:
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


def edited(text: str, edits: int, pick: random.Random) -> str:
    words = text.split()
    for _ in range(edits):
        words[pick.randrange(len(words))] = pick.choice(["quince", "gondola", "plinth", ""])
    return " ".join(words)


def test_a_copy_names_the_row_that_stays() -> None:
    texts = [DOCUMENTS[0], DOCUMENTS[1], DOCUMENTS[0], f"{DOCUMENTS[1]} And so on."]
    found = near_duplicates(signatures(["a", "b", "c", "d"], texts))
    assert found.columns == list(PAIRS)
    assert found.rows()[0] == ("c", "a", 1.0, "exact", 1)
    assert found.rows()[1][:2] == ("d", "b")
    assert found.rows()[1][3:] == ("near", 2)


def test_copies_of_one_row_share_a_cluster() -> None:
    texts = [DOCUMENTS[0], DOCUMENTS[0], DOCUMENTS[3], DOCUMENTS[0].upper(), DOCUMENTS[3]]
    found = near_duplicates(signatures(list("abcde"), texts))
    assert found.select("record_id", "kept_id", "cluster").rows() == [("b", "a", 1), ("d", "a", 1), ("e", "c", 2)]


def test_in_a_batch_the_pairs_are_those_of_the_definition() -> None:
    pick = random.Random(3)
    texts = [edited(text, edits, pick) for text in DOCUMENTS[:12] for edits in (0, 1, 3, 6, 12)]
    pick.shuffle(texts)
    kept: list[int] = []
    expected: list[tuple[str, str]] = []
    for row, text in enumerate(texts):
        best = max(kept, key=lambda other: (jaccard(text, texts[other]), -other), default=None)
        if best is not None and jaccard(text, texts[best]) >= 0.8:
            expected.append((str(row), str(best)))
        else:
            kept.append(row)
    assert len(expected) > 12
    assert [pair[:2] for pair in pairs(texts)] == expected


def test_near_copies_of_published_rows_are_found_by_their_signatures() -> None:
    pick = random.Random(5)
    stored = signatures([f"old {n}" for n in range(len(DOCUMENTS))], DOCUMENTS).select(STORED)
    copies = [edited(text, 2, pick) for text in DOCUMENTS]
    found = near_duplicates(signatures([f"new {n}" for n in range(len(copies))], copies), stored)
    kept = dict(found.select("record_id", "kept_id").iter_rows())
    above = [n for n, copy in enumerate(copies) if jaccard(copy, DOCUMENTS[n]) >= 0.85]
    assert len(above) > 50
    assert {kept[f"new {n}"] for n in above} == {f"old {n}" for n in above}


def test_a_published_long_text_is_read_where_its_sketch_leaves_it_open() -> None:
    long = " ".join(DOCUMENTS)
    stored = signatures(["old"], [long]).select(STORED)
    pick = random.Random(2)
    asked: list[list[str]] = []

    def read(ids: Sequence[str]) -> dict[str, str]:
        asked.append(list(ids))
        return dict.fromkeys(ids, long)

    for edits in (len(long.split()) // 50, len(long.split()) // 42, len(long.split()) // 36):
        copy = edited(long, edits, pick)
        found = near_duplicates(signatures(["new"], [copy]), stored, read=read)
        exact = jaccard(copy, long)
        assert len(found) == (exact >= 0.8)
        assert found["similarity"].to_list() == [exact][: len(found)]
    assert asked[0] == ["old"]


def test_a_read_that_lacks_a_row_is_told() -> None:
    long = " ".join(DOCUMENTS)
    stored = signatures(["old"], [long]).select(STORED)
    copy = signatures(["new"], [edited(long, len(long.split()) // 42, random.Random(2))])
    with pytest.raises(ValueError, match="no text of row old"):
        near_duplicates(copy, stored, read=lambda ids: {})


def test_published_rows_may_be_a_table_of_the_lake() -> None:
    stored = signatures(["old 0", "old 1"], DOCUMENTS[:2]).select(STORED)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE s (record_id VARCHAR, content UBIGINT, size UINTEGER, bands UINTEGER[], sketch UINTEGER[])"
        )
        connection.from_arrow(stored.to_arrow()).insert_into("s")
        new = signatures(["a", "b"], [DOCUMENTS[2], DOCUMENTS[1]])
        found = near_duplicates(new, connection.sql("SELECT * FROM s WHERE record_id <> 'none'"))
    assert found.rows() == [("b", "old 1", 1.0, "exact", 1)]


def test_a_row_that_goes_for_a_published_one_takes_none_with_it() -> None:
    words = [f"w{n}" for n in range(100)]
    published = " ".join(words)
    between = " ".join([*words[:92], *(f"x{n}" for n in range(8))])
    last = " ".join([*words[8:92], *(f"x{n}" for n in range(8)), *(f"y{n}" for n in range(8))])
    stored = signatures(["old"], [published]).select(STORED)
    found = near_duplicates(signatures(["a", "b"], [between, last]), stored)
    assert jaccard(between, last) >= 0.8
    assert jaccard(published, last) < 0.8
    assert found["record_id"].to_list() == ["a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "What is the capital of Spain?"),
        ("What is the capital of Iran?", "What is the capital of Iraq?"),
        ("What is 12 + 35?", "What is 12 + 36?"),
        ("Solve x + 5 = 12.", "Solve x - 5 = 12."),
        ("Evaluate (2 + 3) * 4", "Evaluate 2 + (3 * 4)"),
        ("Compute 5!", "Compute 5"),
        ("Differentiate f'(x) twice", "Differentiate f(x) twice"),
        ("Write hello world in C", "Write hello world in C++"),
        ("Is 1.5 a number?", "Is 15 a number?"),
        ("Sort these words from first to last: a b", "Sort these words from last to first: a b"),
        (
            "Write a detailed essay on the main causes and the effects of World War I",
            "Write a detailed essay on the main causes and the effects of World War II",
        ),
        ("中国的首都是哪里?", "法国的首都是哪里?"),
        ("ประเทศไทย", "ประเทศลาว"),
        ("!!!", "???"),
        ("🙂", "🙃"),
    ],
)
def test_short_texts_that_differ_in_a_word_are_not_duplicates(one: str, other: str) -> None:
    assert pairs([one, other]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "what is the capital of France"),
        ("Name three colours.", "  Name   three\ncolours!"),
        ('Define "entropy"', "Define entropy."),
        ("中国的首都是哪里？", "中国的首都是哪里?"),
    ],
)
def test_short_texts_that_differ_in_case_and_punctuation_alone_are_near_duplicates(one: str, other: str) -> None:
    assert pairs([one, other]) == [("1", "0", "near")]


def test_text_without_spaces_has_its_near_duplicates_too() -> None:
    text = (
        "机器学习是人工智能的一个分支它使计算机能够从数据中学习而无需明确编程。" * 1
        + "这项技术应用广泛包括图像识别语音识别和自然语言处理等领域并且正在迅速发展。"
    )
    assert pairs([text, text.replace("迅速", "快速")]) == [("1", "0", "near")]


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace(" ", "\n  "), lambda text: f"{text}!"])
def test_case_and_white_space_make_no_difference_in_long_texts(change: Callable[[str], str]) -> None:
    assert pairs([DOCUMENTS[5], change(DOCUMENTS[5])]) == [("1", "0", "near")]


def test_texts_that_share_a_long_preamble_are_told_apart() -> None:
    preamble = " ".join(DOCUMENTS[0].split()[:50])
    texts = [f"{preamble} {' '.join(text.split()[:25])}" for text in DOCUMENTS[1:40]]
    assert pairs(texts) == []


def test_rows_of_one_template_are_told_apart_batch_or_published() -> None:
    body = DOCUMENTS[0].split()[:56]
    texts = [" ".join([*body[:20], f"x{n}", *body[20:40], f"y{n}", *body[40:]]) for n in range(200)]
    assert 0.6 < jaccard(texts[0], texts[1]) < 0.8
    assert pairs(texts) == []
    stored = signatures([f"old {n}" for n in range(200)], texts).select(STORED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "_MEETINGS", 1000)
        found = near_duplicates(signatures(["a", "b"], [f"{texts[7]} z", texts[3].replace("y3", "y4")]), stored)
    assert found["kept_id"].to_list() == ["old 7", "old 3"]


def test_blank_texts_are_alike() -> None:
    assert pairs(["", "  ", DOCUMENTS[0], "\n"]) == [("1", "0", "exact"), ("3", "0", "exact")]


def test_no_texts_have_no_pairs() -> None:
    assert near_duplicates(signatures([], []), signatures([], []).select(STORED)).rows() == []


def test_odd_text_has_a_signature() -> None:
    odd = ["\ud800 half", "a\0b", "\u202e" * 30, "é" * 100_000, "a " * 10_000]
    assert signatures(list("abcde"), odd).null_count().sum_horizontal().item() == 0


def test_ids_and_texts_are_as_many() -> None:
    with pytest.raises(ValueError, match="2 ids for 1 texts"):
        signatures(["a", "b"], ["text"])


def test_a_threshold_that_the_bands_cannot_serve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"above 0\.5"):
        near_duplicates(signatures([], []), threshold=0.5)


def test_signatures_are_the_same_on_every_day_and_machine() -> None:
    frame = signatures(["a", "b"], ["What is the capital of France?", " ".join(f"word{n}" for n in range(40))])
    short, long = frame.select(STORED).rows()
    assert short == ("a", 13904963031614061587, 1, [2720990527], [195681901])
    assert (long[1], long[2], long[3][24], long[4][35]) == (17638221317381583762, 36, 446809057, 4257569735)


def test_the_seed_of_hashes_changes_nothing() -> None:
    code = (
        "from quality.duplicates.minhash import signatures; print(signatures(['a'], [' '.join('abcdef' * 5)]).rows())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert told.strip() == str(signatures(["a"], [" ".join("abcdef" * 5)]).rows())


words = st.lists(st.sampled_from(list("abcdefgh")), min_size=18, max_size=40)


@given(
    words, st.lists(st.tuples(st.integers(0, 39), st.sampled_from("xyz")), max_size=4), st.sampled_from([0.6, 0.8, 1])
)
@settings(max_examples=150, deadline=None)
def test_two_texts_are_a_pair_where_their_jaccard_similarity_says_so(
    base: list[str], edits: list[tuple[int, str]], threshold: float
) -> None:
    other = list(base)
    for place, word in edits:
        other[place % len(other)] = word
    texts = [" ".join(base), " ".join(other)]
    assert bool(pairs(texts, threshold)) == (jaccard(*texts) >= threshold)


@given(st.lists(st.text(max_size=60), max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_is_published_again_is_found(texts: list[str]) -> None:
    stored = signatures([f"old {n}" for n in range(len(texts))], texts).select(STORED)
    found = near_duplicates(signatures([str(n) for n in range(len(texts))], texts), stored)
    assert found["record_id"].to_list() == [str(n) for n in range(len(texts))]
    assert found.select(pl.col("kind") == "exact")["kind"].all()


@given(st.text(st.characters(max_codepoint=127)))
def test_the_words_of_ascii_are_those_of_every_screen(text: str) -> None:
    assert _units(text) == [word.encode() for word in words_of(text)]
