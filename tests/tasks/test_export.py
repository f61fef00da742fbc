"""Exports: what each format's lines are, which rows go where, and what the manifest says of it."""

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from catalog.exports import find_format, load_formats
from catalog.lineage import edges_of
from catalog.publish import Findings, Run, publish
from catalog.records import (
    Dialogue,
    Document,
    Message,
    Preference,
    Problem,
    Prompt,
    PromptCompletion,
    Record,
    Triple,
)
from catalog.spool import Spool
from catalog.store import Lake, Version
from infra.errors import Failure, Refusal
from infra.settings import load_settings
from tasks.export import MANIFEST, Wish, export
from tasks.ingest import ingest_file

PAIR = PromptCompletion(prompt="What is rain?", completion="Water that falls.")
CHOICE = Preference(prompt="Say hello.", chosen="Hello!", rejected="No.")
TALK = Dialogue(
    messages=tuple(
        Message(role=role, content=text)
        for role, text in (
            ("system", "Be short."),
            ("user", "Hi"),
            ("assistant", "Hello"),
            ("user", "Bye"),
            ("assistant", "Ciao"),
        )
    )
)
TEXT = Document(text="Rivers flow to the sea.")
USER = {"role": "user", "content": "What is rain?"}
SAYS = {"role": "assistant", "content": "Water that falls."}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path / "home"))


@pytest.fixture
def put(lake: Lake, tmp_path: Path) -> Callable[..., Version]:
    def publish_rows(*rows: Record, table: str = "sft.demo", held: Mapping[str, str] | None = None) -> Version:
        stage, _, name = table.partition(".")
        run = Run(run_id=f"run-{rows[0].record_id[:8]}", stage=stage, method=name, table_name=table, fingerprint="f")
        with Spool(tmp_path / "spool" / run.run_id, type(rows[0])) as spool:
            edges, parents = edges_of(rows, {**(held or {}), **{row.record_id: table for row in rows}})
            spool.add_rows(rows, parents)
            spool.add_edges(edges)
            return publish(lake, run, spool, Findings(), shape=type(rows[0]))

    return publish_rows


def lines(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text("utf-8").splitlines()]


def wish(name: str, folder: Path, **more: Any) -> Wish:
    return Wish(format=find_format(name), folder=folder, **more)


@pytest.mark.parametrize(
    ("name", "row", "line"),
    [
        ("trl", TEXT, {"text": TEXT.text}),
        ("trl", PAIR, {"prompt": [USER], "completion": [SAYS]}),
        ("trl", Problem(prompt="1+1?", answer="2"), {
            "prompt": [{"role": "user", "content": "1+1?"}], "completion": [{"role": "assistant", "content": "2"}]}),
        ("trl", TALK, {"messages": list(TALK.messages)}),
        ("trl", CHOICE, {
            "prompt": [{"role": "user", "content": "Say hello."}],
            "chosen": [{"role": "assistant", "content": "Hello!"}],
            "rejected": [{"role": "assistant", "content": "No."}]}),
        ("sharegpt", PAIR, {"conversations": [
            {"from": "human", "value": "What is rain?"}, {"from": "gpt", "value": "Water that falls."}]}),
        ("sharegpt", CHOICE, {
            "conversations": [{"from": "human", "value": "Say hello."}],
            "chosen": {"from": "gpt", "value": "Hello!"}, "rejected": {"from": "gpt", "value": "No."}}),
        ("alpaca", PAIR, {"instruction": "What is rain?", "input": "", "output": "Water that falls."}),
        ("alpaca", TALK, {
            "instruction": "Bye", "input": "", "output": "Ciao", "system": "Be short.", "history": [["Hi", "Hello"]]}),
        ("alpaca", CHOICE, {"instruction": "Say hello.", "input": "", "chosen": "Hello!", "rejected": "No."}),
        ("llama-factory", TEXT, {"text": TEXT.text}),
        ("axolotl", CHOICE, {
            "messages": [{"role": "user", "content": "Say hello."}],
            "chosen": {"role": "assistant", "content": "Hello!"},
            "rejected": {"role": "assistant", "content": "No."}}),
        ("axolotl", TALK, {"messages": list(TALK.messages)}),
    ],
)  # fmt: skip
def test_a_row_is_written_as_the_trainer_reads_it(
    lake: Lake, put: Callable[..., Version], tmp_path: Path, name: str, row: Record, line: dict[str, Any]
) -> None:
    export(lake, put(row), wish(name, tmp_path / "out"))
    assert lines(tmp_path / "out") == [line]


def test_preferences_come_one_answer_at_a_time_for_kto(lake: Lake, put: Callable[..., Version], tmp_path: Path) -> None:
    version = put(CHOICE)
    export(lake, version, wish("trl", tmp_path / "trl", unpaired=True))
    asked = [{"role": "user", "content": "Say hello."}]
    assert lines(tmp_path / "trl") == [
        {"prompt": asked, "completion": [{"role": "assistant", "content": "Hello!"}], "label": True},
        {"prompt": asked, "completion": [{"role": "assistant", "content": "No."}], "label": False},
    ]
    export(lake, version, wish("llama-factory", tmp_path / "lf", unpaired=True))
    assert json.loads((tmp_path / "lf/dataset_info.json").read_text())["demo"]["columns"]["kto_tag"] == "label"


def test_openai_takes_ten_rows_at_least_and_each_ends_with_the_assistant(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    few = put(*(PromptCompletion(prompt=f"Count to {n}.", completion=f"{n}") for n in range(9)))
    with pytest.raises(Failure, match="would have 9 rows, openai-ft wants 10 at least"):
        export(lake, few, wish("openai-ft", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    enough = put(*(PromptCompletion(prompt=f"Count to {n}.", completion=f"{n}") for n in range(9, 12)))
    export(lake, enough, wish("openai-ft", tmp_path / "out"))
    assert len(lines(tmp_path / "out")) == 12
    assert all([turn["role"] for turn in line["messages"]] == ["user", "assistant"] for line in lines(tmp_path / "out"))


def test_rows_that_a_trainer_cannot_take_are_left_out_and_counted(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    turns = (Message(role="assistant", content="I begin."), Message(role="user", content="And I?"))
    version = put(
        TALK, Dialogue(messages=turns), Dialogue(messages=(*TALK.messages[:-1], Message(role="assistant", content=" ")))
    )
    made = export(lake, version, wish("trl", tmp_path / "out"))
    assert made.left_out == {
        "user and assistant do not take turns, or the assistant is not last": 1,
        "a turn is blank": 1,
    }
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["left_out"] == made.left_out


def test_the_manifest_ties_every_file_to_the_version(lake: Lake, put: Callable[..., Version], tmp_path: Path) -> None:
    version = put(*(Prompt(prompt=f"prompt {n}") for n in range(20)))
    export(lake, version, wish("parquet", tmp_path / "out", splits={"train": 0.75, "test": 0.25}))
    told = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (told["table"], told["version"], told["snapshot"]) == ("sft.demo", 1, version.snapshot)
    for file in told["files"]:
        data = (tmp_path / "out" / file["path"]).read_bytes()
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert file["rows"] == len(pl.read_parquet(data))
    assert [file["rows"] for file in told["files"]] == [15, 5]
    assert not (tmp_path / "out.partial").exists()


def test_an_old_version_is_exported_as_it_was_and_twice_the_same(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    first = put(Prompt(prompt="a"), Prompt(prompt="b"))
    put(Prompt(prompt="c"))
    for name in ("one", "two"):
        export(lake, lake.find(first.ref), wish("jsonl", tmp_path / name))
    assert (tmp_path / "one/train.jsonl").read_bytes() == (tmp_path / "two/train.jsonl").read_bytes()
    assert sorted(line["prompt"] for line in lines(tmp_path / "one")) == ["a", "b"]


def test_a_condition_chooses_and_nothing_outside_the_lake_is_in_reach(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    version = put(*(Prompt(prompt="x" * n) for n in range(1, 9)))
    made = export(lake, version, wish("jsonl", tmp_path / "out", where="length(prompt) > 5 -- the long ones"))
    assert sorted(len(line["prompt"]) for line in lines(tmp_path / "out")) == [6, 7, 8]
    assert made.left_out == {"the condition": 5}
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for condition in ("nothing = 1", f"exists (from '{secret}')", "true) ; DROP TABLE sft.demo; SELECT (1"):
        with pytest.raises(Refusal, match="sql: "):
            export(lake, version, wish("jsonl", tmp_path / "other", where=condition))


def _near(text: str, draw: random.Random) -> str:
    words = text.split()
    words[draw.randrange(len(words))] = "another"
    return " ".join(words)


def test_rows_that_are_alike_are_never_in_two_splits(lake: Lake, put: Callable[..., Version], tmp_path: Path) -> None:
    draw = random.Random(1)
    words = [f"word{n}" for n in range(2000)]
    texts = [" ".join(draw.sample(words, 40)) for _ in range(150)]
    group = {text: number for number, text in enumerate(texts)}
    for text in texts[:60]:
        group[_near(text, draw)] = group[text]
    version = put(*(Document(text=text) for text in group))
    shares = {"train": 0.7, "validation": 0.15, "test": 0.15}
    made = export(lake, version, wish("jsonl", tmp_path / "out", splits=shares))
    split_of: dict[int, set[str]] = {}
    for split in shares:
        for line in lines(tmp_path / "out", split):
            split_of.setdefault(group[line["text"]], set()).add(split)
    assert all(len(splits) == 1 for splits in split_of.values())
    assert [round(file.rows / 210, 1) for file in made.files] == [0.7, 0.1, 0.1] or sum(
        f.rows for f in made.files
    ) == 210
    assert all(abs(file.rows / 210 - shares[file.split]) < 0.03 for file in made.files)


def test_rows_of_one_prompt_or_one_seed_are_in_one_split(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    seeds = [Prompt(prompt=f"Seed {n}, {n * n}, {n**3}?") for n in range(30)]
    put(*seeds, table="raw.seeds")
    held = {seed.record_id: "raw.seeds" for seed in seeds}
    rows = [
        PromptCompletion(prompt=f"{way} {seed.prompt}", completion="Yes.", origin=(seed,))
        for seed in seeds
        for way in ("Tell me in a few words and very quickly, please:", "I have wondered for years about it,")
    ]
    version = put(*rows, held=held)
    export(lake, version, wish("jsonl", tmp_path / "out", splits={"train": 0.8, "test": 0.2}))
    train, test = ({line["parents"][0] for line in lines(tmp_path / "out", split)} for split in ("train", "test"))
    assert len(train) == 24
    assert len(test) == 6
    assert not train & test


def test_only_rows_whose_every_seed_is_under_a_licence_that_was_named(lake: Lake, tmp_path: Path, put: Any) -> None:
    (tmp_path / "open.jsonl").write_text('{"prompt": "open"}\n')
    (tmp_path / "closed.jsonl").write_text('{"prompt": "closed"}\n')
    settings = load_settings(home=tmp_path / "home")
    for name, licence in (("open", "CC0-1.0"), ("closed", "CC-BY-NC-4.0")):
        ingest_file(lake, str(tmp_path / f"{name}.jsonl"), f"raw.{name}", Prompt, {}, settings, licence=licence)
    seeds = {}
    for name in ("open", "closed"):
        version = lake.find(lake.latest(f"raw.{name}").ref)  # type: ignore[union-attr]
        (seeds[name],) = lake.rows(version, Prompt, lake.ids(version))
    step = Prompt(prompt="between", origin=(seeds["closed"],))  # an intermediate row, stored nowhere
    rows = [
        PromptCompletion(prompt="of open", completion="1", origin=(seeds["open"],)),
        PromptCompletion(prompt="of closed", completion="2", origin=(step,)),
        PromptCompletion(prompt="of both", completion="3", origin=(seeds["open"], seeds["closed"])),
    ]
    held = {seed.record_id: f"raw.{name}" for name, seed in seeds.items()}
    version = put(*rows, held=held)
    made = export(lake, version, wish("jsonl", tmp_path / "out", licences=frozenset({"CC0-1.0"})))
    assert [line["prompt"] for line in lines(tmp_path / "out")] == ["of open"]
    assert made.left_out == {"licence CC-BY-NC-4.0": 2}


@pytest.mark.parametrize(("name", "file"), [("jsonl", "train.jsonl"), ("parquet", "train.parquet")])
def test_what_is_exported_comes_back_as_the_same_records(
    lake: Lake, tmp_path: Path, put: Callable[..., Version], name: str, file: str
) -> None:
    before = put(
        PromptCompletion(prompt='Zürich?\n\n"quoted", and, commas', completion="Ja\t☂ 😀"),
        PromptCompletion(prompt="<script>alert(1)</script>", completion='{"a": [1]}'),
        table="raw.before",
    )
    export(lake, before, wish(name, tmp_path / "out"))
    settings = load_settings(home=tmp_path / "home")
    ingest_file(lake, str(tmp_path / "out" / file), "raw.after", PromptCompletion, {}, settings)
    after = lake.latest("raw.after")
    assert after
    assert sorted(lake.ids(before)) == sorted(lake.ids(after))


def test_a_folder_of_hugging_face_is_loaded_by_datasets(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    from datasets import load_dataset

    version = put(*(Prompt(prompt=f"prompt {n}") for n in range(10)))
    export(lake, version, wish("hf", tmp_path / "out", splits={"train": 0.8, "test": 0.2}))
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 8, "test": 2}
    assert sorted(row["prompt"] for rows in loaded.values() for row in rows) == [f"prompt {n}" for n in range(10)]


@pytest.mark.parametrize(
    ("name", "row", "fields"),
    [
        ("hf", PAIR, {"prompt"}),
        ("trl", CHOICE, {"prompt", "chosen", "rejected"}),
        ("axolotl", CHOICE, {"messages", "chosen", "rejected"}),
        ("jsonl", TEXT, {"text"}),
    ],
)
def test_croissant_is_valid(
    lake: Lake, put: Callable[..., Version], tmp_path: Path, name: str, row: Record, fields: set[str]
) -> None:
    import mlcroissant

    export(lake, put(row), wish(name, tmp_path / "out"))
    dataset = mlcroissant.Dataset(str(tmp_path / "out/croissant.json"))
    assert not dataset.metadata.issues.errors
    assert [records.id for records in dataset.metadata.record_sets] == ["train"]
    assert {field.name.partition("/")[2] for field in dataset.metadata.record_sets[0].fields} >= fields


def test_axolotl_reads_the_first_split_and_tests_on_the_others(
    lake: Lake, put: Callable[..., Version], tmp_path: Path
) -> None:
    version = put(*(Preference(prompt=f"prompt {n}", chosen="yes", rejected="no") for n in range(10)))
    export(lake, version, wish("axolotl", tmp_path / "out", splits={"train": 0.6, "dev": 0.2, "test": 0.2}))
    told = yaml.safe_load((tmp_path / "out/axolotl.yaml").read_text())
    assert told["rl"] == "dpo"
    assert [each["path"] for each in told["datasets"]] == ["train.jsonl"]
    assert [each["path"] for each in told["test_datasets"]] == ["dev.jsonl", "test.jsonl"]


@pytest.mark.parametrize(
    ("row", "name", "more", "message"),
    [
        (TEXT, "openai-ft", {}, "holds texts, openai-ft wants conversations or preferences"),
        (Triple(subject="a", relation="b", object="c"), "trl", {}, "rows with the columns record_id, subject"),
        (PAIR, "trl", {"unpaired": True}, "--unpaired wants a table of preferences"),
        (CHOICE, "sharegpt", {"unpaired": True}, "--unpaired wants a table of preferences"),
        (PAIR, "trl", {"splits": {"train": 0.0}}, "the splits have no share"),
    ],
)
def test_what_cannot_be_is_refused(
    lake: Lake, put: Callable[..., Version], tmp_path: Path, row: Record, name: str, more: Any, message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        export(lake, put(row), wish(name, tmp_path / "out", **more))


def test_only_an_earlier_export_is_overwritten(lake: Lake, put: Callable[..., Version], tmp_path: Path) -> None:
    version, out = put(PAIR), tmp_path / "out"
    export(lake, version, wish("jsonl", out))
    with pytest.raises(Refusal, match="is not empty"):
        export(lake, version, wish("jsonl", out))
    export(lake, version, wish("trl", out, overwrite=True))
    (out / MANIFEST).unlink()
    with pytest.raises(Refusal, match="holds no export"):
        export(lake, version, wish("trl", out, overwrite=True))
    assert (out / "train.jsonl").exists()


def test_an_unknown_format_names_the_near_ones() -> None:
    with pytest.raises(Refusal, match="did you mean: sharegpt"):
        find_format("sharegtp")


def test_every_format_says_what_it_is() -> None:
    assert {"trl", "sharegpt", "alpaca", "openai-ft", "llama-factory", "axolotl", "jsonl", "parquet", "hf"} == set(
        load_formats()
    )
    assert all(found.summary for found in load_formats().values())
