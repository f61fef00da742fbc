"""Fixtures for tests that run a method through the real lake, gate, call store and MLflow."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from bench import Bench

from infra.settings import load_settings
from tasks.llm import open_models


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One MLflow store for all tests: making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def bench_with(tmp_path: Path, scripted_server: Callable[..., Any], tracking: str) -> Iterator[Callable[..., Bench]]:
    """A bench whose model answers as a function says: `bench_with(answer, **settings)`."""
    with ExitStack() as stack:

        def make(answer: Callable[[str, Any], Any] = lambda prompt, body: f"re {prompt}", **given: Any) -> Bench:
            server = scripted_server(answer)
            settings = load_settings(
                home=tmp_path, base_url=server.url, model="scripted", retries=1, mlflow=tracking, **given
            )
            return Bench(tmp_path, settings, stack.enter_context(open_models(settings)), server)

        yield make
