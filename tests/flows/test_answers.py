"""Answers in SQL as they are printed: CSV and JSON that say what was found, and nothing heavy loaded for it."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows.answers import Form, show_answer

ROOT = Path(__file__).parents[2]


def shown(capsys: pytest.CaptureFixture[str], sql: str, form: Form) -> str:
    with duckdb.connect() as connection:
        show_answer(connection.execute(sql), form)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("NULL", ""),
        ("''", '""'),
        ("'a,b'", '"a,b"'),
        ("'say \"a\"'", '"say ""a"""'),
        ("E'a\\nb'", '"a\nb"'),
        ("1.50::DECIMAL(9, 2)", "1.50"),
        ("true", "true"),
        ("TIMESTAMP '2026-11-21 10:00:00'", "2026-11-21 10:00:00"),
        ("[1, NULL]", '"[1, null]"'),
        ("{'a': 'ä'}", '"{""a"": ""ä""}"'),
        ("sum(2)", "2"),
    ],
)
def test_a_cell_of_csv(capsys: pytest.CaptureFixture[str], cell: str, wanted: str) -> None:
    assert shown(capsys, f"SELECT {cell} AS a, 1 AS b", "csv") == f"a,b\n{wanted},1\n"


def test_columns_of_one_name_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "SELECT 1 AS a, 2 AS a, 3 AS a", "json")) == [{"a": 1, "a_1": 2, "a_2": 3}]


def test_more_rows_than_are_fetched_at_once_are_all_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(capsys, "FROM range(2500)", "csv").splitlines()) == 2501


def test_a_table_says_that_it_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as connection:
        show_answer(connection.execute("SELECT 1 WHERE false"), empty="nothing yet")
    assert capsys.readouterr().err.strip() == "nothing yet"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_question_loads_no_data_frames(tmp_path: Path, form: str) -> None:
    code = (
        f"import sys; from flows.cli import app; app(['sql', 'SELECT 1', '-f', '{form}'], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    home = {"EVERSPRING_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=home, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    loaded = {name.partition(".")[0] for name in ended.stderr.split()}
    assert "duckdb" in loaded
    assert not loaded & {"polars", "pyarrow", "numpy", "pandas", "psycopg", "openai", "prefect"}
