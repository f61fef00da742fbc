"""Round trips: what is exported, imported again, has the content that it had, and so the record ids of an import.

Compared is `digest` of the content, and the record id of the row that was imported (without parents, as every import's)
with that of the original read from a file. A form for trainers has no place for some columns (a title, the topic of a
problem): what it holds of a row is what must come back, in the shape that says it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.bridges import open_source
from catalog.exports import find_format, kind_of, load_formats
from catalog.imports import Good, reading, shape_in
from catalog.lineage import edges_of
from catalog.publish import Findings, Run, publish
from catalog.records import (
    BenchmarkItem,
    Code,
    Dialogue,
    Document,
    Labelled,
    Message,
    Preference,
    Problem,
    Prompt,
    PromptCompletion,
    Record,
    Triple,
    columns,
    content,
    digest,
)
from catalog.spool import Spool
from catalog.store import Lake, Version
from infra.settings import load_settings
from tasks.export import Wish, export

ODD = (
    'Zürich?\n\n"quoted", and, commas',
    "<script>alert(1)</script>",
    '{"a": [1]}',
    "tab\tand ☂ 😀",
    "…\\n\u2028",
    "0",
)


def _talk(*said: str, system: str = "") -> Dialogue:
    turns = [Message(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(said)]
    return Dialogue(messages=(*((Message(role="system", content=system),) if system else ()), *turns))


ROWS: dict[type[Record], list[Record]] = {
    Document: [Document(text=text) for text in ODD],
    Code: [Code(code=text, name=f"f{n}", language="c") for n, text in enumerate(ODD)],
    Labelled: [Labelled(text=text, label="good") for text in ODD],
    Prompt: [Prompt(prompt=text) for text in ODD],
    PromptCompletion: [PromptCompletion(prompt=f"{n} {text}", completion=text) for n, text in enumerate(ODD * 2)],
    Problem: [Problem(prompt=f"{n} {text}", answer=str(n), topic="sums") for n, text in enumerate(ODD * 2)],
    Preference: [Preference(prompt=f"{n} {text}", chosen=text, rejected="No.") for n, text in enumerate(ODD * 2)],
    Dialogue: [
        *(_talk(f"{n} {text}", text, "And?", text, system="Be short.") for n, text in enumerate(ODD)),
        *(_talk(f"{n} {text}", text) for n, text in enumerate(ODD)),
    ],
    Triple: [Triple(subject=text, relation="is", object="odd") for text in ODD],
    BenchmarkItem: [BenchmarkItem(benchmark="b", item=str(n), text=text) for n, text in enumerate(ODD)],
}
TRAINED: dict[type[Record], Callable[[Any], Record]] = {
    Document: lambda row: Document(text=row.text),
    Code: lambda row: Document(text=row.code),
    Labelled: lambda row: Document(text=row.text),
    BenchmarkItem: lambda row: Document(text=row.text),
    Problem: lambda row: PromptCompletion(prompt=row.prompt, completion=row.answer),
}
"""What a form for trainers holds of a row, where that is not the row itself."""
CASES = [
    (name, shape)
    for name, found in load_formats().items()
    for shape in ROWS
    if not found.kinds or kind_of(list(columns(shape))) in found.kinds
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(load_settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def published(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[type[Record], Version]:
    """A table of each shape, each row made of a seed."""
    versions: dict[type[Record], Version] = {}
    for shape, rows in ROWS.items():
        name = f"of_{shape.__name__.lower()}"
        run = Run(run_id=name, stage="sft", method=name, table_name=f"sft.{name}", fingerprint=name)
        with Spool(tmp_path_factory.mktemp("spool") / name, shape) as spool:
            seeds = [Prompt(prompt=f"seed {n}") for n in range(len(rows))]
            made = [shape(**content(row), origin=(seed,)) for row, seed in zip(rows, seeds, strict=True)]
            edges, parents = edges_of(made, {seed.record_id: "raw.seeds" for seed in seeds})
            spool.add_rows(made, parents)
            spool.add_edges(edges)
            versions[shape] = publish(lake, run, spool, Findings(), shape=shape)
    return versions


def imported(where: Path, **given: str) -> list[Record]:
    source = open_source(str(where), **given)
    rows = [row for batch in reading(source, shape_in(source, {}), {}).batches() for row in batch]
    assert all(isinstance(row, Good) for row in rows), rows
    return [row.row for row in rows if isinstance(row, Good)]


def hashes(rows: list[Record]) -> list[tuple[str, str, str]]:
    return sorted((type(row).__name__, digest(content(row)), row.record_id) for row in rows)


@pytest.mark.parametrize(("name", "shape"), CASES, ids=[f"{name}-{shape.__name__}" for name, shape in CASES])
def test_what_is_exported_and_imported_again_has_the_same_record_hashes(
    lake: Lake,
    published: dict[type[Record], Version],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shape: type[Record],
) -> None:
    monkeypatch.setattr("tasks.export._describe", lambda *_: None)  # the card and its plots, a second each
    form = find_format(name)
    made = export(lake, published[shape], Wish(format=form, folder=tmp_path / "out"))
    assert not made.left_out
    held = [TRAINED[shape](row) if form.kinds and shape in TRAINED else row for row in ROWS[shape]]
    wanted = [type(row)(**content(row)) for row in held]
    assert hashes(imported(tmp_path / "out")) == hashes(wanted)


@pytest.mark.parametrize("name", ["jsonl", "hf", "trl"])
def test_splits_come_back_one_by_one_and_together(
    lake: Lake, published: dict[type[Record], Version], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("tasks.export._describe", lambda *_: None)
    shares = {"train": 0.7, "test": 0.3}
    wish = Wish(format=find_format(name), folder=tmp_path / "out", splits=shares)
    made = export(lake, published[PromptCompletion], wish)
    parts = [imported(tmp_path / "out", split=split) for split in shares]
    assert [len(part) for part in parts] == [file.rows for file in made.files]
    assert hashes([row for part in parts for row in part]) == hashes(ROWS[PromptCompletion])
    assert hashes(imported(tmp_path / "out", split="all")) == hashes(ROWS[PromptCompletion])


def test_hugging_face_s_folder_comes_back_without_our_manifest_too(
    lake: Lake, published: dict[type[Record], Version], tmp_path: Path
) -> None:
    export(lake, published[Dialogue], Wish(format=find_format("hf"), folder=tmp_path / "out"))
    (tmp_path / "out/everspring.json").unlink()
    assert hashes(imported(tmp_path / "out")) == hashes(ROWS[Dialogue])


def test_of_answers_one_at_a_time_the_wanted_ones_come_back_and_the_others_are_told(
    lake: Lake, published: dict[type[Record], Version], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.export._describe", lambda *_: None)
    for name in ("trl", "llama-factory"):
        wish = Wish(format=find_format(name), folder=tmp_path / name, unpaired=True)
        export(lake, published[Preference], wish)
        source = open_source(str(tmp_path / name))
        rows = [row for batch in reading(source, PromptCompletion, {}).batches() for row in batch]
        good = [row.row for row in rows if isinstance(row, Good)]
        pairs = [row for row in ROWS[Preference] if isinstance(row, Preference)]
        assert hashes(good) == hashes([PromptCompletion(prompt=row.prompt, completion=row.chosen) for row in pairs])
        assert len(rows) == 2 * len(pairs)
