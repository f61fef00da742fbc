"""What texts and real benchmark items have in common, letter for letter."""

import random
import re
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.records import BenchmarkItem
from quality.contamination import BenchmarkIndex
from tests.quality.contamination.items import DOCUMENTS, HUMAN_EVAL, REAL, TEXT, quiz


@pytest.fixture(scope="module")
def index() -> BenchmarkIndex:
    return BenchmarkIndex(REAL)


def _respaced(text: str) -> str:
    pick = random.Random(7)
    return "".join(c + pick.choice([" ", "\n", "", "", "", ""]) for c in text if not c.isspace())


EDITS: dict[str, Callable[[str], str]] = {
    "verbatim": lambda text: text,
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "one word a line": lambda text: "\n\n".join(text.split()),
    "tabs": lambda text: re.sub(r"\s+", "\t ", text),
    "no spaces": lambda text: "".join(text.split()),
    "spaces within words": _respaced,
    "no punctuation": lambda text: "".join(c for c in text if c not in string.punctuation),
    "punctuation to spaces": lambda text: "".join(" " if c in string.punctuation else c for c in text),
    "hidden characters": lambda text: text.replace("e", "e\u200b"),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "HTML": lambda text: "<p>" + text.replace(" the ", " <b>the</b>&nbsp;") + "</p>",
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_real_item_is_found_in_the_middle_of_a_paragraph(index: BenchmarkIndex, edit: str) -> None:
    pick = random.Random(1)
    texts: list[str] = []
    for item in REAL:
        around = pick.choice(DOCUMENTS)
        cut = pick.randrange(len(around))
        texts.append(f"{around[:cut]} {EDITS[edit](item.text)} {around[cut:]}")
    found = [{hit.item for hit in hits if hit.verdict == "contaminated"} for hits in index.find_batch(texts)]
    assert [item.item for item, hits in zip(REAL, found, strict=True) if not hits] == []
    wrong = [item.item for item, hits in zip(REAL, found, strict=True) if item.item not in hits]
    # Without punctuation, these are others: HumanEval/56 (which has "<" for "("), P_Number-Theory_31 ("-" for "+").
    assert set(wrong) <= {"HumanEval/61", "P_Number-Theory_70"}


def test_items_that_differ_in_punctuation_only_are_told_apart(index: BenchmarkIndex) -> None:
    twins = [item for item in REAL if item.item in {"HumanEval/56", "HumanEval/61"}]
    assert [[hit.item for hit in index.find_all(item.text)] for item in twins] == [["HumanEval/56"], ["HumanEval/61"]]


def test_every_real_answer_of_thirteen_words_is_found(index: BenchmarkIndex) -> None:
    long = [item for item in HUMAN_EVAL if len(re.findall(r"[^\W_]+", item.answer)) > 20]
    assert len(long) > 60
    assert [item.item for item in long if index.find(item.answer) is None] == []


def test_python_documentation_is_clean(index: BenchmarkIndex) -> None:
    assert [hits for hits in index.find_batch(DOCUMENTS) if hits] == []


def test_no_real_item_is_skipped(index: BenchmarkIndex) -> None:
    assert (len(index), index.skipped) == (len(REAL), 0)


def test_a_batch_finds_what_single_texts_have(index: BenchmarkIndex) -> None:
    texts = [*DOCUMENTS[:20], *(item.text for item in REAL[::40])]
    batch = index.find_batch(texts)
    assert batch == [index.find_all(text) for text in texts] == list(index.find_stream(iter(texts)))


SPRING = BenchmarkIndex(quiz(TEXT))
OTHER = st.lists(st.sampled_from(["apple", "Plum", "of", "12", "—", "fir,", "\n", "Straße", "(x)"]), max_size=40)


@given(before=OTHER, after=OTHER, start=st.integers(0, 6), gap=st.sampled_from([" ", "\n", " - ", "\t\t", "_"]))
def test_thirteen_words_in_a_row_are_found_wherever_they_stand(
    before: list[str], after: list[str], start: int, gap: str
) -> None:
    part = gap.join(TEXT.split()[start : start + 13])
    overlap = SPRING.find(" ".join([*before, part.upper(), *after]))
    assert overlap is not None
    assert (overlap.benchmark, overlap.item, overlap.layer, overlap.n) == ("quiz", "1", "13-gram", 13)
    assert overlap.overlap in part.upper()


@given(before=OTHER, after=OTHER)
def test_text_without_an_item_is_clean(before: list[str], after: list[str]) -> None:
    assert SPRING.find_all(" ".join([*before, *TEXT.split()[3:10], "apple", *after])) == []


@given(before=st.text(), spaces=st.lists(st.sampled_from(["", "", " ", "\n", ". "]), min_size=100, max_size=100))
def test_an_item_spaced_anew_is_found_wherever_it_stands(before: str, spaces: list[str]) -> None:
    item = "".join(c + gap for c, gap in zip(TEXT.replace(" ", ""), spaces, strict=False))
    assert SPRING.find(f"{before} {item}") is not None


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert SPRING.find_all(text) == []


def test_half_a_character_is_no_hindrance() -> None:
    assert [hit.item for hit in SPRING.find_all(f"\ud800 é {TEXT}")] == ["1"]


def test_a_hit_says_where_it_stands_and_how_much_of_the_item_it_is() -> None:
    text = f"ﬁrst ½ é\u0301 — {TEXT.replace('nine', 'ｎｉｎｅ')} and on"
    (hit,) = SPRING.find_all(text)
    assert text[hit.start : hit.end] == TEXT.replace("nine", "ｎｉｎｅ").rstrip("?")
    assert (hit.layer, hit.score, hit.verdict) == ("13-gram", 1.0, "contaminated")


def test_html_and_latex_make_no_difference_and_the_span_counts_them() -> None:
    index = BenchmarkIndex(quiz(r"Evaluate the sum \frac{1}{2} + \left( 3 \cdot 4 \right) when it is café time"))
    text = "so:<br>evaluate the <b>sum</b> 1/2 + (3 4) when it is caf&eacute; time!"
    (hit,) = index.find_all(text)
    assert (text[hit.start : hit.end], hit.score) == (
        "evaluate the <b>sum</b> 1/2 + (3 4) when it is caf&eacute; time",
        1.0,
    )


def test_several_items_in_a_text_are_all_found_in_their_order() -> None:
    other = "Which bird nests on the cliff beside the old lighthouse and leaves in the autumn every year?"
    hits = BenchmarkIndex(quiz(TEXT, other)).find_all(f"{other} Nobody knew. {TEXT}")
    assert [hit.item for hit in hits] == ["2", "1"]


def test_eight_words_in_a_row_count_where_they_cover_most_of_the_item() -> None:
    broken = TEXT.replace("dawn", "noon")
    (hit,) = SPRING.find_all(broken)
    assert (hit.layer, hit.verdict) in {("8-gram", "contaminated"), ("50 characters", "contaminated")}
    assert hit.score > 0.7


def test_a_short_item_is_found_only_as_a_whole_and_only_between_words() -> None:
    index = BenchmarkIndex(quiz("Where do the two rivers part"))
    found = index.find("He asked: where DO the two\nrivers part? Nobody knew.")
    assert found is not None
    assert (found.layer, found.overlap) == ("whole item", "where DO the two\nrivers part")
    assert index.find_all("Where do the two rivers part-take?") != []
    assert index.find_all("Where do the two rivers parted meet?") == []


def test_text_too_short_to_tell_is_skipped_and_counted() -> None:
    index = BenchmarkIndex([BenchmarkItem(benchmark="quiz", item="3", text="Who was she?", answer="Nobody knows.")])
    assert (index.skipped, index.find("Who was she? Nobody knows.")) == (1, None)


def test_an_item_printed_three_times_is_still_found() -> None:
    assert BenchmarkIndex(quiz(TEXT, TEXT, TEXT)).find(f"so: {TEXT}") is not None


@pytest.mark.parametrize(
    "text",
    ["0 " * 400, "1 2 " * 200, "yes no " * 100, " ".join(str(n % 10) for n in range(300)), "spam " * 50],
)
def test_rows_of_digits_and_repeated_words_are_no_evidence(index: BenchmarkIndex, text: str) -> None:
    assert index.find_all(text) == []


@pytest.mark.parametrize("text", ["", " \n", "a", TEXT])
def test_an_index_of_nothing_finds_nothing(text: str) -> None:
    assert BenchmarkIndex([]).find_all(text) == []
    assert BenchmarkIndex([]).find_batch([]) == []
