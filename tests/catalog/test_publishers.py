"""Publishers side by side, on both catalogues: every version is there once and whole, and no reader is refused."""

from pathlib import Path

import pytest
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures
from publishing import race


@pytest.mark.slow
@pytest.mark.parametrize(
    "team", [False, pytest.param(True, marks=[pytest.mark.postgres, pytest.mark.long])], ids=["SQLite", "PostgreSQL"]
)
def test_all_versions_are_there_once_and_whole(tmp_path: Path, request: pytest.FixtureRequest, team: bool) -> None:
    found = race(tmp_path, request.getfixturevalue("postgres_database") if team else "", processes=4, runs=6)
    assert not found.problems
    assert len(found.written) == 24
    assert found.read
    assert found.asked
