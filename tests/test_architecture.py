"""The rules of the tree: which way imports run, what may be heavy, what may not be written twice."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("infra", "catalog", "quality", "tasks", "flows")
HEAVY = {
    "boto3", "datasets", "duckdb", "great_expectations", "gguf", "mlflow", "numpy", "openai", "openlineage", "pandas",
    "polars", "prefect", "prompt_toolkit", "pyarrow", "reasoning_gym", "sklearn", "sympy", "torch", "xllamacpp",
}  # fmt: skip
LATE = {"tasks/llm/transport.py"}
"""Imported when the first request is sent: a class cannot have a base that is not there yet."""
FILES = [file for layer in LAYERS for file in sorted((ROOT / layer).rglob("*.py"))]


def imported(nodes: Iterator[ast.AST] | list[ast.stmt]) -> set[str]:
    """The top-level names that import statements among the nodes bring in."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def layer_of(file: Path) -> str:
    return file.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_down_the_layers_and_never_back(file: Path) -> None:
    above = set(LAYERS[LAYERS.index(layer_of(file)) + 1 :])
    assert not imported(ast.walk(ast.parse(file.read_text()))) & above


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if layer_of(file) != "flows" and str(file.relative_to(ROOT)) not in LATE],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_nothing_heavy_is_imported_at_module_level(file: Path) -> None:
    assert not imported(ast.parse(file.read_text()).body) & HEAVY


def test_the_command_line_loads_none_of_the_heavy_packages() -> None:
    code = "import flows.cli, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in loaded.stdout.split()}


def test_all_methods_load_without_anything_heavy() -> None:
    code = "import sys; from tasks.method import load_methods; load_methods(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in loaded.stdout.split()}


RUNS_CODE = re.compile(
    r"^\s*(import|from) (pickle|cloudpickle|dill|shelve|marshal|joblib)\b|joblib\.load\(|torch\.load\(|allow_pickle"
    r"|yaml\.(unsafe_|full_)load\(|yaml\.load\((?!.*Safe)|read_pickle\(",
    re.MULTILINE,
)
CODE_OF_OURS = {
    "quality/screens/toxicity.py",  # weights of a package, by their hashes
    "tasks/sandbox/bubblewrap.py",  # what goes into the sandbox
    "tasks/sandbox/harness.py",  # and is read there
}


def test_no_data_is_read_by_what_would_run_code_in_it() -> None:
    assert {str(file.relative_to(ROOT)) for file in FILES if RUNS_CODE.search(file.read_text())} == CODE_OF_OURS
