"""Fidelity: how far the texts can be told from human ones by their words and lengths (operators.md 2.5)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from quality.measures import Bounds, Sample, measure
from quality.measures._words import shuffled
from quality.texts import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Counts = npt.NDArray[np.float64]

MOST = 1000
FEWEST = 100
"""Rows that each side needs."""
_FOLDS = 5
_SPLITS = 5
"""Splits at random that say how far apart two samples of one kind are."""


@measure(
    "fidelity",
    bounds={
        "classifier_auc": Bounds(high=0.7),
        "js_words": Bounds(high=0.1),
        "js_bigrams": Bounds(high=0.1),
        "js_lengths": Bounds(high=0.05),
    },
    most=MOST,
)
def fidelity(sample: Sample) -> dict[str, float]:
    """How far the texts are from the references, where each side has 100 rows.

    - `classifier_auc`: how well a classifier tells the two apart (Lopez-Paz and Oquab, 2017,
      https://arxiv.org/abs/1610.06545): logistic regression on TF-IDF, 5-fold; 0.5 is not at all;
    - `js_words`, `js_bigrams`, `js_lengths`: the Jensen-Shannon divergence, in bits, of the words, pairs of words, and
      lengths in tenths, less what it is for random halves of all rows: samples of one kind differ as well.
    """
    if min(len(sample.texts), len(sample.references)) < FEWEST:
        return {}
    texts, references = shuffled(sample.texts, sample.seed)[:MOST], shuffled(sample.references, sample.seed)[:MOST]
    return {
        "classifier_auc": two_sample_auc(texts, references, sample.seed),
        "js_words": excess_divergence(gram_counts([*texts, *references], 1), len(texts), sample.seed),
        "js_bigrams": excess_divergence(gram_counts([*texts, *references], 2), len(texts), sample.seed),
        "js_lengths": excess_divergence(length_counts([*texts, *references]), len(texts), sample.seed),
    }


def two_sample_auc(texts: Sequence[str], others: Sequence[str], seed: int) -> float:
    """The area under the ROC curve of a classifier between two samples of five texts or more, by the other folds."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    sides = np.repeat([1, 0], [len(texts), len(others)])
    analyzer: Any = _words_and_pairs  # scikit-learn's types know only the names of its own
    try:
        found = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, max_features=50_000).fit_transform(
            [*texts, *others]
        )
    except ValueError:  # no words at all
        return 0.5
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", max_iter=200)
    scores = cross_val_predict(model, found, sides, cv=folds, method="decision_function")
    return float(roc_auc_score(sides, scores))


def jensen_shannon(first: "Counts", second: "Counts") -> float:
    """The Jensen-Shannon divergence, in bits, of two lists of counts of the same things: 0 if alike, 1 if disjoint."""
    import numpy as np

    p, q = first / first.sum(), second / second.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(p * np.log2(p / middle)) + np.nan_to_num(q * np.log2(q / middle))
    return max(0.0, float(terms.sum()) / 2)


def excess_divergence(counts: Any, first: int, seed: int) -> float:
    """The divergence of the `first` rows of a matrix (n x things) from the others, less that of rows at random."""
    import numpy as np

    chance = np.random.default_rng(seed)
    sides: npt.NDArray[np.bool_] = np.arange(counts.shape[0]) < first
    found = _divergence(counts, sides)
    return (
        found - sum(_divergence(counts, chance.permutation(sides).astype(np.bool_)) for _ in range(_SPLITS)) / _SPLITS
    )


def gram_counts(texts: Sequence[str], n: int) -> Any:
    """How often each text has each n-gram of words, as a sparse matrix."""
    from sklearn.feature_extraction.text import CountVectorizer

    analyzer: Any = partial(_grams_of, n=n)
    try:
        return CountVectorizer(analyzer=analyzer).fit_transform(texts)
    except ValueError:  # no n-gram at all
        import numpy as np

        return np.ones((len(texts), 1))


def length_counts(texts: Sequence[str]) -> "Counts":
    """Which tenth of all lengths in words each text is in, as a matrix of 0 and 1."""
    import numpy as np

    sizes = np.array([len(words(text)) for text in texts])
    edges = np.unique(np.quantile(sizes, np.linspace(0, 1, 11)[1:-1]))
    return np.eye(len(edges) + 1)[np.searchsorted(edges, sizes)]


def _divergence(counts: Any, sides: "npt.NDArray[np.bool_]") -> float:
    import numpy as np

    first, second = (np.asarray(counts[side].sum(axis=0), np.float64).ravel() for side in (sides, ~sides))
    return jensen_shannon(first, second) if first.sum() and second.sum() else 1.0


def _words_and_pairs(text: str) -> list[str]:
    found = words(text)
    return [*found, *_grams(found, 2)]


def _grams_of(text: str, n: int) -> Iterator[str]:
    return _grams(words(text), n)


def _grams(found: Sequence[str], n: int) -> Iterator[str]:
    return map(" ".join, zip(*(found[start:] for start in range(n)), strict=False))
