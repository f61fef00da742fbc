import re
from collections.abc import Callable
from typing import Any

from catalog.records import Problem
from catalog.sources import sources_of
from tasks.data_preparation.tinygsm import PROMPTS, STYLES, SolvedInCode, tinygsm
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.compute import read_function
from tasks.sandbox import Program, open_sandbox

PENS = Problem(prompt="How many pens do 3 bags of 6 hold?", answer="18")
THINGS = "pens books cups stamps shells coins marbles apples".split()  # noqa: SIM905


def told(first: int, second: int, thing: str) -> str:
    return f"Mia has {first} {thing} and finds {second} more. How many {thing} does Mia have now?"


def good(prompt: str, body: dict[str, Any]) -> str:
    """A problem of addition with numbers of its own, and its function among some words."""
    number = sum(map(ord, prompt)) + (body.get("seed") or 0)
    first, second, thing = number % 83 + 10, number % 31 + 5, THINGS[number % len(THINGS)]
    code = f'def solution():\n    """{told(first, second, thing)}"""\n    found = {second}\n    return {first} + found'
    return f"Here is one:\n```python\n{code}\n```"


def promised(row: SolvedInCode) -> bool:
    """The code is one function that tells the problem, runs, and returns the answer."""
    (ran,) = open_sandbox().run([Program(code=row.completion, result="float(solution())")])
    return ran.ok and float(ran.result) == float(row.answer) and read_function(row.completion).told == row.prompt


def replies(*bodies: str) -> Callable[[str, dict[str, Any]], str]:
    """A function for each draw, in turn, with these bodies."""
    seeds: list[int] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if body["seed"] not in seeds:
            seeds.append(body["seed"])
        place = seeds.index(body["seed"])
        return f'def solution():\n    """Problem {place}: how many?"""\n    {bodies[place % len(bodies)]}'

    return answer


def test_only_code_that_runs_and_returns_a_number_is_kept(scripted_llm: Callable[..., LLM]) -> None:
    bodies = ["return 6 * 3", "return 1 / 0", "return '18 pens'", "print(18)", "while True: pass", "return 9 / 2"]
    with keep(Ledger()) as ledger:
        rows = tinygsm([PENS], scripted_llm(replies(*bodies), concurrency=1), open_sandbox(), variants=len(bodies))
    assert [row.answer for row in rows] == ["18", "4.5"]
    assert {drop.reason for drop in ledger.drops} == {
        "the program fails: error",
        "the program fails: timeout",
        "the function returns no number",
    }
    assert all(map(promised, rows))


def test_the_new_problem_is_the_functions_docstring_and_no_example_of_the_prompt(
    scripted_llm: Callable[..., LLM],
) -> None:
    example = PROMPTS["solution 1"]
    with keep(Ledger()) as ledger:
        assert tinygsm([PENS], scripted_llm(lambda prompt, body: example), open_sandbox()) == []
    assert [drop.reason for drop in ledger.drops] == ["the problem repeats another"]
    (row,) = tinygsm([PENS], scripted_llm(good), open_sandbox())
    assert re.fullmatch(r"Mia has \d+ \w+ and finds \d+ more\. How many \w+ does Mia have now\?", row.prompt)
    assert row.completion.startswith("def solution():")


def test_several_styles_of_asking_show_the_seed(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or good(prompt, body))
    seeds = [Problem(prompt=f"How many pens are {n} and 2?", answer=str(n + 2)) for n in range(30)]
    tinygsm(seeds, llm, open_sandbox())
    openings = {style: PROMPTS[style].partition("{prompt}")[2] for style in STYLES}
    assert all(any(tail in prompt for prompt in asked) for tail in openings.values())
    assert all(any(seed.prompt in prompt for prompt in asked) for seed in seeds)


def test_an_answer_that_is_no_such_function_is_asked_again(scripted_llm: Callable[..., LLM]) -> None:
    again = iter(["def solution(x):\n    return x", "Sorry."])
    llm = scripted_llm(lambda prompt, body: next(again, None) or good(prompt, body))
    assert len(tinygsm([PENS], llm, open_sandbox())) == 1


def test_a_strong_model_publishes_what_is_promised(scripted_llm: Callable[..., LLM]) -> None:
    problems = [row for source in sources_of("raw.problems") for row, _ in source.rows()][:8]
    rows = tinygsm(problems, scripted_llm(good), open_sandbox())
    assert len(rows) == 8
    assert all(map(promised, rows))
    assert all(row.parents and row.origin for row in rows)
