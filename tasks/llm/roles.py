"""Roles (interface draft)."""

from collections.abc import Generator
from contextlib import contextmanager

from infra.settings import Role, Settings
from tasks.llm.client import LLM


class Models:
    """The models of one run, by role."""

    def get(self, role: Role) -> LLM:
        """The model of a role."""
        raise NotImplementedError


@contextmanager
def open_models(settings: Settings) -> Generator[Models]:
    """The models, as the settings name them."""
    raise NotImplementedError
    yield Models()
