"""A scripted OpenAI-compatible server: real HTTP on a loopback port, its answers are a function.

In a test: `with ScriptedServer(lambda prompt, body: "yes") as server: ...`, then `server.url`, `server.requests`.
For tests that need it to outlive a client it is a program: `tests/scripted.py`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scripted.answers import WORDS, instance_of, schema_of, sensible
from scripted.reply import Answering, Reply, prompt_of
from scripted.responses import png_of, vector_of
from scripted.server import ScriptedServer

if TYPE_CHECKING:
    from tasks.llm import LLM, Request

__all__ = [
    "WORDS",
    "Answering",
    "BindLLM",
    "Reply",
    "ScriptedServer",
    "StartServer",
    "instance_of",
    "png_of",
    "prompt_of",
    "question",
    "schema_of",
    "sensible",
    "vector_of",
]

StartServer = Callable[..., ScriptedServer]
"""The fixture `scripted_server`."""
BindLLM = Callable[..., "LLM"]
"""The fixture `scripted_llm`."""


def question(prompt: str, **parameters: Any) -> "Request":
    """A request that asks just this."""
    from tasks.llm import Request

    return Request(messages=({"role": "user", "content": prompt},), **parameters)
