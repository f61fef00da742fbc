"""Measures: seconds of each over 100,000 rows of 200 words, and of two beside what one would use instead."""

import random
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks"), str(ROOT / "tests" / "quality" / "measures")]

from real_text import kinds  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from quality.encoder import default_encoder  # noqa: E402
from quality.measures import Sample, load_measures  # noqa: E402
from quality.measures.self_bleu import self_bleus  # noqa: E402
from quality.measures.semantic_diversity import vendi_score  # noqa: E402
from quality.texts import words  # noqa: E402

ROWS, WORDS, OTHERS = 100_000, 200, 1000
BLEU_ROWS, BLEU_WORDS = 200, 60

T = TypeVar("T")


def texts(count: int, seed: int) -> list[str]:
    """Rows of real words: stretches of documentation, code and chat, put together to one length."""
    chance = random.Random(seed)
    pool = [word for of_kind in kinds().values() for text in of_kind for word in re.findall(r"\S+\s*", text + "\n")]
    starts = (chance.randrange(len(pool) - WORDS // 4) for _ in range(4 * count))
    parts = ["".join(pool[start : start + WORDS // 4]) for start in starts]
    return ["\n".join(parts[4 * row : 4 * row + 4]) for row in range(count)]


def timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    out = work()
    return time.perf_counter() - began, out


def every_measure() -> list[Line]:
    """Each measure is shown as many rows as it asks for, as in a run."""
    rows, references, earlier = texts(ROWS, 0), texts(OTHERS, 1), texts(OTHERS, 2)
    labels = [f"label {len(row) % 10}" for row in rows]
    out: list[Line] = []
    for name, measure in load_measures().items():
        most = measure.most or ROWS
        chosen = random.Random(0).sample(range(ROWS), min(most, ROWS))
        sample = Sample(
            texts=[rows[row] for row in chosen],
            labels=[labels[row] for row in chosen],
            references=references,
            earlier=earlier,
            encode=default_encoder(),
        )
        busy = time.process_time()
        seconds, figures = timed(lambda run=measure.run, sample=sample: run(sample))
        busy = time.process_time() - busy
        print(
            name,
            f"{seconds:.1f} s, of the processor {busy:.1f} s",
            {figure: round(value, 4) for figure, value in figures.items()},
            flush=True,
        )
        out.append(Line(f"{name} ({min(most, ROWS):,} rows)", seconds, None, "s"))
    out.append(Line("all of them", sum(line.ours for line in out), None, "s"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return [*out, Line("memory at most", peak, None, "GB")]


def against_nltk() -> Line:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    rows = [words(text)[:BLEU_WORDS] for text in texts(BLEU_ROWS, 3)]
    smooth = SmoothingFunction().method1
    ours, mine = timed(lambda: self_bleus(rows))
    other, theirs = timed(
        lambda: [sentence_bleu(rows[:n] + rows[n + 1 :], row, smoothing_function=smooth) for n, row in enumerate(rows)]
    )
    assert max(abs(a - b) for a, b in zip(mine, theirs, strict=True)) < 1e-9, "the values differ"
    return Line(f"self-BLEU of {BLEU_ROWS} rows", ours, other, "s", "nltk's sentence_bleu in a loop, same value")


def against_vendi() -> Line:
    """The package vendi-score does what stands here in `score`; it is no dependency, its last release is of 2022."""
    import numpy as np
    import scipy.linalg

    vectors = np.random.default_rng(0).standard_normal((2000, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def score() -> float:
        values = scipy.linalg.eigvalsh(vectors @ vectors.T / len(vectors))
        values = values[values > 0]
        return float(np.exp(-(values * np.log(values)).sum()))

    ours, mine = timed(lambda: vendi_score(vectors))
    other, theirs = timed(score)
    assert abs(mine - theirs) < 0.01 * theirs, "the values differ"
    return Line("Vendi score of 2,000 rows", ours, other, "s", "eigenvalues of all similarities, as vendi-score does")


def lines() -> list[Line]:
    return [*every_measure(), against_nltk(), against_vendi()]


if __name__ == "__main__":
    show(lines())
