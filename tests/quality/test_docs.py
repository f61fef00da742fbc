"""The pages of what the gate found: offline, complete, one a run."""

import json
import multiprocessing
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from quality.docs import Page, index, write_docs
from quality.expectations import Expectation, between, differ, measured, not_blank, rows_at_least, stable_mean, unique
from quality.gate import Verdict, judge

ROWS = pl.DataFrame({"record_id": ["r1", "r2"], "prompt": ["<script>alert(1)</script>", "b & c"], "score": [0.5, 7.25]})
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def page(
    *expectations: Expectation,
    run_id: str = "toy-1",
    table: str = "sft.toy",
    version: int | None = 3,
    rows: pl.DataFrame = ROWS,
) -> Page:
    verdicts: Sequence[Verdict] = judge(rows, expectations, table, previous=rows, figures={"self_bleu": 0.7})
    return Page(table=table, run_id=run_id, at=NOON, verdicts=verdicts, version=version)


def written(folder: Path, *expectations: Expectation) -> str:
    return write_docs(folder, page(*expectations)).read_text("utf-8")


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split())


def test_a_page_lies_under_its_table(tmp_path: Path) -> None:
    assert write_docs(tmp_path, page(rows_at_least(1))) == tmp_path / "sft.toy" / "toy-1.html"


def test_a_page_says_what_great_expectations_expected_and_saw(tmp_path: Path) -> None:
    found = text_of(written(tmp_path, rows_at_least(5)))
    assert "rows_at_least(5) Must have greater than or equal to 5 rows. 2 block" in found


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        (between("score", 0, 1), "score values must be greater than or equal to 0.0 and less than or equal to 1.0"),
        (between("score", 0, 1), "r2: 7.25"),
        (not_blank("prompt"), r"prompt values must match this regular expression: \S ."),
        (unique("prompt"), "prompt values must be unique"),
        (measured("self_bleu", high=0.6).warn(), "self_bleu mean must be less than or equal to 0.6 . 0.7 warn"),
        (stable_mean("score", 0.5), "3.875, was 3.875"),
        (not_blank("nope"), "sft.toy: not_blank(nope) cannot be checked, column &#39;nope&#39; is not in the table"),
        (Expectation("odd", "ExpectTheUnexpected"), "has no ExpectTheUnexpected"),
        (between("prompt", 0, 1), "cannot be checked, Great Expectations raised"),
    ],
)
def test_a_page_tells(tmp_path: Path, expectation: Expectation, told: str) -> None:
    assert told in text_of(written(tmp_path, expectation))


def test_rows_are_text_on_a_page(tmp_path: Path) -> None:
    found = written(tmp_path, differ("prompt", "prompt"), between("score", 9), not_blank("<b>"), measured("<i>"))
    assert "<script>" not in found
    assert "<b>" not in found
    assert "<i>" not in found


def test_long_values_are_cut(tmp_path: Path) -> None:
    long = page(unique("prompt"), rows=pl.DataFrame({"record_id": ["a", "b"], "prompt": ["word " * 999] * 2}))
    assert len(write_docs(tmp_path, long).read_text("utf-8")) < 10_000


def test_no_page_asks_the_network_for_anything(tmp_path: Path) -> None:
    found = written(tmp_path, between("score", 0, 1), unique("prompt"), rows_at_least(1))
    for html in (found, (tmp_path / "index.html").read_text("utf-8")):
        assert not re.search(r"https?:|<script|<link|<img|@import|url\(", html)


def test_the_index_lists_tables_and_runs(tmp_path: Path) -> None:
    write_docs(tmp_path, page(rows_at_least(1), run_id="first"))
    write_docs(tmp_path, page(rows_at_least(9), run_id="second", version=None))
    write_docs(tmp_path, page(rows_at_least(9).warn(), run_id="third", table="sft.other"))
    found = (tmp_path / "index.html").read_text("utf-8")
    links = set(re.findall(r'href="([^"]+)"', found))
    assert links == {"sft.toy/first.html", "sft.toy/second.html", "sft.other/third.html"}
    assert "second 2026-11-21 12:00:00 1 broken quarantine 1" in text_of(found)
    assert "third 2026-11-21 12:00:00 passed 1 warned version 3 1" in text_of(found)


def test_a_run_that_is_repeated_has_one_page(tmp_path: Path) -> None:
    write_docs(tmp_path, page(rows_at_least(9), version=None))
    assert "published as version 3" in written(tmp_path, rows_at_least(1))
    assert len(list(tmp_path.glob("*/*.html"))) == 1


def test_an_index_of_nothing_is_a_page(tmp_path: Path) -> None:
    assert index(tmp_path / "docs").exists()


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_a_run_whose_file_cannot_be_read_says_so(tmp_path: Path, text: str) -> None:
    place = write_docs(tmp_path, page(rows_at_least(1)))
    place.with_suffix(".json").write_text(text)
    assert "toy-1 cannot be read" in text_of(index(tmp_path).read_text("utf-8"))


def test_an_odd_name_stays_in_its_folder(tmp_path: Path) -> None:
    place = write_docs(tmp_path / "docs", page(rows_at_least(1), run_id="../../up & away"))
    assert place.parent == tmp_path / "docs" / "sft.toy"
    found = index(tmp_path / "docs").read_text("utf-8")
    (link,) = set(re.findall(r'href="([^"]+)"', found))
    assert link == "sft.toy/..%252F..%252Fup%2520%2526%2520away.html"


def _write(folder: Path, name: str) -> None:
    for number in range(5):
        write_docs(folder, Page(table="sft.toy", run_id=f"{name}-{number}", at=NOON, verdicts=[], version=number))


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_write, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = (tmp_path / "index.html").read_text("utf-8")
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert all(f"{name}-{number}.html" in found for name in "ab" for number in range(5))
    assert {json.loads(file.read_text())["table"] for file in tmp_path.glob("*/*.json")} == {"sft.toy"}
