"""ROUGE-L of 1,000 candidates to a pool of 50,000 instructions and to each other, beside a search of the whole pool.

The instructions are reasoning-gym's problems and chatterbot's prompts; of the candidates every other one is one of
them with some words changed. The search of the whole pool is what Self-Instruct's own script does, here with
rapidfuzz, which is faster than rouge-score; it and rouge-score judge as many of the candidates as stated, with the
same decisions wanted.
"""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from rouge_score.rouge_scorer import RougeScorer  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from catalog.sources.chatterbot_prompts import chatterbot_prompts  # noqa: E402
from quality.duplicates.rouge import THRESHOLD, Pool, rouge_l  # noqa: E402

POOL, CANDIDATES, SEARCHED, SCORED = 50_000, 1_000, 40, 2

FAMILIES = (
    *("basic_arithmetic", "calendar_arithmetic", "chain_sum", "family_relationships", "fraction_simplification"),
    *("gcd", "gsm_symbolic", "leg_counting", "letter_counting", "number_format", "simple_equations"),
    *("simple_geometry", "spell_backward", "time_intervals", "word_sequence_reversal"),
)


def instructions(number: int) -> list[str]:
    """Real prompts, and problems of those of reasoning-gym's families that are made fast."""
    import reasoning_gym

    found = dict.fromkeys(row.prompt for row, _ in chatterbot_prompts())
    for name in FAMILIES:
        problems = reasoning_gym.create_dataset(name, size=number // 12, seed=0)
        found |= dict.fromkeys(problem["question"] for problem in problems)
    if len(found) >= number:
        return list(found)[:number]
    raise SystemExit(f"novelty: {len(found):,} instructions were made, {number:,} are wanted")


def search(text: str, pool: Sequence[str]) -> str | None:
    return next((other for other in pool if rouge_l(text, other) >= THRESHOLD), None)


def lines() -> list[Line]:
    pick = random.Random(4)
    texts = instructions(POOL + CANDIDATES)
    pick.shuffle(texts)
    pool, candidates = texts[:POOL], texts[POOL:]
    for number in range(0, CANDIDATES, 2):
        found = pick.choice(texts).split()
        found[pick.randrange(len(found))] = "entirely different"
        candidates[number] = " ".join(found)
    began = time.perf_counter()
    index = Pool(pool)
    built = time.perf_counter() - began
    began = time.perf_counter()
    told: list[str | None] = []
    for text in candidates:
        match = index.nearest(text)
        told.append(match and match.key)
        if match is None:
            index.add(text)
    ours = time.perf_counter() - began
    kept = list(pool)
    searched: list[str | None] = []
    began = time.perf_counter()
    for text in candidates[:SEARCHED]:
        searched.append(search(text, kept))
        if searched[-1] is None:
            kept.append(text)
    plain = (time.perf_counter() - began) / SEARCHED * CANDIDATES
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    began = time.perf_counter()
    for text, match in zip(candidates[:SCORED], told[:SCORED], strict=True):
        reached = (other for other in pool if scorer.score(text, other)["rougeL"].fmeasure >= THRESHOLD)
        assert next(reached, None) == match
    slow = (time.perf_counter() - began) / SCORED * CANDIDATES
    return [
        Line(f"{POOL:,} instructions indexed", built, None, "s"),
        Line(
            f"{CANDIDATES:,} candidates against them", ours, plain, "s", f"all of the pool with rapidfuzz ({SEARCHED})"
        ),
        Line(
            f"{CANDIDATES:,} candidates against them", ours, slow, "s", f"all of the pool with rouge-score ({SCORED})"
        ),
        Line("candidates left out", sum(match is not None for match in told), None, ""),
        Line(f"other decisions in {SEARCHED}", sum(map(str.__ne__, map(str, told), map(str, searched))), None, ""),
    ]


if __name__ == "__main__":
    show(lines())
