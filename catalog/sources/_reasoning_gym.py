"""The generators of reasoning-gym: problems drawn with a seed, whose answers the generator knows."""

import warnings
from collections.abc import Iterable
from typing import Any

from infra.errors import Refusal

PACKAGE = "reasoning-gym"
LICENCE = "Apache-2.0"

_SEED = 20240601
"""Any number would do; one that changes would make other problems at each run."""


def problems(family: str, size: int, **settings: Any) -> Iterable[dict[str, Any]]:
    """`size` problems of one family: each has `question`, `answer` and `metadata`.

    Raises:
        Refusal: where the package, or one that it imports, is not there.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # invalid escapes in its docstrings
            import reasoning_gym  # takes seconds
    except ImportError as error:
        raise Refusal(
            f"source {PACKAGE}: it cannot be imported ({error}), the package with what it imports is wanted; "
            f"run: pip install --no-deps {PACKAGE}, and install the missing one"
        ) from None
    return reasoning_gym.create_dataset(family, size=size, seed=_SEED, **settings)
