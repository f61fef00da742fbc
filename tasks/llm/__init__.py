"""Models: given to methods by role, asked in batches, every answer kept in the call store before it is used."""

from tasks.llm.client import LLM
from tasks.llm.request import Request
from tasks.llm.roles import Models, open_models
from tasks.llm.target import Failed

__all__ = ["LLM", "Failed", "Models", "Request", "open_models"]
