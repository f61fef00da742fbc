from collections import Counter
from collections.abc import Callable

from catalog.records import Prompt
from tasks.llm import LLM
from tasks.operators.evolve import evolve, mask_number

OPERATIONS = {"longer": "longer: {prompt}", "other": "other: {prompt}"}


def test_each_operation_is_drawn_about_as_often(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: prompt.upper())
    rows = [Prompt(prompt=f"row {number}") for number in range(60)]
    evolved = evolve(llm, rows, OPERATIONS, parse=str)
    drawn = Counter(answer.value.operation for _, answer in evolved)
    assert set(drawn) == {"longer", "other"}
    assert min(drawn.values()) > 15
    assert all(answer.value.text.startswith(answer.value.operation.upper()) for _, answer in evolved)


def test_the_draw_of_a_row_does_not_depend_on_the_others(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: prompt)
    rows = [Prompt(prompt=f"row {number}") for number in range(8)]
    every = {row.prompt: answer.value for row, answer in evolve(llm, rows, OPERATIONS, parse=str, seed=3)}
    some = {row.prompt: answer.value for row, answer in evolve(llm, rows[5:], OPERATIONS, parse=str, seed=3)}
    assert some == {prompt: every[prompt] for prompt in some}


def test_a_number_is_masked_and_becomes_what_is_asked() -> None:
    row = Prompt(prompt="Ana has 1,200 pens at $2.50.")
    masks = [masked for _, masked in mask_number([row], lambda row: row.prompt, n=5)]
    assert {(m.text, m.number) for m in masks} == {
        ("Ana has x pens at $2.50.", "1,200"),
        ("Ana has 1,200 pens at $x.", "2.50"),
    }


def test_the_unknown_is_a_letter_that_the_text_does_not_use() -> None:
    ((_, masked),) = mask_number([Prompt(prompt="Solve x + y = 4")], lambda row: row.prompt)
    assert (masked.text, masked.unknown) == ("Solve x + y = z", "z")


def test_what_is_known_is_not_masked() -> None:
    pairs = mask_number([Prompt(prompt="9 - 5 is 4")], lambda row: row.prompt, spare=lambda row: "4", n=5)
    assert {masked.number for _, masked in pairs} == {"9", "5"}
    assert mask_number([Prompt(prompt="It is 4.")], lambda row: row.prompt, spare=lambda row: "4") == []
