"""Label noise: rows whose text says another label than the one they have (operators.md 2.4)."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quality.measures import Bounds, Sample, measure
from quality.measures.reliability import cohen_kappa
from quality.texts import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FOLDS = 5
_FEWEST = 20
"""Rows that a label needs to be learnt."""
_LABELS = 50


@measure("quality", bounds={"label_noise": Bounds(high=0.08)}, most=2000)
def label_noise(sample: Sample) -> dict[str, float]:
    """How far the labels agree with the text, of the 50 most common, each of 20 rows or more.

    - `label_noise`: the share that confident learning finds mislabelled (Northcutt et al., 2019,
      https://arxiv.org/abs/1911.00068);
    - `label_kappa`: how far the labels can be told from the text: Cohen's kappa of label and out-of-fold guess.

    The guesses are by logistic regression on TF-IDF of words, 5-fold.
    """
    common = {label for label, count in Counter(sample.labels).most_common(_LABELS) if count >= _FEWEST}
    if len(common) < 2:
        return {}
    kept = [(text, label) for text, label in zip(sample.texts, sample.labels, strict=True) if label in common]
    texts, labels = zip(*kept, strict=True)
    names, codes, chances = guesses(texts, labels, sample.seed)
    guessed = [names[place] for place in chances.argmax(axis=1)]
    return {
        "label_noise": float(mislabelled(chances, codes).mean()),
        "label_kappa": cohen_kappa(labels, guessed),
    }


def guesses(
    texts: Sequence[str], labels: Sequence[str], seed: int
) -> "tuple[list[str], npt.NDArray[np.intp], npt.NDArray[np.float64]]":
    """The labels' names, each row's label as a place among them, and the probabilities of each by the other folds."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    names, codes = np.unique(labels, return_inverse=True)
    analyzer: Any = words  # scikit-learn's types know only the names of its own
    features = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, max_features=20_000).fit_transform(texts)
    model = LogisticRegression(C=10, max_iter=200)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    chances: Any = cross_val_predict(model, features, codes, cv=folds, method="predict_proba")
    return names.tolist(), codes, chances


def mislabelled(chances: "npt.NDArray[np.float64]", codes: "npt.NDArray[np.intp]") -> "npt.NDArray[np.bool_]":
    """Which rows are confidently of another label: above the mean confidence of the rows that have that label."""
    import numpy as np

    own = chances[np.arange(len(codes)), codes]
    thresholds = np.bincount(codes, own, chances.shape[1]) / np.bincount(codes, minlength=chances.shape[1])
    sure = np.where(chances >= thresholds, chances, -1.0)
    return (sure.max(axis=1) >= 0) & (sure.argmax(axis=1) != codes)
