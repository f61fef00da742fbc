"""The embedded model: SmolLM2-135M-Instruct on llama.cpp, in a server process that all runs on a home folder share."""

from tasks.llm.embedded.alone import serve_alone
from tasks.llm.embedded.grammar import grammar
from tasks.llm.embedded.shared import EmbeddedServer
from tasks.llm.embedded.weights import find_weights, prepare

__all__ = ["EmbeddedServer", "find_weights", "grammar", "prepare", "serve_alone"]
