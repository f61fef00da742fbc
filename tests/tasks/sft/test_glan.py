import json
import re
from collections import Counter
from typing import Any

from scripted import BindLLM, Reply

from catalog.records import Answer, Triple
from tasks.ledger import Ledger, keep
from tasks.sft.glan import Homework, glan

TAXONOMY = [
    Triple(subject=name, relation="is a discipline of", object="Science", graph="taxonomy")
    for name in ("Optics", "Botany", "Ethics")
]


def named(prompt: str) -> str:
    found = re.search(r"a student of (.+?) takes|the subject \"(.+?)\"", prompt)
    assert found
    return found[1] or found[2]


def listed(prompt: str, label: str) -> list[str]:
    return re.findall(rf"^{label}: (.*)$", prompt, re.MULTILINE)[-1].split("; ")


def good(prompt: str, body: dict[str, Any]) -> str:
    if prompt.startswith("List up to"):
        return json.dumps({"names": [f"{level} {named(prompt)}" for level in ("Basic", "Applied", "Modern")]})
    if prompt.startswith("Write the syllabus"):
        parts = [
            {"title": f"{named(prompt)} {part}", "points": [f"{named(prompt)} {part}.{n}" for n in range(1, 5)]}
            for part in (1, 2, 3)
        ]
        return json.dumps({"sections": parts})
    if prompt.startswith("You teach"):
        concepts = " and ".join(listed(prompt, "Key concepts"))
        return f"For somebody who studies {named(prompt)}: how do {concepts} hang together in case {body['seed']}?"
    return f"They hang together in this way: {prompt.partition('how do ')[2].rstrip('?')} come one after another."


def promised(row: Homework) -> bool:
    """A question on one or two sessions and one to five concepts, with an answer of its own."""
    sessions, concepts = row.sessions.split("; "), row.concepts.split("; ")
    sized = 1 <= len(sessions) <= 2 and 1 <= len(concepts) <= 5
    return sized and bool(row.name and row.discipline and row.completion.strip()) and row.prompt != row.completion


def make(llm: Any, rows: int = 3, **settings: Any) -> list[Homework]:
    return list(glan(TAXONOMY, llm, rows=rows, **settings))


def test_each_question_is_about_concepts_of_its_sessions_of_a_subject_of_its_discipline(scripted_llm: BindLLM) -> None:
    made = [row for seed in range(4) for row in make(scripted_llm(good), rows=6, seed=seed)]
    assert made
    for row in made:
        assert promised(row)
        assert row.name.endswith(row.discipline)
        for concept in row.concepts.split("; "):
            assert concept.partition(".")[0] in row.sessions.split("; ")
            assert concept in row.prompt
    assert {len(row.sessions.split("; ")) for row in made} == {1, 2}
    assert {len(row.concepts.split("; ")) for row in made} == {1, 2, 3, 4, 5}


def test_no_seed_examples_are_read_but_the_names_of_disciplines(scripted_llm: BindLLM) -> None:
    asked: list[dict[str, Any]] = []
    make(scripted_llm(lambda prompt, body: asked.append(body) or good(prompt, body)))
    first = [body["messages"] for body in asked[:3]]
    assert sorted(named(messages[-1]["content"]) for messages in first) == ["Botany", "Ethics", "Optics"]
    assert [len(messages) for messages in first] == [1, 1, 1]


def test_disciplines_and_their_subjects_take_turns(scripted_llm: BindLLM) -> None:
    few, many = make(scripted_llm(good)), make(scripted_llm(good), rows=18)
    assert Counter(row.discipline for row in few) == {"Optics": 1, "Botany": 1, "Ethics": 1}
    assert set(Counter(row.name for row in many).values()) == {2}
    assert len({row.name for row in many}) == 9


def test_a_subject_is_taught_once_and_a_question_asked_once(scripted_llm: BindLLM) -> None:
    def same(prompt: str, body: dict[str, Any]) -> str:
        if prompt.startswith("List up to"):
            return json.dumps({"names": ["Logic", "logic "]})
        return "What is logic?" if prompt.startswith("You teach") else good(prompt, body)

    with keep(Ledger()) as ledger:
        made = make(scripted_llm(same))
    assert [row.name for row in made] == ["Logic"]
    assert Counter(drop.reason for drop in ledger.drops) == {"it repeats another row": 4}


def test_an_answer_that_is_cut_is_dropped(scripted_llm: BindLLM) -> None:
    cut = scripted_llm(lambda p, b: Reply("They hang", finish="length") if p.startswith("For some") else good(p, b))
    with keep(Ledger()) as ledger:
        assert make(cut) == []
    assert {drop.reason for drop in ledger.drops} == {"an answer was cut before its end"}


def test_a_row_leads_back_to_its_discipline_through_every_call(scripted_llm: BindLLM) -> None:
    for row in make(scripted_llm(good)):
        calls, node = 0, row
        while not isinstance(node, Triple) or node.relation == "is a subject of":
            calls += sum(isinstance(each, Answer) for each in node.origin)
            node = next(each for each in node.origin if not isinstance(each, Answer))  # type: ignore[assignment]
        assert node in TAXONOMY
        assert calls == 4


def test_the_same_seed_makes_the_same_rows(scripted_llm: BindLLM) -> None:
    assert make(scripted_llm(good), seed=3) == make(scripted_llm(good), seed=3)
