"""Declarations: what the code of a thing is."""

import sys
from pathlib import Path

from infra.declared import code_of


def module_code(name: str) -> str:
    return Path(sys.modules[name].__file__ or "").read_text("utf-8")


def test_the_code_of_a_method_is_that_of_all_operators_it_draws_on_near_or_far() -> None:
    import tasks.alignment.cai as module

    found = code_of(module, "tasks.operators.")
    assert "weigh" not in vars(module), "it draws on it through another"
    for name in (module.__name__, "tasks.operators.choose", "tasks.operators.weigh", "tasks.operators.generate"):
        assert found.count(module_code(name)) == 1


def test_what_is_not_shared_is_left_out() -> None:
    import catalog.sources.python_functions as module

    shared = "catalog.sources._"
    assert module_code("catalog.sources") not in code_of(module, shared)
    assert len(code_of(module, shared)) > 1
