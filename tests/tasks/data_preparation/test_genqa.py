import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import schema_of

from catalog.sources.question_splits import QuestionSplit
from tasks.data_preparation.genqa import BOOSTERS, Generated, Variant, genqa
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

SPLITS = [
    QuestionSplit(name="a", wanted="sciences", question="a hard question", topics=("optics", "acoustics")),
    QuestionSplit(name="b", wanted="hobbies", question="a simple question", topics=("chess", "rowing")),
]
ADVERBS = ("often", "slowly", "always", "rarely", "together", "alone", "twice")


def good(prompt: str, body: dict[str, Any]) -> str:
    """A list numbered by what it is a list of, and a question about the topic; each request has words of its own."""
    properties = (schema_of(body) or {})["properties"]
    key = body["seed"]
    if "options" in properties:
        count = properties["options"]["minItems"]
        within = prompt.partition('belong to "')[2].partition('"')[0][:12]
        items = [f"{within or 'topic'} {key % 9973} {number}" for number in range(count)]
        return json.dumps({"options": items} | ({"picked": items[1]} if "picked" in properties else {}))
    topic = prompt.partition('topic "')[2].partition('"')[0]
    words = " ".join(ADVERBS[(key >> shift) % 7] for shift in (0, 3, 6))
    return json.dumps({"question": f"Who {words} asks about {topic or key}?", "answer": f"Those who {words} wonder."})


def promised(row: Generated) -> bool:
    return row.prompt != row.completion and row.prompt.endswith("?") and bool(row.completion)


def asked(scripted_llm: Callable[..., LLM], variant: Variant, **settings: Any) -> tuple[list[Generated], list[str]]:
    prompts: list[str] = []
    llm = scripted_llm(lambda prompt, body: prompts.append(prompt) or good(prompt, body))
    return list(genqa(SPLITS, llm, variant=variant, **{"rows": 1, "options": 5} | settings)), prompts


@pytest.mark.parametrize(
    ("variant", "calls"),
    [
        ("static", ["Write a hard question"]),
        ("conditional", ["Write a hard question"]),
        ("generator-conditional", ["List 5 narrow topics that belong to", "Write a hard question"]),
        ("generator-nested", ["List 5 sciences", "List 5 narrow topics", "Write a hard question"]),
        ("generator-uniform", ["List 5 sciences", "List 5 narrow topics", "Write a hard question"]),
    ],
)
def test_a_variant_lists_so_often_before_it_asks(
    scripted_llm: Callable[..., LLM], variant: Variant, calls: list[str]
) -> None:
    (row,), prompts = asked(scripted_llm, variant)
    assert len(prompts) == len(calls)
    assert all(prompt.startswith(begin) for prompt, begin in zip(prompts, calls, strict=True))
    assert promised(row)
    assert ("random" in prompts[0]) == (variant == "generator-uniform")
    assert row.topic in prompts[-1]
    assert (row.topic in SPLITS[0].topics) == (variant == "conditional")


def test_each_list_is_of_what_was_drawn_from_the_one_before(scripted_llm: Callable[..., LLM]) -> None:
    (row,), (_, second, third) = asked(scripted_llm, "generator-nested")
    first_pick = second.partition('"')[2].partition('"')[0]
    assert first_pick.startswith("topic ")
    assert row.topic.startswith(first_pick[:12].strip())
    assert row.topic in third


def test_the_item_is_drawn_by_dice_all_over_the_list(scripted_llm: Callable[..., LLM]) -> None:
    rows, _ = asked(scripted_llm, "generator-conditional", rows=60)
    counts = [sum(row.topic.endswith(f" {place}") for row in rows) for place in range(5)]
    assert sum(counts) == 60
    assert min(counts) > 4


def test_boosters_are_drawn_and_kinds_take_turns(scripted_llm: Callable[..., LLM]) -> None:
    rows, prompts = asked(scripted_llm, "static", rows=40)
    assert len({booster for booster in BOOSTERS if any(prompt.endswith(booster) for prompt in prompts)}) > 4
    assert (
        sum("a hard question" in prompt for prompt in prompts) == sum("a simple" in prompt for prompt in prompts) == 20
    )
    assert {row.origin[0].origin[0] for row in rows} == set(SPLITS)


def test_a_pick_must_be_on_the_list_and_questions_must_be_new(scripted_llm: Callable[..., LLM]) -> None:
    def stray(prompt: str, body: dict[str, Any]) -> str:
        made = json.loads(good(prompt, body))
        return json.dumps(made | {"picked": "something else"} if "picked" in made else made)

    with keep(Ledger()) as ledger:
        assert genqa(SPLITS, scripted_llm(stray), rows=2, options=3, variant="generator-uniform") == []
        llm = scripted_llm(lambda prompt, body: json.dumps({"question": "Who is it?", "answer": "Nobody."}))
        assert len(genqa(SPLITS, llm, rows=3, variant="static")) == 1
    assert [drop.reason for drop in ledger.drops] == [
        *["the pick is not on the list"] * 2,
        *["the question repeats another"] * 2,
    ]
