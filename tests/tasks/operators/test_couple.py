from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.couple import couple
from tasks.operators.refine import Draft

ASKED = [Prompt(prompt=f"May I read letter {number}?") for number in range(40)]
RULES = ["be kind", "be honest"]


def drafts(row: Prompt) -> list[tuple[Prompt, Draft]]:
    return [(row, Draft(texts=(f"{row.prompt} {word}", word), critiques=("too short",))) for word in ("yes", "no")]


def test_the_order_and_the_principle_are_drawn_for_each_prompt() -> None:
    couples = couple(ASKED, [pair for row in ASKED for pair in drafts(row)], RULES)
    assert [each.prompt for each in couples] == [row.prompt for row in ASKED]
    assert {each.texts for each in couples} == {("yes", "no"), ("no", "yes")}
    assert {each.principle for each in couples} == set(RULES)
    assert all(trace[-1] == text for each in couples for trace, text in zip(each.traces, each.texts, strict=True))


def test_a_prompt_with_one_draft_is_dropped() -> None:
    with keep(Ledger()) as ledger:
        assert couple(ASKED[:1], drafts(ASKED[0])[:1], RULES) == []
    assert [drop.reason for drop in ledger.drops] == ["fewer than two answers were revised"]
