import pytest

from catalog.records import Answer, Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.eliminate import eliminate, fault_of_answer, read_instruction
from tasks.operators.evolve import Evolved

SNOW = Prompt(prompt="Why is snow white?")


def _evolved(text: str) -> tuple[Prompt, Answer[Evolved]]:
    return SNOW, Answer(Evolved("deepen", text), "call")


def test_a_child_names_its_parent_and_its_operation() -> None:
    (child,) = eliminate([_evolved("Why is snow white, and ice blue?")])
    assert (child.prompt, child.parent, child.operation) == ("Why is snow white, and ice blue?", SNOW.prompt, "deepen")
    assert child.parents == (SNOW.record_id,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" Why is  snow white?\n", "no information gain: the same words"),
        ("This is the Rewritten Prompt", "words of the evolving prompt leaked: rewritten prompt"),
        ("Why is the sea salty?", "words of the evolving prompt leaked: its example"),
        ("I go home and then " * 9, "the instruction runs in a circle"),
    ],
)
def test_what_is_no_child_is_dropped_with_the_reason(text: str, reason: str) -> None:
    with keep(Ledger()) as ledger:
        assert eliminate([_evolved(text)], shown={"Why is the sea salty?"}) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("I go home and then " * 9, "the answer runs in a circle"),
        ("Sorry, I cannot help with that.", "the answer is short and says sorry"),
        ("?! And so, it is.", "the answer is only punctuation and stop words"),
        ("Sorry to hear it. " + " ".join(f"Flake {n} scatters light." for n in range(30)), ""),
        ("Light.", ""),
    ],
)
def test_an_answer_shows_that_nobody_could_answer(text: str, fault: str) -> None:
    assert fault_of_answer(text) == fault


def test_a_heading_is_no_part_of_an_instruction() -> None:
    assert read_instruction('#Rewritten Prompt#: "Why is ice blue?"') == "Why is ice blue?"
    with pytest.raises(ValueError, match="blank"):
        read_instruction("#Created Prompt#:")
