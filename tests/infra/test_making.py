"""A database is made whole, or made anew; the first of a kind is kept, and copied."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.making import making


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))


def test_what_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    database = tmp_path / "x.db"

    def half() -> None:
        with making(database, "prefect"):
            database.write_text("half")
            (tmp_path / "x.db-journal").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with making(database, "prefect"):
        assert not database.exists()
        assert not (tmp_path / "x.db-journal").exists()
        database.write_text("whole")
    with making(database, "prefect"):
        assert database.read_text() == "whole"


def test_the_next_one_of_its_kind_is_a_copy(tmp_path: Path) -> None:
    first, second, other = tmp_path / "1.db", tmp_path / "2.db", tmp_path / "3.db"
    with making(first, "prefect"), closing(sqlite3.connect(first)) as connection:
        connection.execute("CREATE TABLE made (once)")
    with making(first, "prefect"), closing(sqlite3.connect(first)) as connection:
        connection.execute("INSERT INTO made VALUES (1)")
        connection.commit()
    with making(second, "prefect"), closing(sqlite3.connect(second)) as connection:
        assert connection.execute("SELECT count(*) FROM made").fetchone() == (0,)
    with making(other, "mlflow"):
        assert not other.exists()


def test_what_is_a_databases_own_is_not_kept_for_the_next(tmp_path: Path) -> None:
    first, second = tmp_path / "1.db", tmp_path / "2.db"
    with making(first, "mlflow", own=["experiments"]), closing(sqlite3.connect(first)) as connection:
        connection.executescript("CREATE TABLE experiments (place); INSERT INTO experiments VALUES ('first')")
    with making(second, "mlflow", own=["experiments"]), closing(sqlite3.connect(second)) as connection:
        assert connection.execute("SELECT * FROM experiments").fetchall() == []
    with closing(sqlite3.connect(first)) as connection:
        assert connection.execute("SELECT * FROM experiments").fetchall() == [("first",)]


def test_one_that_cannot_be_kept_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "environment").write_text("no folder")
    for name in ("1.db", "2.db"):
        with making(tmp_path / name, "prefect"):
            assert not (tmp_path / name).exists()
            (tmp_path / name).write_text("made")
