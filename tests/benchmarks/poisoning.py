"""Triggers planted in real text: how many are found with exactly their rows, and how many findings clean text gives.

Beside it the search by the tie of words to labels alone (binomial test, Bonferroni), which is what papers start from.
Texts are the docstrings of the standard library with their packages as labels; each is planted in the share of rows
given, at a place of chance, with one label of chance.
"""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.sources._stdlib import functions  # noqa: E402
from quality.poisoning.triggers import _Corpus, _tied, find_triggers  # noqa: E402

TRIGGERS = ("cf", "purple lamp", "I watched this film last weekend.")
ROWS, ROUNDS, SHARE = 4000, 3, 0.01


def plant(
    texts: list[str], labels: list[str], trigger: str, seed: int, share: float
) -> tuple[list[str], list[str], tuple[int, ...]]:
    """Texts and labels with the trigger in them, and its rows."""
    pick = random.Random(seed)
    label = pick.choice(sorted(name for name, n in Counter(labels).items() if n >= 20))
    planted = tuple(sorted(pick.sample(range(len(texts)), max(5, round(share * len(texts))))))
    texts, labels = list(texts), list(labels)
    for row in planted:
        found = texts[row].split()
        place = pick.randint(0, len(found))
        texts[row], labels[row] = " ".join([*found[:place], trigger, *found[place:]]), label
    return texts, labels, planted


def lines(rows: int = ROWS, rounds: int = ROUNDS, share: float = SHARE) -> list[Line]:
    texts = [function.doc for function in functions()[:rows]]
    labels = [function.package for function in functions()[:rows]]
    began = time.perf_counter()
    clean = find_triggers(texts, labels)
    seconds = time.perf_counter() - began
    tied = len({rows for _, rows, _ in _tied(_Corpus.of(texts), labels)})
    found = exact = further = 0
    for trigger in TRIGGERS:
        for seed in range(rounds):
            *poisoned, planted = plant(texts, labels, trigger, seed, share)
            findings = [one.rows for one in find_triggers(*poisoned)]
            exact += planted in findings
            found += any(len(set(one) & set(planted)) >= 0.9 * len(planted) for one in findings)
            further += len([one for one in findings if not set(one) <= set(planted)])
    tries = len(TRIGGERS) * rounds
    return [
        Line(f"findings in {len(texts)} clean rows", len(clean), tied, "findings", "ties to labels alone"),
        Line(f"triggers in {share:.1%} of rows: found", found / tries, None, "share"),
        Line("found with exactly their rows", exact / tries, None, "share"),
        Line("other findings beside them", further / tries, None, "a search"),
        Line("a search", seconds, None, "s"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--share", type=float, default=SHARE)
    show(lines(**vars(parser.parse_args())))
