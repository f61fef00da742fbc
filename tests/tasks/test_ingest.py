"""Ingest: packages and files become raw tables, screened, with licence, origin and hash."""

import json
from pathlib import Path

import pytest

from catalog.records import BenchmarkItem, Document, Prompt, PromptCompletion, Record
from catalog.store import Lake
from infra.errors import Failure, Refusal
from infra.settings import Settings, load_settings
from tasks.ingest import ingest_benchmark, ingest_file, ingest_source
from tasks.outcome import Outcome

ITEM = "Alice has seven red apples and gives three of them to her youngest brother Bob before lunch on Sunday"


@pytest.fixture
def home(tmp_path: Path) -> tuple[Lake, Settings]:
    """A lake with one benchmark of one item."""
    settings = load_settings(home=tmp_path / "home")
    lake = Lake(settings)
    file = tmp_path / "bench.jsonl"
    file.write_text(f'{{"benchmark": "apples", "item": "apples/1", "text": "{ITEM}"}}\n')
    ingest_file(lake, str(file), "raw.benchmarks", BenchmarkItem, {}, settings, licence="CC0-1.0")
    return lake, settings


def put(home: tuple[Lake, Settings], tmp_path: Path, *lines: str, **options: bool) -> object:
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(line + "\n" for line in lines))
    return ingest_file(home[0], str(file), "raw.mine", Prompt, {}, home[1], **options)


@pytest.mark.parametrize(
    "planted",
    [
        ITEM,
        ITEM.upper(),
        ITEM.replace(" ", "   "),
        ITEM.replace(" ", r"\n"),
        f"Solve this. {ITEM}. Show your work.",
        ITEM.replace(" and ", ", and, "),
        ITEM.replace("apples", "ap ples"),
    ],
)
def test_a_planted_benchmark_item_never_enters_and_is_named(
    home: tuple[Lake, Settings], tmp_path: Path, planted: str
) -> None:
    put(home, tmp_path, '{"prompt": "What is rain?"}', f'{{"prompt": "{planted}"}}')
    assert home[0].query("SELECT prompt FROM raw.mine").rows() == [("What is rain?",)]
    ((screen, benchmark, item, overlap),) = (
        home[0]
        .query("SELECT screen, evidence->>'benchmark', evidence->>'item', evidence->>'overlap' FROM catalog.rejected")
        .rows()
    )
    assert (screen, benchmark, item) == ("contaminated", "apples", "apples/1")
    assert len(overlap) > 40


def test_every_row_says_where_it_was_and_under_which_licence(home: tuple[Lake, Settings], tmp_path: Path) -> None:
    put(home, tmp_path, '{"prompt": "What is rain?"}')
    assert home[0].query("SELECT source, licence FROM raw.mine").rows() == [("mine.jsonl:1", "unknown")]
    ((origin, rows),) = home[0].query("SELECT origin, rows FROM catalog.sources WHERE table_name = 'raw.mine'").rows()
    assert (origin, rows) == ("mine.jsonl", 1)


def test_the_same_file_again_is_nothing_to_do_and_a_longer_one_adds(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    first, second = '{"prompt": "What is rain?"}', '{"prompt": "What is snow?"}'
    put(home, tmp_path, first)
    again = put(home, tmp_path, first)
    assert again.status == "unchanged"  # type: ignore[attr-defined]
    more = put(home, tmp_path, first, second)
    assert (more.kept, more.rejected, more.version) == (1, {}, 2)  # type: ignore[attr-defined]


def test_what_cannot_be_a_row_is_recorded_with_its_place(home: tuple[Lake, Settings], tmp_path: Path) -> None:
    put(home, tmp_path, '{"prompt": "What is rain?"}', "no json", '{"prompt": null}', '{"prompt": "What is rain?"}')
    found = home[0].query("SELECT screen, evidence FROM catalog.rejected ORDER BY 1, 2").rows()
    assert [screen for screen, _ in found] == ["duplicate", "unreadable", "unreadable"]
    assert [evidence.split(": ")[0] for _, evidence in found[1:]] == ["mine.jsonl:2", "mine.jsonl:3"]


def test_a_file_of_which_nothing_can_be_used_fails_and_says_where_to_look(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    with pytest.raises(Failure, match=r"raw\.mine: none of 1 rows can be used.*catalog\.rejected"):
        put(home, tmp_path, '{"prompt": " "}')


def test_what_a_file_was_read_as_and_what_of_it_was_left_out_is_noted(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    turns = [{"from": "human", "value": "What is rain?"}, {"from": "gpt", "value": "Water that falls."}]
    rows = [{"conversations": turns, "id": 1}, {"conversations": turns[:1] + turns, "id": 2}]
    (tmp_path / "chat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def put_as(shape: type[Record], **more: str) -> Outcome:
        return ingest_file(home[0], str(tmp_path / "chat.jsonl"), "raw.chat", shape, {}, home[1], **more)

    first = put_as(PromptCompletion)
    assert (first.kept, first.rejected, first.note) == (
        1,
        {"unreadable": 1},
        "read as ShareGPT; columns left out: id",
    )
    assert home[0].query("SELECT prompt, completion FROM raw.chat").rows() == [("What is rain?", "Water that falls.")]
    ((reason,),) = home[0].query("SELECT reason FROM catalog.rejected").rows()
    assert "import it with --as Dialogue" in reason
    again = put_as(PromptCompletion, written_by="sharegpt")
    assert again.note == "raw.chat@1 holds the same data already; read as ShareGPT; columns left out: id"


def test_imports_go_to_raw_tables_only(home: tuple[Lake, Settings], tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"prompt": "What is rain?"}\n')
    with pytest.raises(Refusal, match=r"imports go to raw\.NAME"):
        ingest_file(home[0], str(tmp_path / "mine.jsonl"), "sft.mine", Prompt, {}, home[1])


def test_a_packages_data_is_imported_once_with_its_version(home: tuple[Lake, Settings]) -> None:
    lake, settings = home
    outcome = ingest_source(lake, "raw.documents", settings)
    assert outcome.kept > 100
    assert ingest_source(lake, "raw.documents", settings).status == "unchanged"
    ((source, licence, origin),) = lake.query(
        "SELECT source, licence, origin FROM catalog.sources WHERE table_name = 'raw.documents'"
    ).rows()
    assert (source, licence) == ("python_topics", "PSF-2.0")
    assert origin.startswith("python 3.")
    version = lake.latest("raw.documents")
    assert version
    assert lake.rows(version, Document, lake.ids(version, rows=1))[0].text


def test_a_file_imported_beside_a_packages_data_does_not_bring_that_in_again(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    lake, settings = home
    ingest_source(lake, "raw.documents", settings)
    (tmp_path / "mine.jsonl").write_text('{"text": "Rain is water that falls from clouds."}\n')
    ingest_file(lake, str(tmp_path / "mine.jsonl"), "raw.documents", Document, {}, settings)
    assert ingest_source(lake, "raw.documents", settings).status == "unchanged"
    assert len(lake.versions("raw.documents")) == 2


@pytest.fixture
def sealed(tmp_path: Path) -> tuple[Lake, Settings]:
    """A lake with one benchmark, hashed, of one item and one that is too short."""
    settings = load_settings(home=tmp_path / "home", benchmark_secret="a secret")
    lake = Lake(settings)
    file = tmp_path / "private.csv"
    file.write_text(f"question\n{ITEM}\nWhat? Quokkas!\n")
    outcome = ingest_benchmark(lake, str(file), "mine", {"text": "question"}, settings, sealed=True)
    assert (outcome.kept, outcome.rejected) == (1, {"unreadable": 1})
    file.unlink()
    return lake, settings


def test_a_hashed_benchmark_is_kept_out_and_is_nowhere_in_clear(sealed: tuple[Lake, Settings], tmp_path: Path) -> None:
    kept = b"".join(file.read_bytes() for file in sealed[1].home.rglob("*") if file.is_file())
    assert b"youngest" not in kept
    assert b"Quokkas" not in kept
    put(sealed, tmp_path, f'{{"prompt": "Solve: {ITEM.lower()}!"}}', '{"prompt": "What is rain?"}')
    assert sealed[0].query("SELECT prompt FROM raw.mine").rows() == [("What is rain?",)]
    found = sealed[0].query("SELECT benchmark, item, layer, verdict FROM catalog.hits").rows()
    assert found == [("mine", "mine/1", "13-gram", "contaminated")]


def test_a_hashed_benchmark_wants_its_secret(sealed: tuple[Lake, Settings], tmp_path: Path) -> None:
    other = load_settings(home=sealed[1].home, benchmark_secret="another")
    with pytest.raises(Refusal, match="was hashed with another secret"):
        put((Lake(other), other), tmp_path, '{"prompt": "What is rain?"}')
    none = load_settings(home=tmp_path / "none")
    with pytest.raises(Refusal, match="there is no secret to hash it with"):
        ingest_benchmark(Lake(none), str(tmp_path / "mine.jsonl"), "mine", {"text": "prompt"}, none, sealed=True)


def test_a_benchmark_item_in_other_words_is_kept_out_of_the_first_rows(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    item = "Write a function that returns how many vowels a given string has, counting y only at the end of the word."
    other = "Count the vowels of a given string in a function; the letter y counts only when it ends the word."
    file = tmp_path / "bench.jsonl"
    file.write_text(f'{{"text": "{item}"}}\n')
    ingest_benchmark(home[0], str(file), "vowels", {}, home[1])
    off = load_settings(home=home[1].home, screen_options={"contaminated": {"by_meaning": 0}})
    put((home[0], off), tmp_path, f'{{"prompt": "{other}"}}')
    assert home[0].query("SELECT count(*) FROM raw.mine").rows() == [(1,)]
    put(home, tmp_path, f'{{"prompt": "{other}!"}}', '{"prompt": "What is rain?"}')
    assert home[0].query("SELECT prompt FROM raw.mine ORDER BY 1").rows() == [(other,), ("What is rain?",)]
    assert home[0].query("SELECT item, layer FROM catalog.hits").rows() == [("vowels/1", "semantic")]


def test_rows_that_say_the_same_are_dropped_where_that_is_asked_for(
    home: tuple[Lake, Settings], tmp_path: Path
) -> None:
    said = "The committee approved the new budget at its meeting on Tuesday."
    again = "At its meeting on Tuesday the new budget was approved by the committee."
    asked = home[0], load_settings(home=home[1].home, screens={"same_meaning": "drop"})
    put(asked, tmp_path, f'{{"prompt": "{said}"}}')
    put(asked, tmp_path, f'{{"prompt": "{said}"}}', f'{{"prompt": "{again}"}}', '{"prompt": "What is rain?"}')
    assert home[0].query("SELECT prompt FROM raw.mine ORDER BY 1").rows() == [(said,), ("What is rain?",)]
    ((reason, kind, similarity),) = (
        home[0]
        .query("SELECT reason, kind, similarity FROM catalog.rejected JOIN catalog.duplicates USING (record_id)")
        .rows()
    )
    assert reason.startswith("says the same as another row (9")
    assert (kind, similarity > 0.9) == ("semantic", True)
