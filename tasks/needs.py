"""Needs: what a method is given beside its inputs and its settings, as the types of its parameters ask for it."""

from typing import Any

from tasks.llm import Models
from tasks.llm.embedder import Embedder
from tasks.method import Method
from tasks.sandbox import Sandbox


def provide(method: Method, models: Models) -> dict[str, Any]:
    """Parameter → what it is given: a model of its role, an embedder, a sandbox.

    Raises:
        Refusal: for what this machine or its settings have none of.
    """
    made: dict[str, Any] = {name: models.get(role) for name, role in method.roles.items()}
    for name, need in method.needs.items():
        made[name] = models.embedder() if need is Embedder else models.sandbox()
    return made


def names_of(method: Method, models: Models) -> list[str]:
    """What a run was made with, as `role=model`: it is part of the run's fingerprint."""
    roles = sorted(set(method.roles.values()))
    names = [f"{role}={name}" for role in roles for name in models.names(role)]
    if Embedder in method.needs.values():
        names.append(f"embedder={models.embedder().model}")
    if Sandbox in method.needs.values():
        names.append(f"sandbox={models.sandbox().name}")
    return names
