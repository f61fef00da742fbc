import json
from collections.abc import Callable

from catalog.records import Answer, Problem
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.agree import agree
from tasks.operators.correct import correct, mistakes

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18")


def said(text: str) -> Answer[str]:
    return Answer(text, text)


def test_wrong_solutions_are_kept_once_with_numbered_steps() -> None:
    wrong = said("A bag holds 6. So 3 + 6 = 9.\nThe answer is: 9")
    with keep(Ledger()) as ledger:
        (attempt,) = mistakes([(PENS, wrong), (PENS, wrong), (PENS, said("The answer is: 18")), (PENS, said("Many."))])
    assert attempt.path == "Step 1: A bag holds 6.\nStep 2: So 3 + 6 = 9.\nStep 3: The answer is: 9"
    assert attempt.origin == (PENS, wrong)
    assert sorted(drop.reason for drop in ledger.drops) == [
        "the mistake repeats another",
        "the solution has no mistake to correct",
        "the solution states no answer",
    ]


def test_a_correction_stays_if_its_answer_is_right_and_the_step_is_there(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: object) -> str:
        step, right = (9, "18") if "3 - 6" in prompt else (1, "18" if "3 + 6" in prompt else "12")
        why = "Bags of 6 are multiplied."
        return json.dumps({"wrong_step": step, "why": why, "solution": f"3 * 6 = {right}", "answer": right})

    texts = ["3 + 6 = 9\nThe answer is: 9", "3 - 6 = -3\nThe answer is: -3", "3 / 6 = 0.5\nThe answer is: 0.5"]
    attempts = mistakes([(PENS, said(text)) for text in texts])
    with keep(Ledger()) as ledger:
        ((attempt, correction),) = correct(scripted_llm(answer), attempts, "{prompt}\n{path}")
    assert attempt is attempts[0]
    assert correction.value.wrong_step == 1
    assert {drop.evidence for drop in ledger.drops} == {"step 9 of 2", "12 was stated, 18 is right"}


def test_a_question_takes_the_answer_of_more_than_half_of_its_solutions() -> None:
    other = Problem(prompt="What is 2 + 2?", answer="")
    answers = [said(f"{n}. The answer is: {n}") for n in ("18", "18.", "20", "4", "5", "6")]
    with keep(Ledger()) as ledger:
        pairs = agree([(PENS, a) for a in answers[:3]] + [(other, a) for a in answers[3:]], of=3)
    assert [answer for _, answer in pairs] == answers[:2]
    settled = pairs[0][0]
    assert (settled.prompt, settled.answer) == (PENS.prompt, "18")
    assert settled.origin == (PENS, *answers[:2])
    assert [drop.evidence for drop in ledger.drops] == ["4, 5, 6"]
