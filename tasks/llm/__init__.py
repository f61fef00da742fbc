"""Models: given to methods by role, asked in batches, every answer kept in the call store before it is used."""

from tasks.llm.client import LLM, Failed, Request
from tasks.llm.roles import Models, open_models

__all__ = ["LLM", "Failed", "Models", "Request", "open_models"]
