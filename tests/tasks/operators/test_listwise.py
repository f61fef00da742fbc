import json
import re
from collections.abc import Callable
from typing import Any

from catalog.records import Prompt
from tasks.llm import LLM
from tasks.operators.listwise import listwise

WORDS = ["one", "two", "three", "four"]
RUBRIC = "Rate the answers to {prompt}:\n\n{texts}\n\nIn JSON."


def test_each_answer_gets_its_own_verdict_whatever_the_order_of_showing(scripted_llm: Callable[..., LLM]) -> None:
    shown: list[list[str]] = []

    def rater(prompt: str, body: dict[str, Any]) -> str:
        shown.append(re.findall(r"Text \d:\n(\w+)", prompt))
        rated = [{"rationale": word, "rating": WORDS.index(word) + 1} for word in shown[-1]]
        return json.dumps({f"text_{n}": each for n, each in enumerate(rated, 1)})

    llm = scripted_llm(rater)
    rows = [Prompt(prompt=f"Count to {n}.") for n in range(3)]
    for aspect in ("truth", "help"):
        for _, _, answer in listwise(llm, rows, lambda _: WORDS, {aspect: RUBRIC}, scale=range(1, 5)):
            assert [(v.rationale, v.rating) for v in answer.value] == list(zip(WORDS, range(1, 5), strict=True))
    assert len({tuple(order) for order in shown}) > 2
    assert all(sorted(order) == sorted(WORDS) for order in shown)
