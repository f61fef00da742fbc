from collections.abc import Callable
from functools import cache
from typing import Any

from scripted import Reply, ScriptedServer

from catalog.records import Problem
from catalog.sources import sources_of
from infra.settings import load_settings
from tasks.ledger import Ledger, keep
from tasks.llm import LLM, open_models
from tasks.operators.answers import same_answer
from tasks.operators.equations import equations
from tasks.sft.rft import ReasoningPath, rft

PENS = Problem(prompt="A bag holds 6 pens. Ana has 3 bags and loses 2. How many pens has she?", answer="16")
PATHS = [
    "3 * 6 = 18 pens, and 18 - 2 = 16.\nThe answer is 16",
    "6 + 6 + 6 = 18. Then 18 - 2 = 16.\nThe answer is 16",
    "In three bags there are 3 * 6 = 18 pens; two are lost, so 18 - 2 = 16 are left to her.\nThe answer is 16",
    "3 * 6 = 18 and 18 - 2 = 15.\nThe answer is 15",
    "3 * 6 = 17, and 17 - 1 = 16.\nThe answer is 16",
    "18 - 2 = 16 once 3 * 6 = 18 is known.\nThe answer is 16",
]


@cache
def answers() -> dict[str, str]:
    return {row.prompt: row.answer for source in sources_of("raw.problems") for row, _ in source.rows()}


def good(prompt: str, body: dict[str, Any]) -> str:
    """One of several ways of going up or down to a whole number; another answer comes after something true."""
    answer, step = answers()[prompt], body["seed"] % 7 + 1
    told = ["Go up", "First count on", "From below one comes", "It is", "Take a smaller number and add"][
        body["seed"] % 5
    ]
    if not answer.lstrip("-").isdigit():
        return f"{told} {step}: {step} + {step} = {step * 2}.\nThe answer is {answer}"
    if body["seed"] % 2:
        return f"{told}, by {step}: {int(answer) - step} + {step} = {answer}.\nThe answer is {answer}"
    return f"The other way round, {int(answer) + step} - {step} = {answer} holds.\nThe answer is {answer}"


def promised(row: ReasoningPath) -> bool:
    found = equations(row.completion)
    right = same_answer(row.answer, row.completion.rpartition("The answer is: ")[2])
    return right and all(each.true for each in found) and row.equations == tuple(map(str, found))


def in_turn(texts: list[str]) -> Callable[[str, dict[str, Any]], str]:
    """Each draw of a prompt takes the next of the texts, by the place of its seed among those seen."""
    seeds: list[int] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if body["seed"] not in seeds:
            seeds.append(body["seed"])
        return texts[seeds.index(body["seed"]) % len(texts)]

    return answer


def test_two_paths_with_the_same_equations_count_once_and_the_one_that_differs_most_stays(
    scripted_llm: Callable[..., LLM],
) -> None:
    with keep(Ledger()) as ledger:
        rows = rft([PENS], scripted_llm(in_turn(PATHS), concurrency=1), samples=len(PATHS))
    assert {row.equations for row in rows} == {
        ("3*6=18", "18-2=16"),
        ("6+6+6=18", "18-2=16"),
        ("18-2=16", "3*6=18"),  # the same equations in another order are another path
    }
    assert [row.completion.splitlines()[0] for row in rows if row.equations == ("3*6=18", "18-2=16")] == [
        PATHS[2].splitlines()[0]
    ]
    assert {drop.reason for drop in ledger.drops} == {
        "the solution's answer is wrong",
        "a calculation of the solution is false",
        "a path with the same equations differs more from the rest",
    }
    assert all(map(promised, rows))


def test_the_paths_of_all_models_of_the_role_are_united(tmp_path: Any) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        return PATHS[0] if body["model"] == "one" else PATHS[1]

    with ScriptedServer(answer, models=["one", "two"]) as server:
        roles = {"generator": f"one@{server.url},two@{server.url}"}
        with open_models(load_settings(home=tmp_path, roles=roles, base_url=server.url, model="one")) as models:
            rows = rft([PENS], models.get("generator"), samples=3)
    assert {(row.model, row.equations[0]) for row in rows} == {("one", "3*6=18"), ("two", "6+6+6=18")}


def test_a_problem_that_no_model_solves_makes_no_row(scripted_llm: Callable[..., LLM]) -> None:
    assert rft([PENS], scripted_llm(lambda prompt, body: "The answer is 12.")) == []


def test_a_strong_model_publishes_what_is_promised(scripted_llm: Callable[..., LLM]) -> None:
    problems = [row for source in sources_of("raw.problems") for row, _ in source.rows()][:8]
    rows = rft(problems, scripted_llm(good))
    assert len(rows) >= 8
    assert all(map(promised, rows))
    assert all(row.parents and row.origin[1].call for row in rows)
