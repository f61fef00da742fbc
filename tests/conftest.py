"""Fixtures for tests that ask models: real HTTP to a scripted server, never a mock."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `from scripted import Reply` works in every test, in every subfolder

from scripted import Answering, BindLLM, ScriptedServer, StartServer

if TYPE_CHECKING:
    from tasks.llm import LLM


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the real model to one worker: two models at once on two cores are ten times as slow."""
    for item in items:
        if item.get_closest_marker("embedded") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("embedded"))


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model, folder or store of the machine's own reaches a test."""
    import os

    for name in list(os.environ):
        if name.startswith(("EVERSPRING_", "AWS_", "OPENLINEAGE_")) or name in {"OPENAI_BASE_URL", "OPENAI_API_KEY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")  # a third of a second a run; test_emit switches it on


@pytest.fixture
def scripted_server() -> Iterator[StartServer]:
    """Start a server: `scripted_server(answer, models=…) -> ScriptedServer`; it ends with the test."""
    with ExitStack() as stack:

        def start(answer: Answering, **options: Any) -> ScriptedServer:
            return stack.enter_context(ScriptedServer(answer, **options))

        yield start


@pytest.fixture
def scripted_llm(tmp_path: Path, scripted_server: StartServer) -> Iterator[BindLLM]:
    """A model whose answers are a function: `llm = scripted_llm(lambda prompt, body: "yes")`.

    Further arguments are settings. Each call has a home folder, thus a call store, of its own.
    """
    from infra.settings import load_settings
    from tasks.llm import open_models

    with ExitStack() as stack:
        count = 0

        def bind(answer: Answering, **settings: Any) -> "LLM":
            nonlocal count
            count += 1
            given = {
                "home": tmp_path / f"scripted-{count}",
                "base_url": scripted_server(answer).url,
                "api_key": "scripted-key",
                "model": "scripted",
            }
            models = stack.enter_context(open_models(load_settings(**given | settings)))
            return models.get("generator")

        yield bind
