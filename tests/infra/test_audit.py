"""The audit: a package that was not asked about is not called sound."""

from typing import Any

import pytest

from infra.audit import told

SOUND: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
FAULTY: dict[str, Any] = {"name": "b", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN: dict[str, Any] = {"name": "c", "skip_reason": "Dependency not found and could not be audited"}
OURS: dict[str, Any] = {"name": "everspring", "skip_reason": "distribution marked as editable"}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND, OURS], 0, "0 known faults in 1 packages"),
        ([SOUND, FAULTY], 1, "b 1: PYSEC-1, mended in 2"),
        ([SOUND, UNKNOWN], 75, "1 packages could not be asked about (c)"),
        ([FAULTY, UNKNOWN], 1, "1 packages could not be asked about (c)"),
    ],
)
def test_only_what_was_asked_about_counts(
    capsys: pytest.CaptureFixture[str], packages: list[dict[str, Any]], code: int, said: str
) -> None:
    assert told(packages) == code
    assert said in capsys.readouterr().out
