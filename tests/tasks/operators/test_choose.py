from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply
from scripted.weighed import weighed

from tasks.llm import LLM
from tasks.operators.choose import choose
from tasks.operators.couple import Couple

LETTER = Couple(prompt="May I?", texts=("Yes.", "No."), traces=(("Yes.",), ("No.",)), principle="be kind")
THINK, QUESTION = "Think: {texts[0]} or {texts[1]}, to {principle}?", "So {thought} A or B?"


@pytest.mark.parametrize(("bounds", "expected"), [({}, [0.9, 0.1]), ({"low": 0.4, "high": 0.6}, [0.6, 0.4])])
def test_the_choice_follows_a_thought_and_its_probabilities_are_bounded(
    scripted_llm: Callable[..., LLM], bounds: dict[str, float], expected: list[float]
) -> None:
    asked: list[str] = []

    def judge(prompt: str, body: dict[str, Any]) -> str | Reply:
        asked.append(prompt)
        return "yes is kinder." if prompt.startswith("Think") else weighed({"A": 0.9, "B": 0.1})

    ((row, probabilities, answer),) = choose(scripted_llm(judge), [LETTER], THINK, QUESTION, **bounds)
    assert asked == ["Think: Yes. or No., to be kind?", "So yes is kinder. A or B?"]
    assert row.thought == "yes is kinder."
    assert row.parents == (LETTER.record_id,)
    assert probabilities == pytest.approx(expected)
    assert answer.value.best == "A"
