"""What holds for every method, whoever wrote it: found by looking, without a list.

The test file of each method says how a strong model answers it (`good`), and whether a row keeps the method's promise
(`promised`).
"""

import importlib.util
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripted import StartServer, sensible

from catalog.records import Record, columns
from catalog.sources import load_sources, sources_of
from catalog.store import STAGES, Lake
from infra.settings import Settings, load_settings
from tasks.ingest import ingest_source
from tasks.llm import open_models
from tasks.llm.embedder import Embedder, offline
from tasks.materialize import Order, materialize
from tasks.method import CATEGORIES, Method, load_methods
from tasks.registry import describe, methods_page
from tasks.sandbox import open_sandbox
from tasks.survey import coverage, load_survey

ROOT = Path(__file__).parent.parent
METHODS = list(load_methods().values())
every_method = pytest.mark.parametrize("method", METHODS, ids=[method.id for method in METHODS])


def its_test(method: Method) -> ModuleType:
    """The method's test file."""
    return loaded(ROOT / "tests/tasks" / method.stage / f"test_{method.id}.py")


@cache
def loaded(file: Path) -> ModuleType:
    """A Python file, as a module."""
    spec = importlib.util.spec_from_file_location(f"_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raw(method: Method) -> dict[str, str]:
    """For each input the first of its tables that sources feed."""
    fed = {source.table for source in load_sources().values()}
    return {name: next(table for table in found.tables if table in fed) for name, found in method.inputs.items()}


@cache
def few(table: str) -> Sequence[Record]:
    """Some real rows of a raw table."""
    return [row for source in sources_of(table) for row, _ in itertools.islice(source.rows(), 40)]


def run(method: Method, llm: Any, inputs: Mapping[str, Sequence[Record]] | None = None) -> Sequence[Record]:
    """What it makes of a few real rows."""
    inputs = inputs or {
        name: few(table)[: 4 if method.inputs[name].partitioned else 200] for name, table in raw(method).items()
    }
    needs: dict[str, Any] = dict.fromkeys(method.roles, llm)
    for name, need in method.needs.items():
        needs[name] = offline() if need is Embedder else open_sandbox()
    return method.run(**inputs, **needs, **({"rows": 4} if "rows" in method.settings else {}))


def test_every_stage_has_a_method() -> None:
    assert {method.stage for method in METHODS} == set(STAGES)


@every_method
def test_its_file_its_function_and_its_table_have_one_name(method: Method) -> None:
    assert Path(inspect.getfile(method.run)) == ROOT / "tasks" / method.stage / f"{method.id}.py"
    assert method.table == f"{method.stage}.{method.id}"


@every_method
def test_its_paper_is_complete_and_linked_in_its_docstring(method: Method) -> None:
    paper, doc = method.paper, method.module.__doc__ or ""
    assert paper.title
    assert paper.authors
    assert 1990 < paper.year < 2100
    assert re.fullmatch(r"\d{4}\.\d{4,5}", paper.arxiv) or paper.url.startswith("https://")
    assert paper.link in doc
    assert str(paper.year) in doc


@every_method
def test_its_first_line_says_what_it_does(method: Method) -> None:
    assert method.summary.endswith(".")
    assert len(method.summary) > 30


@every_method
def test_its_tags_are_the_surveys(method: Method) -> None:
    assert method.categories
    assert set(method.categories) <= CATEGORIES
    assert set(method.also) <= set(STAGES) - {method.stage}


@every_method
def test_its_settings_have_defaults_of_their_type_and_one_is_the_seed(method: Method) -> None:
    assert method.settings["seed"].default == 0
    for name, setting in method.settings.items():
        assert setting.parse(name, setting.default) == setting.default


@every_method
def test_it_promises_something_about_columns_that_it_has(method: Method) -> None:
    assert method.expects
    for promise in method.expects:
        told = promise.figure.column if promise.figure else promise.arguments.get("column")
        named = promise.arguments.get("column_list") or [told]
        assert {column for column in named if column} <= {*columns(method.shape), "record_id"}


@every_method
def test_a_table_that_it_reads_exists(method: Method) -> None:
    known = {source.table for source in load_sources().values()} | {other.table for other in METHODS}
    for found in method.inputs.values():
        assert set(found.tables) <= known
        assert any(table.startswith("raw.") for table in found.tables), "a fresh home could not run it"


@every_method
def test_it_has_a_test(method: Method) -> None:
    assert (ROOT / "tests/tasks" / method.stage / f"test_{method.id}.py").exists()


@every_method
def test_the_code_of_its_function_fits_a_screen(method: Method) -> None:
    source = inspect.getsource(method.run)
    body = source[source.index("-> ") :].splitlines()[1:]
    assert len(body) <= 40


@every_method
def test_it_names_no_machinery(method: Method) -> None:
    source = inspect.getsource(method.module)
    for word in ("prefect", "mlflow", "duckdb", "openai", "logging", "try:"):
        assert word not in source.lower(), word


@every_method
def test_its_rows_have_parents_and_the_same_inputs_make_the_same_rows(
    method: Method, scripted_llm: Callable[..., Any]
) -> None:
    rows, again = (run(method, scripted_llm(sensible)) for _ in range(2))
    assert [row.record_id for row in rows] == [row.record_id for row in again]
    assert all(isinstance(row, method.shape) for row in rows)
    assert all(row.parents and row.origin for row in rows)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with every raw table that a method may read."""
    home = tmp_path_factory.mktemp("seeded")
    settings = load_settings(home=home, mlflow=f"sqlite:///{home}/mlflow.db")
    for table in sorted({table for method in METHODS for table in raw(method).values()}):
        ingest_source(Lake(settings), table, settings)
    return settings


@pytest.mark.slow
@every_method
def test_with_a_strong_model_it_publishes_rows_and_each_keeps_its_promise(
    method: Method, seeded: Settings, scripted_server: StartServer
) -> None:
    """Through the real lake, screens and gate, on real seeds."""
    settings = seeded.model_copy(update={"base_url": scripted_server(its_test(method).good).url, "model": "strong"})
    with open_models(settings) as models:
        outcome = materialize(method, Lake(settings), models, Order(rows=8, reads=raw(method)), settings)
    lake = Lake(settings)
    version = lake.latest(method.table)
    assert version, outcome
    rows = lake.rows(version, method.shape, lake.ids(version))
    assert rows
    broken = [row for row in rows if not its_test(method).promised(row)]
    assert not broken, broken[0]


@pytest.mark.parametrize("method", [method for method in METHODS if method.partitioned], ids=lambda method: method.id)
def test_over_partitions_it_makes_the_same_rows_as_in_one_piece(
    method: Method, scripted_llm: Callable[..., Any]
) -> None:
    ((name, table),) = raw(method).items()
    rows = few(table)[:7]
    whole = run(method, scripted_llm(its_test(method).good), {name: rows})
    llm = scripted_llm(its_test(method).good)
    parts = [row for start in range(0, 7, 3) for row in run(method, llm, {name: rows[start : start + 3]})]
    assert whole
    assert sorted(row.record_id for row in parts) == sorted(row.record_id for row in whole)


def test_the_coverage_counts_the_methods_that_are_systems_of_the_survey() -> None:
    whole, *_ = coverage()
    assert (whole.done, whole.of) == (len(set(load_survey()) & set(load_methods())), 195)
    page = methods_page()
    for system in load_survey().values():
        here = f"[{system.method.table}]" if system.method else "not yet"
        assert f"| {system.name} | {system.citation} | {here}" in page


def test_the_page_of_methods_names_each_with_its_paper() -> None:
    page = methods_page()
    for method in METHODS:
        assert f"### {method.id}\n" in page
        assert method.paper.link in page
        assert describe(method)["table_name"] == method.table


def test_a_new_file_is_all_it_takes(tmp_path: Path) -> None:
    """The method and the test of docs/methods.md, as they stand there, work in a copy of the tree."""
    page = (ROOT / "docs" / "methods.md").read_text()
    method, test = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    for part in ("flows", "tasks", "quality", "catalog", "infra", "tests", "pyproject.toml"):
        subprocess.run(["cp", "-r", ROOT / part, tmp_path], check=True)
    (tmp_path / "tasks/sft/backtalk.py").write_text(method)
    (tmp_path / "tests/tasks/sft/test_backtalk.py").write_text(test)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "backtalk and not strong"),
            *("tests/tasks/sft/test_backtalk.py", "tests/test_every_method.py"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "flows", "methods", "--json", "--stage", "sft"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"sft.backtalk"' in listed.stdout
