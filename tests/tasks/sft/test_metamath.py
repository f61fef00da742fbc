import re
from collections.abc import Callable
from functools import cache
from typing import Any

from catalog.records import Problem
from catalog.sources import sources_of
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.answers import final_answer, same_answer
from tasks.sft.metamath import Solved, metamath

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18", topic="pens")
RIGHT = {
    PENS.prompt: "3 * 6 = 18. The answer is 18.",
    "What do 3 bags of 6 pens each hold?": "The answer is 18.",
    "A bag holds x pens. 3 bags hold 18 pens. What is the value of the unknown x?": "18 / 3 = 6. The answer is 6.",
    "A bag holds 6 pens. x bags hold 18 pens. What is the value of the unknown x?": "18 / 6 = 3. The answer is 3.",
    "A bag holds x pens. How many pens do 3 bags hold?\n"
    "If we know that the answer to this is 18, what is the value of the unknown x?": "The answer is 6.",
    "A bag holds 6 pens. How many pens do x bags hold?\n"
    "If we know that the answer to this is 18, what is the value of the unknown x?": "The answer is 3.",
}


ASKED = " What is the value of the unknown "
KNOWN = re.compile(r"(?: That makes |\nIf we know that the answer to this is )(.+?)(?:\.|, what is .*)?$", re.DOTALL)


@cache
def answers() -> dict[str, str]:
    """The answer of every problem, whatever the white space."""
    rows = [row for source in sources_of("raw.problems") for row, _ in source.rows()]
    return {" ".join(row.prompt.split()): row.answer for row in rows}


def unmasked(prompt: str) -> str:
    """The number that a letter stands for in a problem whose answer is told."""
    text = prompt.partition(ASKED)[0]
    told = KNOWN.search(text)
    letter = prompt.rstrip("?").split()[-1]
    before, _, after = re.sub(
        rf"(?<![A-Za-z]){letter}(?![A-Za-z])", "\0", text[: told.start()] if told else text, count=1
    ).partition("\0")
    shape = re.escape(" ".join(before.split())) + r"\s?(-?[\d,.]*\d)\s?" + re.escape(" ".join(after.split()))
    for problem, answer in answers().items():
        if told and answer == told[1] and (found := re.match(shape, problem)):
            return found[1]
    return "none"


def good(prompt: str, body: dict[str, Any]) -> str:
    """Says a problem, and it with its answer, in a sentence more; solves all of them from what the table says."""
    if prompt.startswith("Say the problem"):
        return f"Here is task {'abcdefgh'[body['seed'] % 8]}. {prompt.partition('Problem: ')[2]}"
    if prompt.startswith("Turn the question"):
        question, _, answer = prompt.partition("Question: ")[2].rpartition("\nAnswer: ")
        return f"{question} That makes {answer}."
    asked = " ".join(re.sub(r"^Here is task [a-h]\. ", "", prompt).split())
    answer = answers().get(asked) or unmasked(prompt)
    words = asked.split()
    place = body["seed"] % len(words)
    return f"Begin with {' '.join(words[place : place + 4])}, then go on to the end.\nThe answer is {answer}"


def promised(row: Solved) -> bool:
    """The solution states the answer, which is the problem's own where it is asked forwards."""
    backward = row.kind in {"self-verification", "fobar"}
    right = row.answer if backward else answers().get(" ".join(row.prompt.split()), row.answer)
    return backward == ("the unknown" in row.prompt) and same_answer(final_answer(row.completion), right)


def teacher(prompt: str, body: dict[str, Any]) -> str:
    if prompt.startswith("Say the problem"):
        return "What do 3 bags of 6 pens each hold?"
    if prompt.startswith("Turn the question"):
        return "3 bags hold 18 pens."
    return RIGHT[prompt]


def test_a_problem_is_asked_from_four_sides(scripted_llm: Callable[..., LLM]) -> None:
    rows = metamath([PENS], scripted_llm(teacher))
    asked = {(row.kind, row.prompt, row.answer) for row in rows}
    prompts = list(RIGHT)
    assert asked == {
        ("answer augmentation", prompts[0], "18"),
        ("rephrasing", prompts[1], "18"),
        ("self-verification", prompts[2], "6"),
        ("self-verification", prompts[3], "3"),
        ("fobar", prompts[4], "6"),
        ("fobar", prompts[5], "3"),
    }
    assert rows[0].completion == "3 * 6 = 18. The answer is 18.\nThe answer is: 18"


def test_only_solutions_with_the_right_answer_stay(scripted_llm: Callable[..., LLM]) -> None:
    def careless(prompt: str, body: dict[str, Any]) -> str:
        said = teacher(prompt, body)
        return said.replace("is 18", "is 19").replace("is 6", "is 7") if prompt in RIGHT else said

    with keep(Ledger()) as ledger:
        rows = metamath([PENS], scripted_llm(careless))
    assert {row.answer for row in rows} == {"3"}
    assert {drop.evidence for drop in ledger.drops if "wrong" in drop.reason} == {
        "19 was stated, 18 is right",
        "7 was stated, 6 is right",
    }


def test_every_row_leads_back_to_its_problem_and_calls(scripted_llm: Callable[..., LLM]) -> None:
    for row in metamath([PENS], scripted_llm(teacher)):
        question, solution = row.origin
        assert question.parents == (PENS.record_id,) or question.origin[0].parents == (PENS.record_id,)
        assert solution.call


def test_the_same_seed_makes_the_same_rows(scripted_llm: Callable[..., LLM]) -> None:
    first, second = (metamath([PENS], scripted_llm(teacher), seed=4) for _ in range(2))
    assert [row.record_id for row in first] == [row.record_id for row in second]
