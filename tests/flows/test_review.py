"""The commands about reviews, as their user gives them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.publish import Findings, Run, record
from catalog.records import Labelled
from catalog.reviews import Review
from catalog.spool import Spool
from catalog.store import Lake
from flows.cli import app
from infra.errors import Refusal
from infra.settings import load_settings

TABLE = "data_preparation.coannotating"


@dataclass(frozen=True, kw_only=True)
class Asked(Labelled):
    annotator: str = ""


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Give a command in a home whose table asks four questions; a refusal is raised."""
    monkeypatch.setenv("EVERSPRING_HOME", str(tmp_path / "home"))
    lake = Lake(load_settings())
    run = Run(run_id="r", stage="data_preparation", method="coannotating", table_name=TABLE, fingerprint="r")
    with Spool(tmp_path / "spool", Asked) as spool:
        rows = [Asked(text=f"text {number}", label="") for number in range(4)]
        spool.add_reviews([Review(row, "label", "What?", row.text, ("no", "yes"), "unsure") for row in rows], [], {})
        record(lake, run, spool, Findings(), "unchanged")

    def said(*command: str) -> str:
        found = CliRunner().invoke(app, ["review", *command], env={"COLUMNS": "120"})
        if isinstance(found.exception, Refusal):
            raise found.exception
        assert found.exit_code == 0, found.output
        return found.output

    return said


def test_what_is_exported_is_decided_imported_and_compared(say: Callable[..., str], tmp_path: Path) -> None:
    assert TABLE in say("list")
    for name, labels in {"Ann": ["yes", "yes", "no", "no"], "Ben": ["yes", "no", "no", ""]}.items():
        file = tmp_path / f"{name}.csv"
        assert "4 rows to decide on" in say("export", TABLE, "--to", str(file), "--by", name)
        head, *lines = file.read_text().splitlines()
        file.write_text("\n".join([head, *(line + label for line, label in zip(lines, labels, strict=True))]))
        new = sum(map(bool, labels))
        assert f"{new} new decisions by {name}" in say("import", str(file), "--by", name, "--annotators", "3")
    told = say("agreement", TABLE)
    assert "Ann, Ben" in told
    assert "0.400" in told, "Cohen's kappa of 2 agreements in 3, by chance 4 in 9"
    assert "1 rows to decide on" in say("export", TABLE, "--to", str(tmp_path / "rest.html"), "--by", "Ben")
    assert "disputed" in say("list")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("export", "sft.nothing", "--to", "x.csv"), "table that asks people 'sft.nothing': unknown"),
        (("export", TABLE, "--to", "x.pdf"), r"its name ends in \.pdf, one of \.csv, \.jsonl, \.html is wanted"),
        (("export", TABLE, "--to", "/no/such/folder/x.csv"), "cannot be written"),
        (("import", "nothing.csv", "--by", "Ann"), "cannot be read"),
        (("agreement", TABLE), "nobody has decided, two annotators at least are wanted"),
    ],
)
def test_what_cannot_be_done_is_refused(say: Callable[..., str], command: tuple[str, ...], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        say(*command)
