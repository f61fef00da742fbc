"""Word problems and arithmetic with answers that can be checked, from the generators of reasoning-gym.

Operands are small, so that a weak model has a chance.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from catalog.records import Problem
from catalog.sources import source
from catalog.sources._reasoning_gym import LICENCE, PACKAGE, problems

_EACH = 40
_SHARES = {"chain_sum": 4, "products": 2}
"""What the weakest models can do at all is there more often."""

# Easiest first. Answers of `basic_arithmetic` are wrong for some problems in version 0.1.25 without parentheses (it
# works from left to right: 6 + 10 * 0 is said to be 0) and with division (it rounds), so both are ruled out.
_FAMILIES: dict[str, dict[str, Any]] = {
    "chain_sum": {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1},
    "products": {"min_digits": 1, "max_digits": 1},
    "simple_equations": {"min_terms": 2, "max_terms": 2, "max_value": 12},
    "gcd": {"min_value": 2, "max_value": 30},
    "leg_counting": {"min_animals": 1, "max_animals": 2, "max_instances": 6},
    "basic_arithmetic": {"min_terms": 2, "max_terms": 2, "max_digits": 1, "operators": ("+", "-", "*")},
    "lcm": {"min_value": 2, "max_value": 20},
    "fraction_simplification": {"max_value": 12, "min_factor": 2, "max_factor": 9, "styles": ("plain",)},
    "decimal_chain_sum": {"max_terms": 3, "max_digits": 2, "min_decimal_places": 1, "max_decimal_places": 1},
    "number_sequence": {"max_complexity": 1},
    "count_primes": {"min_n": 1, "max_n": 60},
    "calendar_arithmetic": {"tasks": ("count_days", "count_business_days"), "offset_upper_bound": 60},
    "simple_geometry": {"max_sides": 5},
    "gsm_symbolic": {},
}


@source(table="raw.problems", licence=LICENCE, package=PACKAGE)
def reasoning_gym_problems() -> Iterator[tuple[Problem, str]]:
    """Forty problems of each of fourteen families, or a multiple, in turns: the first rows are of every kind."""
    turn: list[Iterator[tuple[Problem, str]]] = []
    for family, settings in _FAMILIES.items():
        turn += [_problems(family, settings)] * _SHARES.get(family, 1)
    return chain.from_iterable(zip(*turn, strict=True))


def _problems(family: str, settings: dict[str, Any]) -> Iterator[tuple[Problem, str]]:
    for number, found in enumerate(problems(family, _EACH * _SHARES.get(family, 1), **settings)):
        row = Problem(
            prompt=_prompt(family, found["question"]),
            answer=found["answer"],
            solution=_solution(found["metadata"].get("answer_cot", "")),
            topic=family,
        )
        yield row, f"{family}#{number}"


def _prompt(family: str, question: str) -> str:
    # A bare sequence says nothing of what is asked.
    return f"What is the next number? {question}" if family == "number_sequence" else question.strip()


def _solution(worked: str) -> str:
    """The steps alone: the line `#### 42` that ends them says the answer again, sometimes in another form."""
    return worked.rpartition("####")[0].strip()
