"""Imports: every row of a user's file comes out, as a record or with the reason why it is none."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from postgres import PASSWORD, USER, postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.formats import open_table
from catalog.imports import Bad, Good, content_hash, find_shape, guess_shape, origin_of, read_rows, shapes
from catalog.records import (
    BenchmarkItem,
    Code,
    Dialogue,
    Document,
    Labelled,
    Preference,
    Problem,
    Prompt,
    PromptCompletion,
    Record,
    Triple,
)
from infra.errors import Refusal

Write = Callable[[str, str | bytes], Path]
Query = Callable[[str, str], Path]


def read(where: object, shape: type[Record] = Prompt, **columns: str) -> list[Good | Bad]:
    return [row for batch in read_rows(str(where), shape=shape, columns=columns) for row in batch]


def prompts(found: list[Good | Bad]) -> list[str]:
    return [row.row.prompt for row in found if isinstance(row, Good)]


def faults(found: list[Good | Bad]) -> list[tuple[str, str]]:
    return [(row.place, row.reason) for row in found if isinstance(row, Bad)]


def refusal(where: object, shape: type[Record] = Prompt, **columns: str) -> str:
    """The one line that the whole is refused with."""
    with pytest.raises(Refusal) as raised:
        read(where, shape, **columns)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2
    return str(raised.value)


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def parquet(tmp_path: Path) -> Query:
    """A Parquet file with the rows of a query."""

    def write(name: str, query: str) -> Path:
        path = tmp_path / name
        quoted = str(path).replace("'", "''")
        duckdb.sql(f"COPY ({query}) TO '{quoted}' (FORMAT parquet)")
        return path

    return write


# What is read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "prompt,n\nWhat is ink?,1\nWhy?,2\n"),
        ("q.csv", "\ufeffn;prompt\r\n1;What is ink?\r\n2;Why?\r\n"),
        ("q.tsv", "n\tprompt\n1\tWhat is ink?\n2\tWhy?"),
        ("q.jsonl", '{"prompt": "What is ink?"}\n\n{"prompt": "Why?", "n": 2}\n'),
        ("q.ndjson", '{"prompt": "What is ink?"}\n{"prompt": "Why?"}'),
        ("q.json", '[{"prompt": "What is ink?"}, {"prompt": "Why?"}]'),
        ("q.json", '{"prompt": "What is ink?"}\n{"prompt": "Why?"}\n'),
        ("q.json", '{\n  "prompt": "What is ink?"\n}\n{\n  "prompt": "Why?"\n}\n'),
    ],
)
def test_text_formats_are_read_plain_and_gzipped(file: Write, name: str, content: str) -> None:
    assert prompts(read(file(name, content))) == ["What is ink?", "Why?"]
    assert prompts(read(file(f"{name}.gz", gzip.compress(content.encode())))) == ["What is ink?", "Why?"]


def test_parquet_is_read_with_the_number_of_each_row(parquet: Query) -> None:
    path = parquet("q.parquet", "SELECT * FROM (VALUES ('What is ink?', 1), ('Why?', 2)) t(prompt, n)")
    assert read(path) == [
        Good(Prompt(prompt="What is ink?"), "q.parquet#1"),
        Good(Prompt(prompt="Why?"), "q.parquet#2"),
    ]


def test_a_row_that_runs_over_lines_is_placed_at_its_first(file: Write) -> None:
    path = file("q.csv", 'prompt,n\n"one\ntwo",1\nthree,2\n')
    assert [(row.row.prompt, row.place) for row in read(path)] == [("one\ntwo", "q.csv:2"), ("three", "q.csv:4")]


def test_a_folder_of_texts_is_a_document_a_file_titled_with_its_path(file: Write, tmp_path: Path) -> None:
    file("texts/b.md", "Second")
    file("texts/a/one.txt", "First\n")
    file("texts/.hidden/no.txt", "no")
    file("texts/photo.png", b"\x89PNG")
    found = read(tmp_path / "texts", Document)
    assert found == [
        Good(Document(text="First\n", title="a/one.txt"), "a/one.txt"),
        Good(Document(text="Second", title="b.md"), "b.md"),
    ]


def test_a_glob_takes_the_files_it_matches(file: Write, tmp_path: Path) -> None:
    file("texts/a.md", "A")
    file("texts/deep/b.md", "B")
    file("texts/c.txt", "C")
    found = read(tmp_path / "texts" / "**" / "*.md", Document)
    assert [(row.row.title, row.row.text) for row in found] == [("a.md", "A"), ("deep/b.md", "B")]


def test_files_of_one_kind_are_one_table(parquet: Query, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    parquet("shards/0.parquet", "SELECT 'one' AS prompt")
    parquet("shards/1.parquet", "SELECT 'two' AS prompt, 1 AS extra")
    found = read(tmp_path / "shards")
    assert [(row.row.prompt, row.place) for row in found] == [("one", "0.parquet#1"), ("two", "1.parquet#1")]


def test_a_table_of_a_duckdb_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute('CREATE SCHEMA "my.schema"')
        connection.execute('CREATE TABLE "my.schema"."a ""b""" AS SELECT \'hi\' AS "the prompt"')
        connection.execute("CREATE VIEW asked AS SELECT 'why' AS prompt")
    assert prompts(read(f"{path}::asked")) == ["why"]
    assert prompts(read(f"{path}::main.asked")) == ["why"]
    assert prompts(read(f'{path}::"my.schema"."a ""b"""', prompt="the prompt")) == ["hi"]


def test_names_that_look_like_patterns_or_sql_are_only_names(parquet: Query, file: Write, tmp_path: Path) -> None:
    parquet("other.parquet", "SELECT 'other' AS prompt")
    odd = parquet("it's [o]*.parquet", """SELECT 'mine' AS "a""b'c;--" """)
    assert prompts(read(odd, prompt="a\"b'c;--")) == ["mine"]
    assert prompts(read(file("[1]*.json.gz", gzip.compress(b'[{"prompt": "x"}]')))) == ["x"]
    (tmp_path / "year=2020").mkdir()
    assert "year" not in open_table(str(parquet("year=2020/q.parquet", "SELECT 'p' AS prompt"))).columns


def test_columns_are_mapped_to_fields_and_others_are_taken_by_name(file: Write) -> None:
    path = file("q.csv", "question,answer,solution\n2+2?,4,count\n1+1?,2,\n")
    assert [row.row for row in read(path, Problem, prompt="question")] == [
        Problem(prompt="2+2?", answer="4", solution="count"),
        Problem(prompt="1+1?", answer="2"),
    ]


def test_an_empty_optional_cell_takes_the_default(file: Write) -> None:
    assert [row.row.language for row in read(file("c.csv", "code,language\nx=1,\nint x;,c\n"), Code)] == ["python", "c"]
    assert read(file("c.jsonl", '{"code": "x=1", "language": null}'), Code)[0].row == Code(code="x=1")


def test_numbers_dates_and_truth_values_are_text_where_the_whole_column_is(parquet: Query, file: Write) -> None:
    path = parquet(
        "q.parquet", "SELECT 7 AS i, 0.5 AS f, 1.50::DECIMAL(9,2) AS d, true AS b, DATE '2020-02-01' AS day, NULL AS n"
    )
    for column, text in {"i": "7", "f": "0.5", "d": "1.50", "b": "true", "day": "2020-02-01"}.items():
        assert prompts(read(path, prompt=column)) == [text]
    assert prompts(read(file("q.jsonl", '{"prompt": 1}\n{"prompt": 2.5}'))) == ["1", "2.5"]
    assert prompts(read(file("q.jsonl", '{"prompt": false}'))) == ["false"]


def test_a_number_is_no_text_where_any_row_of_the_column_has_one(file: Write) -> None:
    rows = ['{"prompt": 1}'] * 1500 + ['{"prompt": "text"}']
    found = read(file("q.jsonl", "\n".join(rows)))
    assert prompts(found) == ["text"]
    assert faults(found)[0] == ("q.jsonl:1", "prompt is int, text is wanted")
    assert len(found) == 1501


def test_messages_give_the_first_turns_of_user_and_assistant(file: Write, parquet: Query) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    lines = [json.dumps({"messages": turns}), json.dumps({"messages": turns[:2]}), json.dumps({"messages": "Hi"})]
    path = file("chat.jsonl", "\n".join(lines))
    found = read(path, PromptCompletion)
    assert found[0].row == PromptCompletion(prompt="Hi", completion="Hello")
    assert faults(found) == [
        ("chat.jsonl:2", "messages has no message of the assistant"),
        ("chat.jsonl:3", "messages is str, a list of messages is wanted"),
    ]
    query = "SELECT [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'}] AS talk"
    columns = {"prompt": "talk", "completion": "talk"}
    assert read(parquet("chat.parquet", query), PromptCompletion, **columns)[0].row == found[0].row


def test_batches_hold_no_more_rows_than_asked_for(file: Write) -> None:
    path = file("q.csv", "prompt\n" + "".join(f"p{n}\n" for n in range(25)))
    batches = list(read_rows(str(path), shape=Prompt, columns={}, batch=10))
    assert [len(batch) for batch in batches] == [10, 10, 5]


def test_batches_end_early_where_rows_are_long(file: Write) -> None:
    path = file("q.csv", "prompt\n" + f"{'x' * 1_000_000}\n" * 80)
    assert [len(batch) for batch in read_rows(str(path), shape=Prompt, columns={})] == [34, 34, 12]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Each in a process of its own, for the peak is that of a process."""
    program = (
        "import re, sys; from catalog.imports import read_rows; from catalog.records import Prompt\n"
        "n = sum(len(batch) for batch in read_rows(sys.argv[1], shape=Prompt, columns={}))\n"
        "print(n, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    options = {
        "parquet": "FORMAT parquet, ROW_GROUP_SIZE 10000",
        "csv": "FORMAT csv",
        "json": "FORMAT json, ARRAY true",
    }
    for kind, option in options.items():
        peaks: list[int] = []
        for rows in (100_000, 200_000):  # from some size on; below it buffers are still filling
            path = tmp_path / f"q.{kind}"
            with duckdb.connect() as connection:
                connection.execute("SET enable_progress_bar = false")
                query = f"SELECT repeat(md5(i::VARCHAR), 60) AS prompt FROM range({rows}) r(i)"
                connection.execute(f"COPY ({query}) TO '{path}' ({option})")
            command = [sys.executable, "-c", program, str(path)]
            count, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            assert int(count) == rows
            peaks.append(int(peak) // 1024)
        assert peaks[1] < peaks[0] + 60, kind  # the larger file is 190 MB larger


# Rows that cannot be used


def test_null_and_blank_cells_are_named(file: Write, parquet: Query) -> None:
    found = read(file("q.jsonl", '{"prompt": "a"}\n{"prompt": null}\n{"x": 1}\n{"prompt": " \\n"}'))
    assert prompts(found) == ["a"]
    assert faults(found) == [
        ("q.jsonl:2", "prompt is null"),
        ("q.jsonl:3", "prompt is null"),
        ("q.jsonl:4", "prompt is blank"),
    ]
    rows = parquet("q.parquet", "SELECT unnest([NULL, '', 'a']) AS prompt")
    assert faults(read(rows)) == [("q.parquet#1", "prompt is null"), ("q.parquet#2", "prompt is blank")]


def test_lists_and_objects_in_a_text_column_are_named(file: Write) -> None:
    found = read(file("q.jsonl", '{"prompt": "a"}\n{"prompt": ["b"]}\n{"prompt": {"c": 1}}'))
    assert faults(found) == [
        ("q.jsonl:2", "prompt is list, text is wanted"),
        ("q.jsonl:3", "prompt is dict, text is wanted"),
    ]
    assert found[1].evidence == '["b"]'


def test_lines_that_hold_no_json_object_are_named(file: Write) -> None:
    deep = "[" * 100_000
    found = read(file("q.jsonl", f'{{"prompt": "a"}}\n[1]\nnull\n{{"prompt": "b"\n{deep}\n{{"prompt": "c"}}'))
    assert prompts(found) == ["a", "c"]
    assert [place for place, _ in faults(found)] == ["q.jsonl:2", "q.jsonl:3", "q.jsonl:4", "q.jsonl:5"]
    assert [reason.split(" (")[0] for _, reason in faults(found)] == ["no JSON object"] * 2 + ["no JSON"] * 2


def test_elements_of_an_array_that_are_no_objects_are_named(file: Write) -> None:
    found = read(file("q.json", '[{"prompt": "a"}, 5, null, "x", {"prompt": "b"}]'))
    assert prompts(found) == ["a", "b"]
    assert faults(found) == [(f"q.json#{n}", "no JSON object") for n in (2, 3, 4)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", b"prompt,n\na,1\nb\xe9,2\nc,\xff\nd,4\n"),
        (
            "q.jsonl",
            b'{"prompt": "a"}\n{"prompt": "x"}\n{"prompt": "b\xe9"}\n{"prompt": "c", "n": "\xff"}\n{"prompt": "d"}',
        ),
    ],
)
def test_lines_that_are_no_utf8_are_named_and_the_rest_is_read(file: Write, name: str, content: bytes) -> None:
    found = read(file(name, content))
    assert [p for p in prompts(found) if p != "x"] == ["a", "d"]
    assert faults(found) == [(f"{name}:3", "not UTF-8"), (f"{name}:4", "not UTF-8")]
    assert r"b\xe9" in next(row.evidence for row in found if isinstance(row, Bad))


def test_a_text_file_that_is_no_utf8_is_named_with_its_line_and_the_rest_is_read(file: Write, tmp_path: Path) -> None:
    file("texts/a.txt", "fine")
    file("texts/b.txt", b"first\nsecond \xff")
    file("texts/c.txt", "  \n")
    found = read(tmp_path / "texts", Document)
    assert faults(found) == [("b.txt:2", "not UTF-8"), ("c.txt", "text is blank")]
    assert found[0].row.title == "a.txt"


def test_half_surrogate_pairs_and_nuls_are_named(file: Write) -> None:
    found = read(file("q.jsonl", '{"prompt": "a\\ud800"}\n{"prompt": "b\\u0000"}\n{"prompt": "\\ud83d\\ude00"}'))
    assert prompts(found) == ["\U0001f600"]
    assert faults(found) == [("q.jsonl:1", "prompt holds half a surrogate pair"), ("q.jsonl:2", "prompt holds a NUL")]
    assert [row.evidence for row in found[:2]] == ["a\\ud800", "b\\x00"]
    assert faults(read(file("q.csv", "prompt\na\0b\nc\n"))) == [("q.csv:2", "prompt holds a NUL")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet", "txt"])
def test_a_cell_over_the_limit_is_named_in_every_format(file: Write, parquet: Query, tmp_path: Path, kind: str) -> None:
    limit, fits, long = 100, "é" * 50, "é" * 50 + "x"
    if kind == "parquet":
        path = parquet("q.parquet", f"SELECT unnest(['{fits}', '{long}', 'short']) AS prompt")
    elif kind == "txt":
        for name, text in {"a": fits, "b": long, "c": "short"}.items():
            file(f"texts/{name}.txt", text)
        path = tmp_path / "texts"
    else:
        rows = [fits, long, "short"]
        objects = [json.dumps({"prompt": row}) for row in rows]
        content = {"csv": "\n".join(["prompt", *rows]), "jsonl": "\n".join(objects), "json": f"[{','.join(objects)}]"}
        path = file(f"q.{kind}", content[kind])
    columns = {"prompt": "text"} if kind == "txt" else {}
    (found,) = read_rows(str(path), shape=Prompt, columns=columns, cell=limit)
    assert prompts(found) == [fits, "short"]
    (bad,) = (row for row in found if isinstance(row, Bad))
    assert bad.reason.endswith("has more than 100 bytes")
    assert len(bad.evidence) <= 200


def test_the_default_limit_is_one_mebibyte(file: Write) -> None:
    found = read(file("q.csv", f"prompt\n{'x' * (1 << 20)}\n{'x' * ((1 << 20) + 1)}\n"))
    assert [type(row) for row in found] == [Good, Bad]


def test_a_malformed_row_of_csv_takes_no_other_along(file: Write) -> None:
    found = read(file("q.csv", 'prompt,n\na,1\nshort\nb,2,3\n"c"x,4\nd,5\n"never closed,6\ne,7\nf,8\n'))
    assert prompts(found) == ["a", "d", "e", "f"]
    places = [(place, reason.split(" (")[0]) for place, reason in faults(found)]
    assert places == [
        ("q.csv:3", "it has 1 cells, the header has 2"),
        ("q.csv:4", "it has 3 cells, the header has 2"),
        ("q.csv:5", "malformed"),
        ("q.csv:7", "malformed"),
    ]


def test_links_that_lead_out_of_a_folder_are_named_and_not_read(file: Write, tmp_path: Path) -> None:
    secret = file("outside/secret.txt", "secret")
    file("texts/a.txt", "A")
    (tmp_path / "texts" / "b.txt").symlink_to(secret)
    (tmp_path / "texts" / "c.txt").symlink_to(tmp_path / "texts" / "a.txt")
    found = read(tmp_path / "texts", Document)
    assert faults(found) == [("b.txt", "a link that leads out of the folder")]
    assert [row.row.title for row in found if isinstance(row, Good)] == ["a.txt", "c.txt"]


# Wholes that are refused


def test_a_missing_file_is_refused_with_the_near_ones(file: Write) -> None:
    path = file("questions.csv", "prompt\na\n")
    assert refusal(path.with_name("question.csv")).endswith(
        "there is no such file or folder; did you mean: questions.csv"
    )


def test_an_unknown_kind_is_refused_with_the_known_ones(file: Write) -> None:
    assert "q.xlsx: of no known kind, " in refusal(file("q.xlsx", "x"))
    assert ".jsonl" in refusal(file("q.parquet.gz", "x"))
    assert "s3:// address" in refusal("s3://bucket/key.parquet")


def test_a_folder_without_a_known_file_and_one_of_several_kinds_are_refused(file: Write, tmp_path: Path) -> None:
    file("none/photo.png", "x")
    assert "holds no file of a known kind" in refusal(tmp_path / "none")
    file("mixed/a.txt", "x")
    file("mixed/b.csv", "prompt\nx")
    assert "files of several kinds (csv, text), one kind is wanted; name those you mean" in refusal(tmp_path / "mixed")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "no regular file or folder" in refusal(tmp_path / "pipe.csv")


def test_a_missing_column_is_refused_with_what_there_is_and_the_map_to_use(file: Write) -> None:
    path = file("q.csv", "the_prompt,reply\na,b\n")
    assert refusal(path) == (
        "q.csv: it has no column 'prompt', which is wanted for Prompt.prompt; "
        "did you mean --map prompt=the_prompt; it has: the_prompt, reply"
    )
    assert "name it with --map completion=COLUMN; it has: the_prompt, reply" in refusal(
        path, PromptCompletion, prompt="the_prompt"
    )


def test_a_mapped_column_that_is_not_there_is_refused_even_for_an_optional_field(file: Write) -> None:
    path = file("d.csv", "text,heading\na,b\n")
    assert "did you mean --map title=heading" in refusal(path, Document, title="headings")


def test_a_map_of_a_field_that_the_shape_lacks_is_refused(file: Write) -> None:
    assert "Prompt: field 'promt': unknown; did you mean: prompt" in refusal(file("q.csv", "a\nx\n"), Prompt, promt="a")


def test_a_nested_column_in_place_of_text_is_refused(parquet: Query) -> None:
    path = parquet("q.parquet", "SELECT {'a': 1} AS s, [1] AS l, MAP {'a': 1} AS m, 'x'::BLOB AS b")
    for column in "slmb":
        assert "text is wanted for prompt; map another with --map prompt=COLUMN" in refusal(path, prompt=column)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "prompt\n"),
        ("q.csv", "prompt\n\n\n"),
        ("q.csv", ""),
        ("q.jsonl", ""),
        ("q.jsonl", "\n\n"),
        ("q.json", "[]"),
        ("q.json", ""),
    ],
)
def test_a_file_without_rows_is_refused(file: Write, name: str, content: str) -> None:
    assert refusal(file(name, content)).startswith(f"{name}: it ")


def test_a_parquet_file_without_rows_is_refused(parquet: Query) -> None:
    path = parquet("q.parquet", "SELECT 'a' AS prompt WHERE false")
    assert refusal(path) == "q.parquet: it holds no rows, one at least is wanted"


def test_broken_files_are_refused_in_one_line(file: Write, parquet: Query) -> None:
    whole = parquet("whole.parquet", "SELECT repeat('x', i) AS prompt FROM range(5000) r(i)").read_bytes()
    assert "cannot be read" in refusal(file("cut.parquet", whole[:2000]))
    assert "cannot be read" in refusal(file("text.parquet", "hello"))
    middle = bytearray(whole)
    middle[len(whole) // 2 : len(whole) // 2 + 4000] = b"\xff" * 4000
    assert "cannot be read" in refusal(file("middle.parquet", bytes(middle)))
    zipped = gzip.compress(b'{"prompt": "%s"}\n' % os.urandom(40_000).hex().encode())
    assert "cannot be read" in refusal(file("cut.jsonl.gz", zipped[:20_000]))
    numbers = gzip.compress(b"".join(b'{"prompt": %d}\n' % n for n in range(20_000)))
    assert "cannot be read" in refusal(file("numbers.jsonl.gz", numbers[:-2000]))
    assert "cannot be read" in refusal(file("plain.csv.gz", "prompt\na\n"))
    assert "cannot be read" in refusal(file("cut.json", '[{"prompt": "a"}, {"prompt": "b'))
    assert "none of its first" in refusal(file("words.jsonl", "one\ntwo\n"))
    assert "cannot be read" in f"{refusal(str(file('text.duckdb', 'hello' * 5000)) + '::t')}"


def test_a_csv_without_a_usable_header_is_refused(file: Write) -> None:
    assert "it has no header" in refusal(file("q.csv", ",,\na,b,c\n"))
    assert "column 'prompt' stands twice" in refusal(file("q.csv", "prompt,prompt\na,b\n"))
    assert "it is in UTF-16" in refusal(file("q.csv", "prompt\na\n".encode("utf-16")))
    assert "header is not in UTF-8" in refusal(file("q.csv", b"prompt,gr\xfcn\na,b\n"))


def test_a_duckdb_file_needs_the_name_of_a_table_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE prompts AS SELECT 'a' AS prompt")
    assert refusal(path) == "mine.duckdb: a table of it is wanted; add ::SCHEMA.TABLE, there are: main.prompts"
    assert "did you mean: main.prompts" in refusal(f"{path}::main.prompt")
    assert "there is no such file" in refusal(f"{tmp_path / 'none.duckdb'}::prompts")


def test_a_view_in_a_duckdb_file_reads_no_other_file(tmp_path: Path, file: Write) -> None:
    secret, path = file("secret.csv", "prompt\nsecret\n"), tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE VIEW sly AS FROM read_csv('{secret}')")
    assert "cannot be read" in refusal(f"{path}::sly")


def test_files_with_other_columns_than_the_first_are_refused(file: Write, tmp_path: Path) -> None:
    file("parts/0.csv", "prompt\na\n")
    file("parts/1.csv", "question\nb\n")
    assert refusal(tmp_path / "parts").startswith("1.csv: it has no column prompt")


# Shapes, descriptions, hashes


def test_the_shapes_that_can_be_imported() -> None:
    assert set(shapes().values()) == {
        *(Prompt, Document, PromptCompletion, Problem, Preference, Labelled, Code, BenchmarkItem, Dialogue, Triple),
    }
    assert find_shape("Prompt") is Prompt
    with pytest.raises(Refusal, match="shape 'Promt': unknown; did you mean: Prompt"):
        find_shape("Promt")


@pytest.mark.parametrize(
    ("columns", "shape"),
    [
        (["id", "prompt"], Prompt),
        (["prompt", "completion", "model"], PromptCompletion),
        (["prompt", "answer"], Problem),
        (["prompt", "chosen", "rejected"], Preference),
        (["text"], Document),
        (["text", "label"], Labelled),
        (["code"], Code),
        (["benchmark", "item", "text"], BenchmarkItem),
    ],
)
def test_the_richest_shape_whose_columns_are_all_there_is_guessed(columns: list[str], shape: type[Record]) -> None:
    assert guess_shape(dict.fromkeys(columns, "VARCHAR")) is shape


def test_a_guess_knows_mapped_columns_and_messages() -> None:
    assert guess_shape({"q": "VARCHAR", "a": "VARCHAR"}, {"prompt": "q", "completion": "a"}) is PromptCompletion
    assert guess_shape({"messages": 'STRUCT("role" VARCHAR, "content" VARCHAR)[]'}) is PromptCompletion


def test_a_guess_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal, match="the columns x, y fit no shape; choose with --as SHAPE"):
        guess_shape({"x": "VARCHAR", "y": "VARCHAR"})
    with pytest.raises(Refusal, match="the columns fit PromptCompletion and Problem alike"):
        guess_shape(dict.fromkeys(["prompt", "completion", "answer"], "VARCHAR"))


def test_a_table_that_is_opened_names_kind_columns_and_types(file: Write, parquet: Query) -> None:
    found = open_table(str(parquet("q.parquet", "SELECT 'a' AS prompt, 1::BIGINT AS n")))
    assert (found.kind, found.columns, found.origin) == ("parquet", {"prompt": "VARCHAR", "n": "BIGINT"}, "q.parquet")
    types = open_table(str(file("q.jsonl", '{"a": 1, "b": null}\n{"a": 2.5, "b": [1], "c": "x"}'))).columns
    assert types == {"a": "DOUBLE", "b": "JSON[]", "c": "VARCHAR"}


def test_the_hash_is_of_the_bytes_and_not_of_the_place(file: Write) -> None:
    one, same, other = file("a.csv", "prompt\na\n"), file("x/b.csv", "prompt\na\n"), file("c.csv", "prompt\nb\n")
    assert content_hash(str(one)) == content_hash(str(same)) != content_hash(str(other))
    assert len(content_hash(str(one))) == 32


def test_the_hash_of_a_folder_is_of_names_and_texts(file: Write, tmp_path: Path) -> None:
    file("texts/a.txt", "A")
    before = content_hash(str(tmp_path / "texts"))
    (tmp_path / "texts" / "a.txt").rename(tmp_path / "texts" / "b.txt")
    assert content_hash(str(tmp_path / "texts")) != before


def test_the_hash_of_a_table_is_of_its_rows_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE a AS SELECT unnest(['x', 'y']) AS prompt")
        connection.execute("CREATE TABLE b AS SELECT unnest(['y', 'x']) AS prompt")
        connection.execute("CREATE TABLE c AS SELECT unnest(['y', 'x', 'x']) AS prompt")
    hashes = [content_hash(f"{path}::{table}") for table in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]
    assert origin_of(f"{path}::a") == "mine.duckdb::main.a"


# PostgreSQL


@pytest.fixture
def questions(postgres_database: str) -> str:  # noqa: F811 - a fixture
    import psycopg

    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE questions (id int, question text, at timestamptz, tags text[])")
        connection.execute("INSERT INTO questions VALUES (1, 'What is ink?', now(), '{}'), (2, NULL, now(), '{}')")
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE VIEW other.asked AS SELECT question AS prompt FROM questions WHERE id = 1")
    return postgres_database


def message_and_all_before(raised: BaseException) -> str:
    """The words of an error as a log shows it."""
    import traceback

    return "".join(traceback.format_exception(raised))


@pytest.mark.postgres
def test_a_postgres_table_and_a_view_are_read(questions: str) -> None:
    found = read(f"{questions}::public.questions", prompt="question")
    assert found == [
        Good(Prompt(prompt="What is ink?"), "public.questions#1"),
        Bad("public.questions#2", "question is null"),
    ]
    assert prompts(read(f"{questions}::questions", prompt="id")) == ["1", "2"]
    assert prompts(read(f"{questions}::other.asked")) == ["What is ink?"]
    assert open_table(f"{questions}::questions").columns == {
        "id": "INTEGER",
        "question": "VARCHAR",
        "at": "TIMESTAMP WITH TIME ZONE",
        "tags": "VARCHAR[]",
    }


@pytest.mark.postgres
def test_a_postgres_origin_names_host_database_and_table_but_no_user(questions: str) -> None:
    origin = origin_of(f"{questions}::questions")
    assert origin == f"postgresql://{questions.rpartition('@')[2]}::public.questions"
    assert USER not in origin.replace("public.questions", "")


@pytest.mark.postgres
def test_no_postgres_message_holds_the_password(questions: str) -> None:
    server, _, database = questions.rpartition("/")
    wrong = questions.replace("s3cret", "s3cret-wrong")
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "the user or the password is wrong": (f"{wrong}::questions", {}),
        "there is no such database": (f"{server}/nosuch::questions", {}),
        "a table of it is wanted; add ::SCHEMA.TABLE, there are: other.asked, public.questions": (questions, {}),
        "did you mean: public.questions": (f"{questions}::public.question", {}),
        "it has no column 'prompt'": (f"{questions}::questions", {}),
        "is VARCHAR[], text is wanted": (f"{questions}::questions", {"prompt": "tags"}),
        "nobody listens": (f"postgresql://{USER}:s3cret@127.0.0.1:1/{database}::questions", {}),
    }
    for words, (where, columns) in cases.items():
        with pytest.raises(Refusal) as raised:
            read(where, **columns)
        assert words in str(raised.value)
        shown = message_and_all_before(raised.value).split("tests/catalog/test_imports.py")[-1]
        assert "s3cret" not in shown
        assert PASSWORD not in shown


@pytest.mark.postgres
def test_the_hash_of_a_postgres_table_changes_with_its_rows(questions: str) -> None:
    import psycopg

    before = content_hash(f"{questions}::questions")
    assert content_hash(f"{questions}::questions") == before
    with psycopg.connect(questions) as connection:
        connection.execute("UPDATE questions SET question = 'Why?' WHERE id = 2")
    assert content_hash(f"{questions}::questions") != before
