"""A database is made whole, or made anew."""

from pathlib import Path

import pytest

from infra.making import making


def test_what_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    database = tmp_path / "x.db"

    def half() -> None:
        with making(database):
            database.write_text("half")
            (tmp_path / "x.db-journal").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with making(database):
        assert not database.exists()
        assert not (tmp_path / "x.db-journal").exists()
        database.write_text("whole")
    with making(database):
        assert database.read_text() == "whole"
