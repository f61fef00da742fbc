"""`everspring diff`, as its user gives it, and the words in which it says what differs."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk
from rich.console import Console

from catalog.publish import Findings, Run, publish
from catalog.records import Document, PromptCompletion, Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from flows.diff import as_json, as_markdown, show, words
from infra.settings import load_settings
from tasks.diff import Diff, diff

NASTY = "[red]<script>alert(1)</script> | `x` \x1b[31m"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home with two versions of a table of pairs, and one of texts."""
    home = tmp_path_factory.mktemp("diff") / "home"
    lake = Lake(load_settings(home=home))

    def put(table: str, rows: Sequence[Record]) -> None:
        run = Run(run_id=rows[0].record_id, stage="sft", method=table[4:], table_name=table, fingerprint="f")
        with Spool(home / "spool" / run.run_id, type(rows[0])) as spool:
            spool.add_rows(rows, {})
            publish(lake, run, spool, Findings(), shape=type(rows[0]), replace=True)

    texts = {f"What is {n}?": f"It is the number {n}, as we all know." for n in range(20)}
    pairs = [PromptCompletion(prompt=prompt, completion=text) for prompt, text in texts.items()]
    changed = [replace(pair, completion=pair.completion.replace("we all", "few"), record_id="") for pair in pairs[:5]]
    put("sft.pairs", pairs)
    put("sft.pairs", [*changed, *pairs[5:18], PromptCompletion(prompt=NASTY, completion=NASTY)])
    put("sft.texts", [Document(text="Rivers flow to the sea.")])
    return Desk(home)


@pytest.fixture(scope="module")
def found(desk: Desk) -> Diff:
    one, other = (desk.lake.find(TableRef.parse(f"sft.pairs@{number}")) for number in (1, 2))
    return diff(desk.lake, one, other, samples=20)


def test_two_versions_are_compared(desk: Desk) -> None:
    said = desk.run("diff", "sft.pairs@1", "sft.pairs@2", "--rows", "1")
    assert "sft.pairs@1 (20 rows) → sft.pairs@2 (19 rows)" in said
    assert "1 added, 2 removed, 5 changed, 13 kept" in said
    assert "[-we-][-all-]" in said.replace("[- -]", "") or "[-we all-]{+few+}" in said
    assert "neither has a scorecard" in said


def test_one_version_is_compared_with_the_one_before(desk: Desk) -> None:
    told = json.loads(desk.run("diff", "sft.pairs", "--format", "json"))
    assert (told["before"]["version"], told["after"]["version"]) == (1, 2)
    assert {name: told["rows"][name] for name in ("added", "removed", "changed", "kept")} == {
        "added": 1,
        "removed": 2,
        "changed": 5,
        "kept": 13,
    }
    assert [cause["what"] for cause in told["causes"] if not cause["changed"]] == ["mode", "method", "rows read"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sft.pairs@9",), "sft.pairs@9: no such version; sft.pairs has 1, 2"),
        (("sft.pairs@1",), "sft.pairs@1: there is no version before it that can be read"),
        (("sft.nothing",), "table 'sft.nothing': unknown"),
        (("sft.pairs@2", "sft.texts"), "have no column in common"),
    ],
)
def test_what_cannot_be_compared_is_refused(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    assert message in desk.run("diff", *arguments, code=2)


def test_nothing_in_a_row_is_markup_or_a_command_to_the_terminal(found: Diff) -> None:
    shown = io.StringIO()
    show(found, Console(file=shown, width=200))
    assert "[red]<script>" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()
    told = as_markdown(found)
    assert "<script>" not in told.replace("\\<script\\>", "")
    assert "\x1b" not in told
    assert json.loads(json.dumps(as_json(found), default=str))["rows"]["added_samples"][0]["prompt"] == NASTY


def test_markdown_has_the_words_that_went_and_came(found: Diff) -> None:
    told = as_markdown(found)
    assert "## Changed, such as" in told
    assert "**few**" in told
    assert "| prompt |" in told


def test_on_a_terminal_colours_tell_what_went_and_came(found: Diff) -> None:
    shown = io.StringIO()
    show(found, Console(file=shown, width=200, force_terminal=True, color_system="standard"))
    assert "\x1b[32mfew" in shown.getvalue()
    assert "{+" not in shown.getvalue()


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("a b c", "a x c", [("same", "a "), ("old", "b"), ("new", "x"), ("same", " c")]),
        ("", "a", [("new", "a")]),
        ("a", "", [("old", "a")]),
        ("a b", "a b c", [("same", "a b"), ("new", " c")]),
    ],
)
def test_texts_differ_by_words(before: str, after: str, wanted: list[tuple[str, str]]) -> None:
    assert words(before, after) == wanted


def test_of_long_texts_only_what_differs_is_shown() -> None:
    long = " ".join(f"word{n}" for n in range(10_000))
    pieces = words(long, long.replace("word5000", "other"))
    told = "".join(text for _, text in pieces)
    assert "word4992 " in told
    assert "other" in told
    assert told.startswith("… ")
    assert told.endswith(" …")
    assert len(told) < 400


def test_the_tool_that_wrote_a_file_can_be_named(desk: Desk, tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "What is rain?"}, {"from": "gpt", "value": "Water that falls."}]
    (tmp_path / "chat.jsonl").write_text(json.dumps({"conversations": turns}) + "\n")
    assert "llama-factory" in desk.run("import", "--help")
    refused = desk.run("import", str(tmp_path / "chat.jsonl"), "--table", "raw.chat", "--from", "alpaca", code=2)
    assert "its columns are none of Alpaca" in refused
