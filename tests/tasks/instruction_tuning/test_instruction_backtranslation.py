import json
import re
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.records import Document, PromptCompletion
from tasks.instruction_tuning.instruction_backtranslation import SHOTS, Tagged, instruction_backtranslation
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

SEEDS = [PromptCompletion(prompt="How do I boil an egg?", completion="Put it in boiling water for seven minutes.")]
TEA = "Tea is made from leaves. Steep them in hot water for about three minutes, and take them out before it is bitter."
RAIN = "Rain falls when drops in a cloud grow too heavy for the air that holds them up. Then they sink to the ground."


def good(prompt: str, body: dict[str, Any]) -> str:
    """An instruction in the words of the text, and the top rating for the pairs that it belongs to."""
    schema = schema_of(body)
    assert schema is not None
    if "input" in schema["properties"]:
        text = prompt.removeprefix("Text: ").partition("\n\nThis text is")[0]
        words = " ".join(re.findall(r"\w{4,}", text)[:6])
        return json.dumps({"input": f"What should I know about {words}?"[:160]})
    return verdict(5)


def promised(row: Tagged) -> bool:
    tags = {"seed": "Answer as one", "augmented": "what is written"}
    return row.prompt != row.completion and row.score >= 4 and tags[row.kind] in row.system


def verdict(rating: int) -> str:
    return json.dumps({"text_1": {"rationale": f"It is worth {rating}.", "rating": rating}})


def test_a_segment_becomes_the_answer_to_the_instruction_predicted_for_it(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(good)
    seed, augmented = instruction_backtranslation([Document(text=TEA)], SEEDS, llm, llm)
    assert (seed.kind, seed.prompt, seed.completion) == ("seed", SEEDS[0].prompt, SEEDS[0].completion)
    assert augmented.kind == "augmented"
    assert augmented.completion == TEA
    assert augmented.prompt.startswith("What should I know about made from")
    assert seed.system != augmented.system
    assert promised(seed)
    assert promised(augmented)


def test_the_seeds_stand_in_for_a_backward_model_from_answer_to_instruction(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[Any] = []
    llm = scripted_llm(lambda prompt, body: asked.append(body["messages"]) or good(prompt, body))
    instruction_backtranslation([Document(text=TEA)], SEEDS, llm, llm, rounds=1)
    assert SEEDS[0].completion in asked[0][0]["content"]
    assert json.loads(asked[0][1]["content"]) == {"input": SEEDS[0].prompt}


def test_only_pairs_at_the_top_of_the_last_round_stay(scripted_llm: Callable[..., LLM]) -> None:
    """The second round sees the best of the first as examples, and rates all pairs anew: here it takes both back."""
    shown: list[int] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        if prompt.startswith("Text: "):
            return good(prompt, body)
        count = len(body["messages"]) // 2
        shown.append(count)
        return verdict(5 if (count > len(SHOTS)) == (RAIN in prompt) else 4)

    llm = scripted_llm(answer)
    documents = [Document(text=TEA), Document(text=RAIN)]
    with keep(Ledger()) as ledger:
        rows = instruction_backtranslation(documents, [], llm, llm)
    assert [row.completion for row in rows] == [RAIN]
    assert [drop.reason for drop in ledger.drops] == ["it is rated below 5 at last"]
    assert sorted(shown) == [len(SHOTS)] * 2 + [len(SHOTS) + 1] * 2
    (first,) = instruction_backtranslation(documents, [], llm, llm, rounds=1)
    assert first.completion == TEA


def test_segments_must_stand_alone_and_instructions_must_ask(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        return json.dumps({"input": "Rain falls when drops"}) if prompt.startswith("Text: ") else verdict(5)

    documents = [Document(text="However, " + TEA), Document(text=TEA + " And then you can"), Document(text=RAIN)]
    llm = scripted_llm(answer)
    with keep(Ledger()) as ledger:
        assert instruction_backtranslation(documents, [], llm, llm) == []
    assert {drop.reason for drop in ledger.drops} == {
        "the piece leans on what stands before it",
        "the piece does not begin and end with a sentence",
        "it stands in the text itself",
    }


def test_a_row_leads_back_to_its_segment_and_every_rating(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(good)
    (row,) = instruction_backtranslation([document := Document(text=TEA)], [], llm, llm)
    unrated = row.origin[0]
    assert isinstance(unrated, Tagged)
    segment = unrated.origin[0]
    assert isinstance(segment, Document)
    assert segment.parents == (document.record_id,)
    assert row.parents == (unrated.record_id,)
