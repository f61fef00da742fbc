from typing import Any

from scripted import BindLLM

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.translate import code_switch, translate

DOG, CAT = Prompt(prompt="A dog barks."), Prompt(prompt="A cat sleeps.")
GERMAN = {"A dog barks.": "Ein Hund bellt.", "A cat sleeps.": "Eine Katze schläft."}


def german(prompt: str, _: Any) -> str:
    return f"Here is the translation: {GERMAN[prompt.partition(chr(10) * 2)[2]]}"


def test_each_text_is_asked_for_in_the_other_language(scripted_llm: BindLLM) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or german(prompt, body))
    pairs = translate(llm, [DOG, CAT], "{prompt}", "German")
    assert [(row, answer.value) for row, answer in pairs] == [(DOG, "Ein Hund bellt."), (CAT, "Eine Katze schläft.")]
    assert all("from English into German" in prompt for prompt in asked)


def test_the_text_itself_is_no_translation(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, _: prompt.partition("\n\n")[2])
    with keep(Ledger()) as ledger:
        assert translate(llm, [DOG, Prompt(prompt=" ")], "{prompt}", "German") == []
    assert [drop.reason for drop in ledger.drops] == [
        "there is no text to translate",
        "the translation is the text itself",
    ]


def test_shots_are_turns_of_the_same_form(scripted_llm: BindLLM) -> None:
    seen: list[list[dict[str, str]]] = []
    llm = scripted_llm(lambda prompt, body: seen.append(body["messages"]) or german(prompt, body))
    translate(llm, [DOG], "{prompt}", "German", shots=[(CAT.prompt, GERMAN[CAT.prompt])])
    ask, said, last = seen[0]
    assert (ask["role"], said["content"]) == ("user", "Eine Katze schläft.")
    assert ask["content"].replace(CAT.prompt, DOG.prompt) == last["content"]


def switched(ratio: float, rows: int = 200) -> list[tuple[str, ...]]:
    prompts = [Prompt(prompt=f"{number}") for number in range(rows)]
    words = {"dog": "Hund", "barks": "bellt"}
    return [
        parts
        for _, parts in code_switch(prompts, lambda _: ("the", "dog", "barks"), lambda _: words, ratio=lambda _: ratio)
    ]


def test_only_what_the_dictionary_holds_is_switched() -> None:
    assert set(switched(1.0)) == {("the", "Hund", "bellt")}
    assert set(switched(0.0)) == {("the", "dog", "barks")}


def test_about_the_ratio_of_the_parts_is_switched_each_by_itself() -> None:
    parts = [part for row in switched(0.3) for part in row[1:]]
    assert 0.2 < sum(part in {"Hund", "bellt"} for part in parts) / len(parts) < 0.4
    assert ("the", "Hund", "barks") in switched(0.5)
