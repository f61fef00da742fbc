"""The lake: versions, time travel, many writers, references."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalog.publish import Findings, Run, publish, quarantine
from catalog.records import Document, Message, Prompt, PromptCompletion, Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from infra.errors import Failure, Refusal
from infra.settings import load_settings


@dataclass(frozen=True, kw_only=True)
class Conversation(Record):
    """A shape with nested columns."""

    messages: tuple[Message, ...]
    tags: tuple[str, ...]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path))


def put(lake: Lake, tmp_path: Path, *rows: Record, table: str = "sft.demo", replace: bool = False) -> Version:
    stage, _, name = table.partition(".")
    run = Run(run_id=f"run-{rows[0].record_id[:8]}", stage=stage, method=name, table_name=table, fingerprint="f")
    with Spool(tmp_path / "spool" / run.run_id, type(rows[0])) as spool:
        spool.add_rows(rows, {})
        return publish(lake, run, spool, Findings(), shape=type(rows[0]), replace=replace)


def prompts(lake: Lake, reference: str) -> list[str]:
    version = lake.find(TableRef.parse(reference))
    return sorted(row.prompt for row in lake.rows(version, Prompt, lake.ids(version)))


def test_a_new_lake_has_no_versions(lake: Lake) -> None:
    assert lake.versions() == []


def test_versions_count_from_one_and_rows_accumulate(lake: Lake, tmp_path: Path) -> None:
    first = put(lake, tmp_path, Prompt(prompt="a"))
    second = put(lake, tmp_path, Prompt(prompt="b"))
    assert (first.ref.version, first.rows, second.ref.version, second.rows, second.added) == (1, 1, 2, 2, 1)


def test_an_earlier_version_reads_as_it_was(lake: Lake, tmp_path: Path) -> None:
    put(lake, tmp_path, Prompt(prompt="a"))
    put(lake, tmp_path, Prompt(prompt="b"))
    assert prompts(lake, "sft.demo@1") == ["a"]
    assert prompts(lake, "sft.demo") == ["a", "b"]


def test_replacing_starts_anew_and_keeps_the_past_readable(lake: Lake, tmp_path: Path) -> None:
    put(lake, tmp_path, Prompt(prompt="a"))
    put(lake, tmp_path, Prompt(prompt="b"), replace=True)
    assert prompts(lake, "sft.demo") == ["b"]
    assert prompts(lake, "sft.demo@1") == ["a"]


def test_a_shape_that_grows_a_column_still_fits_the_table(lake: Lake, tmp_path: Path) -> None:
    put(lake, tmp_path, Prompt(prompt="a"))
    put(lake, tmp_path, PromptCompletion(prompt="b", completion="c"))
    assert lake.query("FROM sft.demo ORDER BY prompt")["completion"].to_list() == [None, "c"]


def test_rows_keep_the_id_they_were_published_under_in_another_shape(lake: Lake, tmp_path: Path) -> None:
    row = PromptCompletion(prompt="a", completion="b")
    version = put(lake, tmp_path, row)
    assert lake.rows(version, Prompt, lake.ids(version))[0].record_id == row.record_id


def test_a_table_without_the_column_a_shape_needs_is_refused_by_name(lake: Lake, tmp_path: Path) -> None:
    version = put(lake, tmp_path, Prompt(prompt="a"))
    with pytest.raises(Refusal, match=r"sft.demo@1: has no column text, which Document needs"):
        lake.rows(version, Document, lake.ids(version))


def test_the_order_of_ids_depends_on_the_seed_alone_and_fewer_are_a_prefix(lake: Lake, tmp_path: Path) -> None:
    version = put(lake, tmp_path, *(Prompt(prompt=str(n)) for n in range(20)))
    assert lake.ids(version, rows=5, seed=1) == lake.ids(version, seed=1)[:5]
    assert lake.ids(version, seed=1) != lake.ids(version, seed=2)


def test_a_transaction_that_raises_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    put(lake, tmp_path, Prompt(prompt="a"))

    def half() -> None:
        with lake.write("half") as connection:
            connection.execute("INSERT INTO lake.sft.demo (record_id, prompt) VALUES ('x', 'half')")
            raise ValueError("died")

    with pytest.raises(ValueError, match="died"):
        half()
    assert prompts(lake, "sft.demo") == ["a"]


def test_quarantined_rows_are_kept_aside_under_their_run(lake: Lake, tmp_path: Path) -> None:
    run = Run(run_id="r1", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(tmp_path / "spool" / "r1", Prompt) as spool:
        spool.add_rows([Prompt(prompt="bad")], {})
        quarantine(lake, run, spool, Findings(), shape=Prompt)
    assert lake.query("SELECT prompt, run_id FROM quarantine.sft__demo").rows() == [("bad", "r1")]
    assert lake.latest("sft.demo") is None


@pytest.mark.parametrize("text", ["sft", "sft.", "sft.a@x", "sft.A", 'sft."a"', "sft.a b", "sft.a@1@2", "../x.y"])
def test_what_is_no_table_name_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        TableRef.parse(text)


def test_unknown_tables_and_versions_name_what_there_is(lake: Lake, tmp_path: Path) -> None:
    put(lake, tmp_path, Prompt(prompt="a"))
    with pytest.raises(Refusal, match=r"did you mean: sft\.demo"):
        lake.find(TableRef.parse("sft.dem"))
    with pytest.raises(Refusal, match=r"no such version; sft\.demo has 1"):
        lake.find(TableRef.parse("sft.demo@7"))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE x (a INTEGER)",
        "INSERT INTO sft.demo VALUES (1)",
        "COPY (SELECT 1) TO 'x.csv'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "SET memory_limit = '1GB'",
        "SELECT 1; DROP TABLE catalog.runs",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELEC 1",
        "",
    ],
)
def test_a_question_can_neither_change_nor_reach_anything_else(lake: Lake, statement: str) -> None:
    with pytest.raises(Refusal, match="sql: "):
        lake.query(statement)


def test_conversations_and_lists_survive_the_lake(lake: Lake, tmp_path: Path) -> None:
    version = put(lake, tmp_path, Conversation(messages=(Message(role="user", content="hi"),), tags=("a", "b")))
    (row,) = lake.rows(version, Conversation, lake.ids(version))
    assert (row.messages, row.tags) == (({"role": "user", "content": "hi"},), ("a", "b"))


def test_four_processes_publish_without_losing_or_doubling_a_version(lake: Lake, tmp_path: Path) -> None:
    lake.versions()
    writer = tmp_path / "writer.py"
    writer.write_text(WRITER)
    command = [sys.executable, writer, tmp_path]
    processes = [subprocess.Popen([*command, str(n)], cwd=Path(__file__).parents[2]) for n in range(4)]
    reads = 0
    while any(process.poll() is None for process in processes):
        lake.versions("sft.demo")
        reads += 1
    assert [process.returncode for process in processes] == [0] * 4
    assert [version.ref.version for version in lake.versions("sft.demo")] == list(range(1, 13))
    assert len(prompts(lake, "sft.demo")) == 12
    assert reads > 0


def test_a_lake_that_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "lake.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(Failure, match=r"lake: .* cannot be opened"):
        Lake(load_settings(home=tmp_path)).versions()


WRITER = """
import sys
from pathlib import Path
from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.settings import load_settings

home, number = Path(sys.argv[1]), sys.argv[2]
lake = Lake(load_settings(home=home))
for turn in range(3):
    run = Run(run_id=f"{number}-{turn}", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(home / "spool" / run.run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=run.run_id)], {})
        publish(lake, run, spool, Findings(), shape=Prompt)
"""
