"""Sources of methods that curate, or begin from nothing: their rows are what they say they are."""

import ast

import pytest

from catalog.records import Code, Document, PromptCompletion
from catalog.sources import load_sources
from catalog.sources.chat_templates import chat_templates
from catalog.sources.question_splits import question_splits


@pytest.mark.parametrize(
    ("name", "shape", "least"),
    [
        ("sympy_pages", Document, 200),
        ("mpmath_functions", Document, 100),
        ("sympy_modules", Code, 30),
        ("python_modules", Code, 100),
        ("python_instructions", PromptCompletion, 500),
    ],
)
def test_a_source_yields_rows_of_its_shape_each_with_a_place_of_its_own(name: str, shape: type, least: int) -> None:
    found = load_sources()[name]
    made = list(found.rows())
    assert len(made) >= least
    assert {type(row) for row, _ in made} == {shape}
    assert len({place for _, place in made}) == len(made)
    assert found.licence
    assert found.origin


def test_the_code_of_an_instruction_is_a_function_without_its_docstring() -> None:
    for row, _ in list(load_sources()["python_instructions"].rows())[:200]:
        assert isinstance(row, PromptCompletion)
        (function,) = ast.parse(row.completion).body
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        assert not ast.get_docstring(function)
        assert f"`{function.name}`" in row.prompt


def test_a_template_opens_and_ends_its_turns() -> None:
    for row, _ in chat_templates():
        assert row.system.format(text="Be brief.") != row.system
        assert row.user
        assert row.assistant
        assert row.stop in row.system


def test_a_split_has_a_name_and_topics_of_its_own() -> None:
    splits = [row for row, _ in question_splits()]
    assert len({row.name for row in splits}) == len(splits) == 8
    assert all(len(set(row.topics)) == len(row.topics) >= 5 for row in splits)
