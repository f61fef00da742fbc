"""Embedder: texts to unit vectors, by the encoder of this machine or by a model of the role `embedder`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from catalog.records import Answer
from infra.errors import Failure
from quality.encoder import default_encoder
from tasks.llm.client import LLM

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

OFFLINE = "universal-sentence-encoder-multilingual-3"
"""The encoder that needs no endpoint (`quality.encoder`)."""


class Embedder:
    """What makes vectors of texts; `model` is its name."""

    def __init__(self, model: str, embed: "Callable[[Sequence[str]], npt.NDArray[np.float32]]") -> None:
        self.model: str = model
        self._embed = embed

    def embed(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        """One unit vector for each text: an array of n x dimensions.

        Raises:
            Failure: where an endpoint gives no vector for a text.
        """
        return self._embed(texts)


def offline() -> Embedder:
    """The encoder of this machine, which asks no endpoint."""
    return Embedder(OFFLINE, default_encoder())


def remote(llm: LLM) -> Embedder:
    """The model of a role; its vectors are kept in the call store as all its answers are."""

    def embed(texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        import numpy as np

        vectors: list[tuple[float, ...]] = []
        for answer in llm.embed(texts):
            if not isinstance(answer, Answer):
                raise Failure(f"embedder: {llm.model} gave no vector for a text ({answer.reason}); run again to go on")
            vectors.append(answer.value)
        if not vectors:
            return np.zeros((0, 1), np.float32)
        found = np.array(vectors, np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    return Embedder(llm.model, embed)
