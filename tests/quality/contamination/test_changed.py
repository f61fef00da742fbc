"""Items whose numbers, names or words were changed."""

import ast
import builtins
import random
import re

import pytest

from quality.contamination import BenchmarkIndex
from quality.contamination.code import functions
from quality.encoder import default_encoder
from tests.quality.contamination.items import CHAMP, DOCUMENTS, HUMAN_EVAL, PARAPHRASES, quiz

STORY = (
    "Maria buys 12 apples and 7 pears at the market and then gives 5 of them to Tom; how much fruit does Maria keep?"
)


@pytest.fixture(scope="module")
def index() -> BenchmarkIndex:
    return BenchmarkIndex([*HUMAN_EVAL, *CHAMP])


def renumbered(text: str, pick: random.Random) -> str:
    """The text with other numbers of about as many digits."""
    return re.sub(r"\d+", lambda number: str(pick.randrange(10 ** len(number.group()))), text)


def renamed(source: str) -> str:
    """The source with other names for what it defines."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    imports = [name.name for node in nodes if isinstance(node, ast.ImportFrom | ast.Import) for name in node.names]
    fixed = {*dir(builtins), *imports}
    new: dict[str, str] = {}
    for node in nodes:
        for field in ("id", "arg", "name"):
            old = getattr(node, field, None)
            if isinstance(old, str) and not isinstance(node, ast.alias | ast.keyword) and old not in fixed:
                setattr(node, field, new.setdefault(old, f"name_{len(new)}"))
    return ast.unparse(tree)


def test_other_numbers_and_names_are_found() -> None:
    other = STORY.replace("Maria", "Giovanna").replace("Tom", "Uncle Bert").replace("12", "3,400").replace("7", "81")
    (hit,) = BenchmarkIndex(quiz(STORY)).find_all(f"Try this one. {other.replace('5', '19')} Easy!")
    assert (hit.item, hit.layer, hit.verdict) == ("1", "abstracted", "contaminated")


def test_another_story_is_not() -> None:
    other = "Maria buys 12 apples at the station and then reads for 5 hours; how much time does Maria lose?"
    assert BenchmarkIndex(quiz(STORY)).find_all(other) == []


def test_real_items_with_other_numbers_are_found(index: BenchmarkIndex) -> None:
    pick = random.Random(3)
    items = [item for item in (*HUMAN_EVAL, *CHAMP) if re.search(r"\d", item.text)]
    found = index.find_batch([f"{pick.choice(DOCUMENTS)}\n\n{renumbered(item.text, pick)}" for item in items])
    right = [
        any(hit.item == item.item and hit.verdict == "contaminated" for hit in hits)
        for item, hits in zip(items, found, strict=True)
    ]
    assert sum(right) / len(items) >= 0.9


def test_real_functions_with_other_names_are_found(index: BenchmarkIndex) -> None:
    pick = random.Random(4)
    texts = [f"{pick.choice(DOCUMENTS)}\n\n{renamed(item.text + item.answer)}\n\nSo it is." for item in HUMAN_EVAL]
    right = [
        any(hit.item == item.item and hit.verdict == "contaminated" for hit in hits)
        for item, hits in zip(HUMAN_EVAL, index.find_batch(texts), strict=True)
    ]
    assert sum(right) / len(right) >= 0.95


def test_a_function_is_known_by_its_tree() -> None:
    one = (
        "def mean(numbers: list) -> float:\n    'Average.'\n    total = sum(numbers)\n    return total / len(numbers)\n"
    )
    two = "Use this: def m(xs):  # quick\n    t = sum(xs)\n    return t / len(xs)\nand be done.\n"
    other = "def mean(numbers):\n    total = max(numbers)\n    return total / len(numbers)\n"
    trees = [functions(text)[0].tree for text in (one, two, other)]
    assert trees[0] == trees[1] != trees[2]
    (place,) = functions(two)
    assert two[place.start : place.end].endswith("len(xs)")


@pytest.mark.parametrize(
    "text", ["def f(", "def f(x):\n", "def f(x):\n    return (" + "(" * 500, "def f(x):\n\0    return x"]
)
def test_what_is_no_python_is_no_function(text: str) -> None:
    assert functions(text) == []


def test_most_paraphrases_are_found_and_named_and_documentation_stays_clean() -> None:
    index = BenchmarkIndex([*HUMAN_EVAL, *CHAMP], encode=default_encoder())
    pick = random.Random(5)
    found = index.find_batch([f"{pick.choice(DOCUMENTS)} {each['text']}" for each in PARAPHRASES])
    sure = [{hit.item for hit in hits if hit.verdict == "contaminated"} for hits in found]
    assert sum(each["item"] in items for each, items in zip(PARAPHRASES, sure, strict=True)) / len(sure) >= 0.7
    assert sum(bool(items - {each["item"]}) for each, items in zip(PARAPHRASES, sure, strict=True)) <= 2
    clean = index.find_batch(DOCUMENTS[:150])
    assert sum(hit.verdict == "contaminated" for hits in clean for hit in hits) <= 2


def test_the_judge_has_the_last_word() -> None:
    asked: list[tuple[str, str]] = []

    def refuse(document: str, item: str) -> bool:
        asked.append((document, item))
        return False

    text = next(each["text"] for each in PARAPHRASES if each["item"] == "P_Number-Theory_11")
    assert BenchmarkIndex(CHAMP, encode=default_encoder(), judge=refuse).find_all(text) == []
    assert asked[0][0] == text
    found = BenchmarkIndex(CHAMP, judge=lambda document, item: "57 times smaller" in item).find_all(text)
    assert [(hit.item, hit.layer, hit.verdict) for hit in found] == [("P_Number-Theory_11", "semantic", "contaminated")]


@pytest.mark.parametrize(
    "text",
    [
        "Then: find 3^100 + 12 mod 41. Show your work.",
        "1) FIND 3^100+12 MOD 41",
        "def f():\n    # Find 5^7+1,204 mod 9\n    return 3",
    ],
)
def test_a_formula_with_other_numbers_is_found(text: str) -> None:
    (hit,) = BenchmarkIndex(quiz("Find 2^50+3 mod 7.")).find_all(text)
    assert (hit.item, hit.layer, hit.verdict) == ("1", "formula", "contaminated")
    assert text[hit.start : hit.end].casefold().rstrip(".").replace(" ", "").startswith("find")


@pytest.mark.parametrize(
    "text", ["Find 2^50-3 mod 7.", "Find x^50+3 mod 7.", "Find 2^50+3 mod 7 by hand.", "2^50+3 mod 7"]
)
def test_another_formula_is_none_of_the_benchmark(text: str) -> None:
    assert BenchmarkIndex(quiz("Find 2^50+3 mod 7.")).find_all(text) == []


def test_a_formula_that_says_too_little_is_not_looked_for() -> None:
    assert BenchmarkIndex(quiz("3+4=?", "What is 3?")).find_all("What is 5? 7+1=?") == []
