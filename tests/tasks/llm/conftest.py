"""Models as settings name them, for tests that need more than one, or none."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from infra.settings import load_settings
from tasks.llm import Models, connection, open_models

Opening = Callable[..., AbstractContextManager[Models]]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opening:
    """Open models: `with models(base_url=…) as opened`; waits between tries are short."""
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)

    def opened(**settings: Any) -> AbstractContextManager[Models]:
        return open_models(load_settings(home=tmp_path, **settings))

    return opened
