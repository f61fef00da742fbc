import json
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.aggregate import aggregate
from tasks.operators.judge import judge
from tasks.operators.label import label
from tasks.operators.pair import pair


def test_everything_that_a_row_shows_gets_a_verdict_of_its_own(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        schema = schema_of(body)
        assert schema is not None
        verdicts = {name: {"rationale": name, "rating": 5 - n} for n, name in enumerate(schema["properties"])}
        return json.dumps(verdicts)

    rows = [Prompt(prompt="one two three"), Prompt(prompt="one two")]
    verdicts = judge(
        scripted_llm(answer), rows, "rate: {prompt}", scale=range(1, 6), of=lambda row: len(row.prompt.split())
    )
    assert [(row.prompt, [v.rating for v in a.value]) for row, a in verdicts] == [
        ("one two three", [5, 4, 3]),
        ("one two", [5, 4]),
    ]


def test_a_rating_outside_the_scale_is_no_verdict(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: '{"text_1": {"rationale": "superb", "rating": 11}}')
    with keep(Ledger()) as ledger:
        assert judge(llm, [Prompt(prompt="a")], "rate: {prompt}", scale=range(1, 6)) == []
    assert "rating" in ledger.drops[0].reason


def test_a_label_is_one_of_those_given_and_the_demonstrations_come_before(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        assert body["messages"][1]["content"] == '{"label": "statement"}'
        assert "What is it?" in prompt
        return '{"label": "question"}' if prompt.startswith("Is it late?") else '{"label": "poem"}'

    with keep(Ledger()) as ledger:
        labelled = label(
            scripted_llm(answer),
            [Prompt(prompt="Is it late?"), Prompt(prompt="Go.")],
            "What is it?",
            ("question", "statement"),
            "{prompt}",
            demos=[("It rains.", "statement")],
        )
    assert [(row.prompt, answer.value) for row, answer in labelled] == [("Is it late?", "question")]
    assert [drop.row for drop in ledger.drops] == [Prompt(prompt="Go.")]


def test_means_are_taken_place_by_place_and_only_over_all_judgements() -> None:
    one, other = Prompt(prompt="one"), Prompt(prompt="other")
    with keep(Ledger()) as ledger:
        assert aggregate([(one, (1, 5)), (other, (3, 3)), (one, (2, 5))], of=2) == [(one, (1.5, 5.0))]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [(other, "a judgement is missing")]


def test_the_best_is_chosen_and_a_lower_one_rejected_and_ties_make_no_pair() -> None:
    row, tied, same = Prompt(prompt="abcd"), Prompt(prompt="efgh"), Prompt(prompt="ii")
    scored = [(row, (2.0, 4.5, 4.5, 1.0)), (tied, (3.0, 3.0, 3.0, 3.0)), (same, (1.0, 2.0))]
    with keep(Ledger()) as ledger:
        ((found, best, worse),) = pair(scored, lambda row: row.prompt)
        assert (found, best) == (row, 1)
        assert worse in {0, 3}
        assert pair(scored[:1], lambda row: row.prompt, worse="worst") == [(row, 1, 3)]
        assert pair(scored[:1], lambda row: row.prompt, margin=3) == [(row, 1, 3)]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [
        (tied, "no answer is rated below the best"),
        (same, "the answers rated differently are the same"),
    ]


def test_any_lower_answer_may_be_rejected() -> None:
    row = Prompt(prompt="abc")
    drawn = {pair([(row, (3.0, 2.0, 1.0))], lambda row: row.prompt, seed=seed)[0][2] for seed in range(20)}
    assert drawn == {1, 2}
