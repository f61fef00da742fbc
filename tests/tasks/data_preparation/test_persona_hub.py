import re
from collections import Counter
from typing import Any

from scripted import BindLLM, Reply

from catalog.records import Answer, Document
from tasks.data_preparation.persona_hub import KINDS, Solved, persona_hub
from tasks.ledger import Ledger, keep
from tasks.llm.embedder import offline
from tasks.operators.persona import Person

SUBJECTS = ("tides", "bread", "violins", "taxes", "volcanoes", "chess", "bees", "bridges")
TEXTS = [
    Document(text=f"Many years ago somebody wrote this page, in which one reads a little about {subject}. " * 2)
    for subject in SUBJECTS
]
WORK = ("sells", "paints", "studies", "repairs", "guards", "forbids", "counts", "collects", "dreams of", "writes about")
PLACES = ("Lima", "Oslo", "Accra", "Hanoi", "Quito", "Turin", "Perth", "Kyoto", "Cairo", "Minsk", "Sofia", "Davao")


def good(prompt: str, body: dict[str, Any]) -> str:
    number = int(body["seed"])
    *_, subject = "nothing", *re.findall(r"[a-z]{5,}", prompt.rpartition(": ")[2].lower())
    work, place = WORK[number % len(WORK)], PLACES[number // 7 % len(PLACES)]
    if prompt.startswith("Who is"):
        return f"Somebody who {work} {subject} by the harbour of {place}, and in year {number} cares for nothing else."
    if prompt.startswith("Write"):
        return f"In {place} a person thinks about {subject}: what are {number % 89} and {number % 97} together?"
    return f"Together they are as many as {re.findall(r'[0-9]+', prompt)} say when they are added."


def promised(row: Solved) -> bool:
    """A person asks something of one kind, and it is solved."""
    asks = bool(row.prompt.strip() and row.completion.strip()) and row.prompt != row.completion
    return asks and row.kind in KINDS and len(row.persona.split()) >= 5


def make(llm: Any, rows: int = 6, **settings: Any) -> list[Solved]:
    return list(persona_hub(TEXTS, llm, offline(), rows=rows, **settings))


def persons(made: list[Solved]) -> list[Person]:
    return [row.origin[0].origin[0] for row in made]  # type: ignore[union-attr, misc]


def test_persons_come_from_texts_and_from_those_close_to_them(scripted_llm: BindLLM) -> None:
    made = make(scripted_llm(good))
    assert all(promised(row) for row in made)
    rounds = Counter(person.round for person in persons(made))
    assert rounds == {0: 3, 1: 3}
    for person in persons(made):
        found = person.origin[0]
        assert isinstance(found, Person if person.round else Document)


def test_each_asks_one_thing_the_kinds_in_turn_with_its_person_in_the_prompt(scripted_llm: BindLLM) -> None:
    asked: list[str] = []
    made = make(scripted_llm(lambda prompt, body: asked.append(prompt) or good(prompt, body)))
    assert Counter(row.kind for row in made) == dict.fromkeys(KINDS, 2)
    writes = [prompt for prompt in asked if prompt.startswith("Write")]
    assert sorted(prompt.rpartition("Person: ")[2] for prompt in writes) == sorted(row.persona for row in made)


def test_no_more_than_six_rounds_lead_from_a_text(scripted_llm: BindLLM) -> None:
    deep = persons(make(scripted_llm(good), rows=40, from_texts=0.025))
    assert Counter(person.round for person in deep) == dict.fromkeys(range(7), 1)
    flat = persons(make(scripted_llm(good), rows=40, from_texts=0.025, rounds=2))
    assert max(person.round for person in flat) == 2


def test_a_person_of_the_same_words_or_meaning_is_dropped(scripted_llm: BindLLM) -> None:
    same = {
        "tides": "A fisher in the north who watches the sea and fears the autumn storms.",
        "bread": "In the north, a fisher who fears the autumn storms and watches the sea.",
        "violins": "A fisherman in the north who keeps watching the sea, fearing the storms of autumn.",
    }

    def answer(prompt: str, body: dict[str, Any]) -> str:
        subject = next((each for each in same if each in prompt), "")
        return same[subject] if prompt.startswith("Who is likely") and subject else good(prompt, body)

    with keep(Ledger()) as ledger:
        made = make(scripted_llm(answer), rows=8, from_texts=1.0, rounds=0)
    assert len({row.persona for row in made} & set(same.values())) == 1
    assert Counter(drop.reason for drop in ledger.drops) == {
        "its words are 0.9 or more those of another": 1,
        "its vector has a cosine of 0.9 or more to another": 1,
    }


def test_what_two_persons_ask_in_the_same_words_is_solved_once(scripted_llm: BindLLM) -> None:
    one = scripted_llm(lambda p, b: "What is 2 + 2?" if p.startswith("Write") else good(p, b))
    assert [row.prompt for row in make(one)] == ["What is 2 + 2?"]


def test_a_problem_must_ask_something(scripted_llm: BindLLM) -> None:
    told = scripted_llm(lambda p, b: good(p, b).replace("?", ".") if p.startswith("Write") else good(p, b))
    assert {row.kind for row in make(told)} == {"instruction"}


def test_a_solution_that_is_cut_is_dropped(scripted_llm: BindLLM) -> None:
    cut = scripted_llm(lambda p, b: Reply("Toge", finish="length") if p.startswith("In ") else good(p, b))
    with keep(Ledger()) as ledger:
        assert make(cut) == []
    assert {drop.reason for drop in ledger.drops} == {"an answer was cut before its end"}


def test_a_row_leads_to_a_call_for_the_person_the_question_and_the_solution(scripted_llm: BindLLM) -> None:
    for row in make(scripted_llm(good)):
        asked = row.origin[0]
        steps = [row, asked, asked.origin[0]]  # type: ignore[union-attr]
        assert all(any(isinstance(each, Answer) for each in step.origin) for step in steps)  # type: ignore[union-attr]


def test_the_same_seed_makes_the_same_rows(scripted_llm: BindLLM) -> None:
    assert make(scripted_llm(good), seed=2) == make(scripted_llm(good), seed=2)
