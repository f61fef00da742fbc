import json
from typing import Any

from scripted import BindLLM

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.outline import Section, names, outline

SEA = Prompt(prompt="the sea")


def test_names_are_distinct_whatever_their_case_and_in_order(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda *_: json.dumps({"names": ["Tides", " salt  water", "tides", "Waves"]}))
    ((row, answer),) = names(llm, [SEA], "List what belongs to {prompt}.")
    assert row is SEA
    assert answer.value == ("Tides", "salt water", "Waves")


def test_what_has_no_letters_is_no_name(scripted_llm: BindLLM) -> None:
    some = scripted_llm(lambda *_: json.dumps({"names": [", ,", "Waves"]}))
    none = scripted_llm(lambda *_: json.dumps({"names": ["12"]}))
    assert [answer.value for _, answer in names(some, [SEA], "List {prompt}.")] == [("Waves",)]
    with keep(Ledger()) as ledger:
        assert names(none, [SEA], "List {prompt}.") == []
    assert [drop.reason for drop in ledger.drops] == ["the list has no name in it"]


def test_an_outline_is_headings_with_points_each_once(scripted_llm: BindLLM) -> None:
    said = [
        {"title": "Tides", "points": ["moon", "sun", "Moon"]},
        {"title": "tides", "points": ["again"]},
        {"title": "Waves", "points": ["wind"]},
    ]
    llm = scripted_llm(lambda *_: json.dumps({"sections": said}))
    ((_, answer),) = outline(llm, [SEA], "Plan a book about {prompt}.")
    assert answer.value == (Section("Tides", ("moon", "sun")), Section("Waves", ("wind",)))


def test_a_plan_without_a_heading_is_dropped(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda *_: json.dumps({"sections": [{"title": "   ", "points": ["moon"]}]}))
    with keep(Ledger()) as ledger:
        assert outline(llm, [SEA], "Plan a book about {prompt}.") == []
    assert [drop.reason for drop in ledger.drops] == ["the plan has no heading with a point"]


def test_examples_are_turns_in_the_form_that_is_asked_for(scripted_llm: BindLLM) -> None:
    seen: list[dict[str, Any]] = []
    llm = scripted_llm(
        lambda _, body: seen.append(body) or '{"sections": [{"title": "Ice", "points": ["cold"]}], "names": ["ice"]}'
    )
    names(llm, [SEA], "List {prompt}.", shots=[("List bread.", ["crust", "crumb"])])
    outline(llm, [SEA], "Plan {prompt}.", shots=[("Plan bread.", [Section("Crust", ("heat",))])])
    assert json.loads(seen[0]["messages"][1]["content"]) == {"names": ["crust", "crumb"]}
    assert json.loads(seen[1]["messages"][1]["content"]) == {"sections": [{"title": "Crust", "points": ["heat"]}]}


def test_lists_are_bounded_as_asked(scripted_llm: BindLLM) -> None:
    seen: list[dict[str, Any]] = []
    llm = scripted_llm(lambda _, body: seen.append(body) or '{"names": ["ice"]}')
    names(llm, [SEA], "List {prompt}.", most=4, longest=20)
    bounds = seen[0]["response_format"]["json_schema"]["schema"]["properties"]["names"]
    assert (bounds["maxItems"], bounds["items"]["maxLength"]) == (4, 20)
