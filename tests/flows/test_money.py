"""Prices, forecasts and bounds as a user meets them: on the command line, in a process of its own."""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, desk_in

PRICES = json.dumps({"scripted": {"input": 0, "output": 1000}})
"""A tenth of a cent for each word that is answered."""


BARGAIN = {"EVERSPRING_PRICES": PRICES, "EVERSPRING_CONCURRENCY": "4"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path, 0.1) as desk:
        yield desk


def test_prices_are_shown_with_version_and_source(tmp_path: Path) -> None:
    said = Desk(tmp_path).run("prices", "gpt-4o")
    assert re.search(r"gpt-4o\s+2\.5\s+1\.25\s+10", said)
    assert "developers.openai.com" in said
    assert "version 2026-" in said


def test_own_prices_are_shown_among_the_others(tmp_path: Path) -> None:
    said = Desk(tmp_path).run("prices", EVERSPRING_PRICES=PRICES)
    assert re.search(r"scripted\s+0\s+–\s+1000", said)
    assert "claude-haiku-4-5" in said


def test_a_price_that_is_not_known_is_refused_with_what_to_do(tmp_path: Path) -> None:
    said = Desk(tmp_path).run("prices", "my-model", code=2)
    assert "price is not known" in said
    assert '[prices."my-model"]' in said


@pytest.mark.parametrize(
    "arguments", [("--accept", "0"), ("--candidates", "none"), ("--max-dollars", "-1"), ("--sample", "1")]
)
def test_bounds_that_are_none_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "Invalid value" in Desk(tmp_path).run("run", "sft", *arguments, code=2)


@pytest.mark.slow
def test_a_dry_run_in_a_fresh_home_shows_ranges_and_publishes_nothing(desk: Desk) -> None:
    asked = ("run", "pretraining", "--method", "wrap", "--rows", "60", "--dry-run", "--sample", "6")
    said = desk.run(*asked, **BARGAIN)
    assert re.search(r"pretraining\.wrap\s+60\s+[\d,]+", said)
    assert re.search(r"\$[\d.]+ \(\$[\d.]+–\$[\d.]+\)", said)
    assert "sample: 6 rows" in said
    assert "Nothing was published" in said
    assert desk.lake.versions() == []
    assert "0 requests sent, $0.00 paid" in desk.run(*asked, **BARGAIN)


@pytest.mark.slow
def test_a_cap_without_a_price_is_refused_on_the_command_line(desk: Desk) -> None:
    said = desk.run("run", "pretraining", "--method", "wrap", "--max-dollars", "1", code=2, EVERSPRING_PRICES="{}")
    assert "the price of scripted is not known" in said.replace("\n", " ")


@pytest.mark.long
@pytest.mark.xdist_group("lifecycle")
def test_a_cap_holds_over_a_kill_and_no_dollar_is_counted_twice(desk: Desk) -> None:
    asked = ("run", "alignment", "--method", "ultrafeedback", "--rows", "200", "--max-dollars", "4")
    process = desk.start(*asked, **BARGAIN)
    while process.poll() is None and len(desk.answered()) < 12:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ((before,),) = desk.lake.query("SELECT coalesce(sum(cost), 0) FROM catalog.calls").rows()
    said = desk.run(*asked, **BARGAIN)
    assert "are spent" in said
    ((after, dearest),) = desk.lake.query("SELECT sum(cost), max(cost) FROM catalog.calls").rows()
    ((cost, stopped),) = desk.lake.query("SELECT cost, stopped FROM catalog.runs WHERE method = 'ultrafeedback'").rows()
    assert after == pytest.approx(before + cost)
    assert stopped == "dollars"
    assert 4 <= after <= 4 + 4 * dearest
