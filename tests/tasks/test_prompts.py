from pathlib import Path

import pytest

from tasks.prompts import read_examples, read_prompts, read_shots


def page(folder: Path, text: str) -> str:
    (folder / "some_method.md").write_text(text)
    return str(folder / "some_method.py")


def test_a_page_holds_prompts_under_their_headings(tmp_path: Path) -> None:
    file = page(tmp_path, "# Prompts\n\nOur own words.\n\n## ask\n\nSay {x}:\n\n### or not\n\n## judge\n\nRate it.\n")
    assert read_prompts(file) == {"ask": "Say {x}:\n\n### or not", "judge": "Rate it."}


@pytest.mark.parametrize("text", ["## ask\n\nSay it.\n\n## ask\n\nAgain.\n", "## ask\n\n## judge\n\nRate it.\n"])
def test_a_heading_that_stands_twice_or_has_no_text_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TypeError, match=r"some_method\.md: prompt 'ask'"):
        read_prompts(page(tmp_path, text))


def test_worked_examples_are_read_by_number_until_there_are_no_more() -> None:
    prompts = {"task 1": "a", "done 1": "b", "task 2": "c", "done 2": "d", "task 4": "e"}
    assert read_shots(prompts, "task", "done") == [("a", "b"), ("c", "d")]
    assert read_shots(prompts, "none", "done") == []


def test_the_question_of_a_worked_example_stands_in_the_prompt_that_asks_it() -> None:
    prompts = {"task 1": "x{y}", "done 1": "b"}
    assert read_shots(prompts, "task", "done", "Do {text} as {{one}}, {text}.") == [("Do x{y} as {one}, x{y}.", "b")]
    assert read_shots(prompts, "task", "done") == [("x{y}", "b")]


def test_examples_of_many_parts_are_read_by_the_names_of_their_parts() -> None:
    prompts = {"noun 1": "fox", "verb 1": "dig", "told 1": "It dug.", "noun 2": "cat", "verb 2": "nap", "told 2": "Zzz"}
    fox, cat = {"noun": "fox", "told": "It dug."}, {"noun": "cat", "told": "Zzz"}
    assert read_examples(prompts, "noun", "told") == [fox, cat]
    assert read_examples({"noun": "fox"}, "noun") == []
