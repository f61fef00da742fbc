import json
import re
from binascii import crc32
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Code
from tasks.applications.oss_instruct_magicoder import Inspired, oss_instruct_magicoder
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.verify import parses

SOURCE = Code(code="\n".join(f"line_{number} = {number}" for number in range(40)))
CODE = "def double(n):\n    return 2 * n"


JOBS = (
    (
        "counts the rows of a table in which the column {name} is not empty",
        "sum(1 for row in rows if row.get('{name}'))",
    ),
    ("sorts a list of books by their {name}, the largest first", "sorted(rows, key=lambda book: -book['{name}'])"),
    ("tells whether any of the words in a text is spelled like {name}", "'{name}' in rows.split()"),
    ("adds up every second number, and the length of the word {name} to it", "sum(rows[::2]) + len('{name}')"),
    ("joins the letters of a word with {name} between them", "' {name} '.join(rows)"),
    ("removes each {name} from a sentence, whatever its case", "[w for w in rows.split() if w.lower() != '{name}']"),
)


def good(prompt: str, body: dict[str, Any]) -> str:
    """A problem about a name in the snippet, with a function that solves it."""
    code = prompt.partition("Snippet:\n")[2].rpartition("\n\nLet the snippet")[0]
    names = sorted(set(re.findall(r"[a-z]{3,}", code.lower()))) or ["nothing"]
    name = names[crc32(code.encode()) % len(names)]
    told, does = JOBS[crc32(code.encode()) % len(JOBS)]
    solution = f"def {name}_of(rows):\n    return {does.format(name=name)}"
    return json.dumps({"problem": f"Write a function `{name}_of` that {told.format(name=name)}.", "solution": solution})


def promised(row: Inspired) -> bool:
    """A problem that is no code, a solution that is, and the snippet that both came of."""
    return bool(row.snippet.strip()) and parses(row.completion) and not parses(row.prompt)


def written(problem: str, solution: str) -> Callable[..., str]:
    return lambda prompt, body: json.dumps({"problem": problem, "solution": solution})


def test_a_run_of_at_most_15_lines_inspires_one_problem_greedily(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[tuple[str, float]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append((prompt, body["temperature"]))
        return json.dumps({"problem": "Write a function that doubles a number.", "solution": CODE})

    ((row), *more) = oss_instruct_magicoder([SOURCE], scripted_llm(answer))
    assert more == []
    assert row.snippet in SOURCE.code
    assert 1 <= len(row.snippet.splitlines()) <= 15
    ((prompt, temperature),) = asked
    assert row.snippet in prompt
    assert temperature == 0
    assert (row.prompt, row.completion) == ("Write a function that doubles a number.", CODE)
    assert row.origin[0].parents == (SOURCE.record_id,)


def test_a_snippet_that_repeats_is_asked_about_once(scripted_llm: Callable[..., LLM]) -> None:
    sources = [Code(code="total = sum(values)", name=name) for name in ("one", "other")]
    with keep(Ledger()) as ledger:
        rows = oss_instruct_magicoder(sources, scripted_llm(written("Write a function that doubles n.", CODE)))
    assert len(rows) == 1
    assert ledger.step("generate").calls == 1
    assert [drop.reason for drop in ledger.drops] == ["the snippet repeats another"]


def test_a_problem_that_repeats_is_kept_once(scripted_llm: Callable[..., LLM]) -> None:
    sources = [Code(code=f"value = {number}") for number in range(3)]
    with keep(Ledger()) as ledger:
        rows = oss_instruct_magicoder(sources, scripted_llm(written("Write a function that doubles n.", CODE)))
    assert len(rows) == 1
    assert [drop.reason for drop in ledger.drops] == ["the problem repeats another"] * 2


@pytest.mark.parametrize(
    ("problem", "solution", "reason"),
    [
        (
            "Write a function that doubles n.",
            "def double(n:\n    return 2 * n",
            "the solution is no Python that parses",
        ),
        ("Write a function that doubles n.", "Doubling a number is easy.", "the solution is no Python that parses"),
        ("def double(n): return n * 2", "def double(n): return n * 2", "the solution is the problem"),
        ("the same words again and " * 12, CODE, "the problem does not end"),
    ],
)
def test_what_teaches_no_code_is_dropped(
    scripted_llm: Callable[..., LLM], problem: str, solution: str, reason: str
) -> None:
    with keep(Ledger()) as ledger:
        assert oss_instruct_magicoder([SOURCE], scripted_llm(written(problem, solution))) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_code_in_a_fence_is_read_and_other_languages_are_not_parsed(scripted_llm: Callable[..., LLM]) -> None:
    fenced = f"Use a product:\n```python\n{CODE}\n```\nThat is all."
    assert len(oss_instruct_magicoder([SOURCE], scripted_llm(written("Write a doubling function.", fenced)))) == 1
    c = Code(code="int a = 1;", language="c")
    llm = scripted_llm(written("Write a doubling function.", "int twice(int n) { return 2 * n; }"))
    assert oss_instruct_magicoder([c], llm)[0].language == "c"


def test_the_same_seed_makes_the_same_rows(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(written("Write a function that doubles n.", CODE))
    first, second, other = (oss_instruct_magicoder([SOURCE], llm, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first[0].snippet != other[0].snippet
