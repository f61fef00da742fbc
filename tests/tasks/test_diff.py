"""Diff: which rows are new, gone, kept or changed, how columns and figures differ, and what was made otherwise."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.lineage import edges_of
from catalog.publish import Findings, Run, publish
from catalog.records import (
    Dialogue,
    Document,
    Labelled,
    Message,
    Prompt,
    PromptCompletion,
    Record,
    Triple,
)
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from infra.errors import Refusal
from infra.settings import Settings, load_settings
from tasks.diff import Diff, before, diff


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def lake(settings: Settings) -> Lake:
    return Lake(settings)


_numbers = itertools.count()


@pytest.fixture
def table() -> str:
    """A table of the test's own."""
    return f"sft.demo_{next(_numbers)}"


@pytest.fixture
def put(lake: Lake, table: str, tmp_path: Path) -> Callable[..., Version]:
    """Publish rows as a table's next version, by default in place of what it had."""

    def publish_rows(*rows: Record, into: str = table, replace: bool = True, metrics: Any = (), **run: Any) -> Version:
        stage, _, name = into.partition(".")
        its = Run(
            run_id=f"run-{next(_numbers)}", stage=stage, method=name, table_name=into, **{"fingerprint": "f", **run}
        )
        with Spool(tmp_path / "spool" / its.run_id, type(rows[0])) as spool:
            held = {parent: "raw.seeds" for row in rows for parent in row.parents}
            edges, parents = edges_of(rows, {**held, **{row.record_id: into for row in rows}})
            spool.add_rows(rows, parents)
            spool.add_edges(edges)
            return publish(lake, its, spool, Findings(metrics=metrics), shape=type(rows[0]), replace=replace)

    return publish_rows


@pytest.fixture
def compare(lake: Lake, table: str) -> Callable[..., Diff]:
    """Compare two versions of the test's table by their numbers, or any by their names."""

    def find(one: int | str, other: int | str, **more: Any) -> Diff:
        names = (f"{table}@{each}" if isinstance(each, int) else each for each in (one, other))
        first, second = (lake.find(TableRef.parse(name)) for name in names)
        return diff(lake, first, second, **more)

    return find


def counts(found: Diff) -> tuple[int, int, int, int]:
    """Added, removed, changed, kept: and they add up."""
    rows = found.rows
    assert rows.before == rows.kept + rows.changed + rows.removed
    assert rows.after == rows.kept + rows.changed + rows.added
    return rows.added, rows.removed, rows.changed, rows.kept


def test_rows_are_added_removed_and_kept(put: Callable[..., Version], compare: Callable[..., Diff]) -> None:
    put(*(Document(text=f"text {n}") for n in range(10)))
    put(*(Document(text=f"text {n}") for n in range(4, 17)))
    found = compare(1, 2, samples=2)
    assert counts(found) == (7, 4, 0, 6)
    assert {row["text"] for row in found.rows.added_samples} <= {f"text {n}" for n in range(10, 17)}
    assert {row["text"] for row in found.rows.removed_samples} <= {f"text {n}" for n in range(4)}
    assert {row["text"] for row in found.rows.kept_samples} <= {f"text {n}" for n in range(4, 10)}
    assert [len(each) for each in (found.rows.added_samples, found.rows.removed_samples, found.rows.kept_samples)] == [
        2,
        2,
        2,
    ]


def test_a_row_of_the_same_prompt_or_the_same_parents_is_changed(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    seed = Prompt(prompt="the seed")
    put(PromptCompletion(prompt="1+1?", completion="2"), PromptCompletion(prompt="a", completion="b", origin=(seed,)))
    put(PromptCompletion(prompt="1+1?", completion="two"), PromptCompletion(prompt="c", completion="d", origin=(seed,)))
    found = compare(1, 2)
    assert (counts(found), found.rows.alike, found.rows.subject) == ((0, 0, 2, 0), 0, "prompt")
    pairs = {(each.before["completion"], each.after["completion"]) for each in found.rows.changed_samples}
    assert pairs == {("2", "two"), ("b", "d")}


def test_of_rows_with_the_same_parents_those_of_the_same_subject_belong_together(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    seed = Prompt(prompt="the seed")
    asked = [f"question {n}" for n in range(20)]
    put(*(PromptCompletion(prompt=each, completion="old", origin=(seed,)) for each in asked))
    put(*(PromptCompletion(prompt=each, completion="new", origin=(seed,)) for each in reversed(asked)))
    found = compare(1, 2, samples=20)
    assert counts(found) == (0, 0, 20, 0)
    assert all(each.before["prompt"] == each.after["prompt"] for each in found.rows.changed_samples)
    assert len(found.rows.changed_samples) == 20


def test_a_row_that_is_made_again_of_something_else_says_what_it_did(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    for seed in ("one seed", "another seed"):
        put(PromptCompletion(prompt="1+1?", completion="2", origin=(Prompt(prompt=seed),)))
    found = compare(1, 2)
    assert (counts(found), found.rows.alike, list(found.rows.changed_samples)) == ((0, 0, 1, 0), 1, [])


def test_each_row_is_changed_into_one_other_at_most(put: Callable[..., Version], compare: Callable[..., Diff]) -> None:
    put(*(PromptCompletion(prompt="same", completion=f"old {n}") for n in range(3)))
    put(*(PromptCompletion(prompt="same", completion=f"new {n}") for n in range(5)))
    assert counts(compare(1, 2)) == (2, 0, 3, 0)
    assert counts(compare(2, 1)) == (0, 2, 3, 0)


def test_blank_subjects_and_missing_parents_are_nothing_in_common(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    put(Document(text=" \n", title="a"))
    put(Document(text="  ", title="b"))
    assert counts(compare(1, 2)) == (1, 1, 0, 0)


def test_a_dialogue_is_about_what_the_user_says_first(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    for answer in ("Hello", "Hello!"):
        put(Dialogue(messages=(Message(role="user", content="Hi"), Message(role="assistant", content=answer))))
    found = compare(1, 2)
    assert counts(found) == (0, 0, 1, 0)
    (column,) = found.columns
    assert column.after
    assert (column.after.unit, column.after.middle) == ("turns", 2.0)


def test_a_version_is_no_different_from_itself(put: Callable[..., Version], compare: Callable[..., Diff]) -> None:
    put(Document(text="a"), Document(text="b"))
    found = compare(1, 1)
    assert counts(found) == (0, 0, 0, 2)
    assert not any(cause.changed for cause in found.causes)
    assert found.between == []


def test_columns_are_told_by_their_lengths_blanks_and_classes(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    put(*(Labelled(text="x" * n, label=("good", "bad")[n % 2]) for n in range(1, 101)))
    put(
        *(Labelled(text="x" * n, label="good") for n in range(101, 141)),
        *(Labelled(text="y" * n, label="odd", dataset="d") for n in range(1, 11)),
    )
    columns = {column.name: column for column in compare(1, 2).columns}
    text, label, dataset = columns["text"], columns["label"], columns["dataset"]
    assert text.before
    assert text.after
    assert (text.before.low, text.before.middle, text.before.most) == (pytest.approx(5.95), 50.5, 100)
    assert (text.after.middle, text.after.most, text.before.distinct) == (115.5, 140, 1.0)
    assert dict(text.counts) == {}
    assert dict(label.counts) == {"good": (50, 40), "bad": (50, 0), "odd": (0, 10)}
    assert dataset.before
    assert dataset.after
    assert (dataset.before.blank, dataset.after.blank) == (1.0, 0.8)


def test_two_tables_are_compared_in_the_columns_they_share(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    put(Prompt(prompt="a"), Prompt(prompt="b"), into="sft.one")
    put(PromptCompletion(prompt="b", completion="c"), into="sft.two")
    found = compare("sft.one", "sft.two")
    assert (counts(found), found.rows.alike) == ((0, 1, 1, 0), 1)
    assert [(column.name, column.before is None) for column in found.columns] == [
        ("prompt", False),
        ("completion", True),
    ]
    put(Triple(subject="a", relation="b", object="c"), into="sft.three")
    with pytest.raises(Refusal, match=r"sft\.one@1 and sft\.three@1: have no column in common \(prompt; subject, "):
        compare("sft.one", "sft.three")


def test_figures_are_side_by_side_and_say_which_gates_flip(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    def metric(name: str, value: float, **gate: float) -> dict[str, Any]:
        return {"axis": "diversity", "metric": name, "value": value, "n": 1, "method": "m/1", **gate}

    row = Document(text="a")
    put(row, metrics=[metric("share", 0.9, low=0.5), metric("only_before", 1.0), metric("steady", 1.0, low=0.0)])
    put(row, metrics=[metric("share", 0.2, low=0.5), metric("only_after", 2.0), metric("steady", 1.0, low=0.0)])
    figures = {figure.metric: figure for figure in compare(1, 2).figures}
    assert figures["share"].change == pytest.approx(-0.7)
    assert [figures[name].flips for name in ("share", "steady", "only_after")] == ["is broken now", "", ""]
    assert figures["only_before"].after is None
    assert compare(2, 1).figures[0].flips == "holds now"


def test_what_was_made_otherwise_is_told_key_by_key(put: Callable[..., Version], compare: Callable[..., Diff]) -> None:
    common: dict[str, Any] = {"code_revision": "abc", "rows_in": 7}
    put(
        Document(text="a"),
        settings='{"rounds": 4, "seed": 0, "style": "plain"}',
        models=["generator=small"],
        inputs=["raw.seeds@1"],
        **common,
    )
    put(
        Document(text="b"),
        settings='{"rounds": 2, "seed": 7, "style": "plain"}',
        models=["generator=large", "judge=j"],
        inputs=["raw.seeds@2"],
        replace=False,
        **common,
    )
    found = compare(1, 2)
    assert {cause.what: (cause.before, cause.after) for cause in found.causes if cause.changed} == {
        "mode": ("replace", "append"),
        "model generator": ("small", "large"),
        "model judge": (None, "j"),
        "input raw.seeds": ("@1", "@2"),
        "setting rounds": ("4", "2"),
        "seed": ("0", "7"),
    }
    same = {cause.what for cause in found.causes if not cause.changed}
    assert same == {"method", "code revision", "rows read", "setting style"}


def test_what_stood_between_two_versions_is_told(put: Callable[..., Version], compare: Callable[..., Diff]) -> None:
    for text in "abcd":
        put(Document(text=text), replace=False)
    assert [each.ref.version for each in compare(1, 3).between] == [2, 3]


def test_the_code_of_the_method_is_that_of_its_day(
    lake: Lake, table: str, put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    for code in ("a" * 32, "b" * 32):
        with lake.write("catalog.methods: brought up to date") as connection:
            connection.execute("DELETE FROM lake.catalog.methods")
            connection.execute(
                "INSERT INTO lake.catalog.methods BY NAME SELECT ? AS method, ? AS table_name, ? AS code",
                [table.partition(".")[2], table, code],
            )
        put(Document(text=code))
    (code,) = [cause for cause in compare(1, 2).causes if cause.what == "code of the method"]
    assert (code.before, code.after) == ("a" * 12, "b" * 12)


def test_the_version_before_is_the_last_that_can_be_read(lake: Lake, put: Callable[..., Version]) -> None:
    first, second = put(Document(text="a")), put(Document(text="b"))
    assert before(lake, second).ref == first.ref
    with pytest.raises(Refusal, match="@1: there is no version before it that can be read"):
        before(lake, first)


def test_odd_names_of_columns_and_odd_texts_are_only_that(
    put: Callable[..., Version], compare: Callable[..., Diff]
) -> None:
    put(Document(text="'; DROP TABLE sft.demo; --", title='"'))
    put(Document(text="'; DROP TABLE sft.demo; --", title="'"))
    assert counts(compare(1, 2)) == (0, 0, 1, 0)
