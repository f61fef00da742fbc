import inspect
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from catalog.records import ProblemScript
from catalog.sources import problem_scripts as source
from catalog.sources.problem_scripts import read_answer
from tasks.data_preparation.amps import LevelledProblem, amps
from tasks.ledger import Ledger, keep

SCRIPTS = [row for row, _ in source.problem_scripts()]


def good(prompt: str, body: dict[str, Any]) -> str:
    """No model is asked."""
    return ""


def promised(row: LevelledProblem) -> bool:
    """Worked in steps that end with an answer that can be read."""
    *steps, last = row.solution.splitlines()
    return bool(steps) and last == f"The answer is {row.answer}." and bool(str(read_answer(row.answer)))


def test_problems_are_spread_evenly_over_levels_and_scripts() -> None:
    made = amps(SCRIPTS, rows=3 * len(SCRIPTS) * 2)
    assert set(Counter(row.level for row in made).values()) <= set(range(2 * len(SCRIPTS) - 3, 2 * len(SCRIPTS) + 1))
    per_script = Counter(row.parents[0] for row in made)
    assert set(per_script) == {row.record_id for row in SCRIPTS}
    assert max(per_script.values()) == 6


def test_a_few_problems_are_spread_over_topics() -> None:
    topics = {row.topic for row in SCRIPTS}
    assert {row.topic for row in amps(SCRIPTS, rows=len(topics), levels=1)} == topics


def test_questions_are_distinct_and_solutions_end_with_the_answer() -> None:
    made = amps(SCRIPTS, rows=300)
    assert len({row.prompt for row in made}) == len(made) > 290
    for row in made:
        assert row.solution.endswith(f"The answer is {row.answer}.")
        assert len(row.solution.splitlines()) >= 2


def test_an_answer_that_fails_its_check_is_dropped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    right = source.SCRIPTS["linear_equation"]

    def off_by_one(draw: Random, level: int) -> source.Drawn:
        drawn = right(draw, level)
        return replace(drawn, answer=str(int(drawn.answer) + draw.choice((0, 1))))

    monkeypatch.setitem(source.SCRIPTS, "linear_equation", off_by_one)
    script = ProblemScript(name="linear_equation", topic="algebra", source_code=inspect.getsource(off_by_one))
    with keep(Ledger()) as ledger:
        made = amps([script], rows=40)
    assert 0 < len(made) < 40
    failed = [drop for drop in ledger.drops if drop.reason == "the answer fails its check"]
    assert len(failed) + len(made) == 40


def test_scripts_that_are_unknown_or_changed_since_their_import_draw_nothing() -> None:
    unknown = ProblemScript(name="no_such_script", topic="algebra", source_code="")
    changed = replace(SCRIPTS[0], source_code="another", record_id="")
    with keep(Ledger()) as ledger:
        assert amps([unknown, changed], rows=5) == []
    assert [drop.reason for drop in ledger.drops] == [
        "no script has this name now",
        "the script was changed since it was imported",
    ]


def test_the_seed_decides() -> None:
    assert amps(SCRIPTS, rows=60, seed=1) == amps(SCRIPTS, rows=60, seed=1)
    first, second = (amps(SCRIPTS, rows=60, seed=seed) for seed in (1, 2))
    assert len({row.prompt for row in first} & {row.prompt for row in second}) < 6


def test_a_script_does_not_depend_on_the_others() -> None:
    alone, among = amps(SCRIPTS[:1], rows=3), amps(SCRIPTS[:4], rows=12)
    assert {row.prompt for row in alone} == {row.prompt for row in among if row.parents == alone[0].parents}
