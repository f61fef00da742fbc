"""Attacks through folders of other tools: what they say they hold lies elsewhere, or is not what it seems."""

import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.bridges import open_source
from catalog.imports import reading, shape_in
from infra.errors import Refusal

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-that-lies-outside"
PLENTY = 1500
"""MiB that no import needs; see test_import_probes."""


def write_stream(file: Path, table: pa.Table, **options: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema, **options) as writer:
        writer.write_table(table)
    return file


def read(where: object, **given: str) -> str:
    """All that an import takes of it, or the one line that it is refused with."""
    try:
        source = open_source(str(where), **given)
        rows = [row for batch in reading(source, shape_in(source, {}), {}).batches() for row in batch]
    except Refusal as error:
        return str(error)
    return str(rows)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder beside files that are none of its."""
    (tmp_path / "outside.jsonl").write_text(json.dumps({"prompt": SECRET}) + "\n")
    write_stream(tmp_path / "outside.arrow", pa.table({"prompt": [SECRET]}))
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


OUTSIDE = ["../outside.{}", "{}/outside.{}", "./x/../../outside.{}", "/proc/self/environ", "/dev/zero", "a\0b", "", "."]


def saved(folder: Path, name: str) -> None:
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))


def saved_splits(folder: Path, name: str) -> None:
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": [str(Path(name).parent)]}))
    (folder / "state.json").write_text("{}")


def card(folder: Path, name: str) -> None:
    files = json.dumps([{"split": "train", "path": name}])
    (folder / "README.md").write_text(f"---\nconfigs: [{{config_name: default, data_files: {files}}}]\n---\n")


def manifest(folder: Path, name: str) -> None:
    (folder / "everspring.json").write_text(json.dumps({"files": [{"path": name, "split": "train"}], "columns": []}))


def llama_factory(folder: Path, name: str) -> None:
    (folder / "dataset_info.json").write_text(json.dumps({"mine": {"file_name": name}}))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("tell", [saved, saved_splits, card, manifest, llama_factory])
def test_a_folder_cannot_name_what_lies_outside_it(inside: Path, tell: Callable[[Path, str], None], name: str) -> None:
    for suffix in ("jsonl", "arrow"):
        given = name.format(inside.parent, suffix) if name.startswith("{") else name.format(suffix)
        tell(inside, given)
        said = read(inside)
        assert SECRET not in said
        assert "Good(" not in said


@pytest.mark.parametrize("tell", [saved, card, manifest, llama_factory])
def test_a_link_that_a_folder_names_cannot_lead_out_of_it(inside: Path, tell: Callable[[Path, str], None]) -> None:
    (inside / "link.arrow").symlink_to("../outside.arrow")
    tell(inside, "link.arrow")
    assert "a file within the folder is wanted" in read(inside)
    os.mkfifo(inside / "pipe.jsonl")
    tell(inside, "pipe.jsonl")
    assert "is no file of rows there" in read(inside) or "names no files of rows" in read(inside)


def test_a_pickle_that_a_folder_names_is_not_loaded(inside: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return (os.mkdir, (str(tmp_path / "ran"),))

    for name in ("a.arrow", "a.pkl", "a.parquet"):
        (inside / name).write_bytes(pickle.dumps(Bomb()))
        saved(inside, name)
        assert "Good(" not in read(inside)
    assert not (tmp_path / "ran").exists()


def test_what_a_card_would_run_is_not_run(inside: Path, tmp_path: Path) -> None:
    (inside / "README.md").write_text(f"---\nconfigs: !!python/object/apply:os.mkdir ['{tmp_path}/ran']\n---\n")
    read(inside)
    (inside / "inside.py").write_text(f"import os\nos.mkdir('{tmp_path}/ran')\n")  # what `datasets` would have run once
    read(inside)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["dataset_dict.json", "state.json", "everspring.json", "dataset_info.json"])
@pytest.mark.parametrize(
    "text", ["[" * 200_000, "[]", "null", "{", '{"splits": {"a": 1}, "files": 3, "_data_files": {}, "columns": {}}']
)
def test_nonsense_about_a_folder_is_no_traceback(inside: Path, name: str, text: str) -> None:
    (inside / name).write_text(text)
    assert "Good(" not in read(inside)


@pytest.mark.parametrize(
    "configs",
    [
        *("*a29", "[*a29]", "[{config_name: *a29, data_files: *a29}]", "[{data_files: [{split: *a29, path: *a29}]}]"),
        "[{data_files: [{split: train, path: [*a29]}]}]",
    ],
)
def test_a_card_of_many_aliases_takes_no_memory(inside: Path, configs: str) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    (inside / "README.md").write_text(f"---\na0: &a0 [x]\n{levels}\nconfigs: {configs}\n---\n")
    said = read(inside)
    assert "a list of names is wanted" in said or "names no files" in said or "Document(" in said


# Arrow, whose library trusts what it is given


def nulls_in_a_list(file: Path) -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 1 << 30], "int32"), pa.nulls(1 << 30))
    write_stream(file, pa.table({"messages": lists, "prompt": ["x"]}))


def nulls(file: Path) -> None:
    write_stream(file, pa.table({"prompt": pa.nulls(1 << 28)}))


def one_text_a_million_times(file: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.nulls(1_000_000, "int32").fill_null(0), pa.array(["x" * 1_000_000]))
    write_stream(file, pa.table({"prompt": texts}))


def a_list_of_one_text_a_million_times(file: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.nulls(1_000_000, "int32").fill_null(0), pa.array(["x" * 1_000_000]))
    turns = pa.StructArray.from_arrays([texts, texts], ["role", "content"])
    write_stream(file, pa.table({"messages": pa.ListArray.from_arrays(pa.array([0, 1_000_000], "int32"), turns)}))


def packed(file: Path) -> None:
    table = pa.table({"prompt": ["x" * (300 << 20)]})
    write_stream(file, table, options=pa.ipc.IpcWriteOptions(compression="zstd"))


def packed_dictionary(file: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0], "int32"), pa.array(["x" * (300 << 20)]))
    write_stream(file, pa.table({"prompt": texts}), options=pa.ipc.IpcWriteOptions(compression="lz4"))


def runs_of_one_text(file: Path) -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([100_000_000], "int32"), pa.array(["x" * 10_000]))
    write_stream(file, pa.table({"prompt": runs}))


def views_of_one_text(file: Path) -> None:
    write_stream(file, pa.table({"prompt": pa.array(["x" * 1_000_000], pa.string_view())}))


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "nulls in a list": (nulls_in_a_list, "has more values than its bytes can hold"),
    "nulls": (nulls, "has more values than its bytes can hold"),
    "one text a million times": (one_text_a_million_times, "is dictionary<"),
    "a list of one text a million times": (a_list_of_one_text_a_million_times, "is dictionary<"),
    "compressed": (packed, "its buffers are compressed"),
    "compressed dictionary": (packed_dictionary, "its buffers are compressed"),
    "runs": (runs_of_one_text, "is run_end_encoded<"),
    "views": (views_of_one_text, "is string_view"),
}
CHILD = """
import pathlib, sys
from catalog.bridges import open_source
from catalog.imports import reading, shape_in
from infra.errors import Refusal
try:
    source = open_source(sys.argv[1])
    for batch in reading(source, shape_in(source, {}), {}).batches():
        pass
    print("taken")
except Refusal as error:
    print(error)
# Not `ru_maxrss`, which begins with that of the process that started this one.
print(int(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) >> 10)
"""

MANY = """
import sys
from catalog.bridges import open_source
from catalog.imports import reading, shape_in
from infra.errors import Refusal
for name in sys.argv[1:]:
    try:
        source = open_source(name)
        for batch in reading(source, shape_in(source, {}), {}).batches():
            pass
    except Refusal as error:
        assert "\\n" not in str(error)
    print("read")
"""


@pytest.mark.parametrize(("make", "told"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_in_arrow_is_refused_in_bounded_memory(tmp_path: Path, make: Callable[[Path], None], told: str) -> None:
    make(tmp_path / "a.arrow")
    command = [sys.executable, "-c", CHILD, str(tmp_path / "a.arrow")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr
    said, used = done.stdout.splitlines()
    assert told in said
    assert int(used) < PLENTY


def test_broken_arrow_is_refused_or_read_and_breaks_nothing(tmp_path: Path) -> None:
    """In a process of its own: what goes wrong here is a crash."""
    turns = [[{"role": "user", "content": f"text {n}"}] for n in range(50)]
    whole = write_stream(tmp_path / "whole.arrow", pa.table({"messages": turns, "n": range(50)})).read_bytes()
    draw = random.Random(5)
    for number in range(40):
        broken = bytearray(whole if number % 4 else whole[: draw.randrange(len(whole))])
        for _ in range(draw.choice((1, 3, 30))):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        (tmp_path / f"{number:02}.arrow").write_bytes(broken)
    names = [str(file) for file in sorted(tmp_path.glob("[0-9]*.arrow"))]
    done = subprocess.run([sys.executable, "-c", MANY, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["read"] * len(names)
