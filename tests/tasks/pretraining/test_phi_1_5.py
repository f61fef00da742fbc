import re
from collections import Counter
from typing import Any

from scripted import BindLLM, Reply

from catalog.records import Document, Labelled
from tasks.ledger import Ledger, keep
from tasks.operators.rewrite import looped
from tasks.operators.score import stems
from tasks.pretraining.phi_1_5 import AUDIENCES, Passage, phi_1_5

TOPICS = [
    Labelled(text="how bread rises", label="things at home"),
    Labelled(text="why ice floats on water", label="nature"),
    Labelled(text="saying sorry to a friend", label="people and feelings"),
]
YEAST = Document(text="Yeast eats the sugar in dough and gives off gas, which makes the bread rise.", title="Bread")
OVEN = Document(text="A bread needs a hot oven, steam and patience; then its crust breaks when it rises.", title="Oven")
ICE = Document(text="Water takes more room when it freezes, so the ice is lighter and floats.", title="Ice")
PARDON = Document(text="Say what you did to your friend, say sorry, and do not explain too much.", title="Pardon")
WEB = [YEAST, OVEN, ICE, PARDON]


def asked(prompt: str) -> tuple[str, str, str]:
    found = re.search(r"textbook for (.*?)\. Topic: (.*?)\.\n.*Note: (.*)", prompt, re.DOTALL)
    assert found
    return found[1], found[2], found[3]


def good(prompt: str, body: dict[str, Any]) -> str:
    audience, topic, note = asked(prompt)
    words = sorted(set(re.findall(r"[a-z]{5,}", note.lower())))
    return (
        f"Many {audience} wonder about {topic}, and the reason is near at hand (look {body['seed']} times). "
        f"Whoever thinks of {words[0]} will soon think of {words[-1]} as well, because one brings about the other. "
        f"Try it at home with {words[len(words) // 2]}, and tell somebody what you have seen."
    )


def promised(row: Passage) -> bool:
    """A whole passage about its topic that starts from its snippet without copying it."""
    copied = row.snippet in row.text or row.text in row.snippet
    about = bool(stems(row.title) & stems(row.text))
    return about and not copied and not looped(row.text) and len(row.text.split()) > 15


def make(llm: Any, rows: int = 3, **settings: Any) -> list[Passage]:
    return list(phi_1_5(TOPICS, WEB, llm, rows=rows, **settings))


def test_each_topic_is_written_of_from_a_snippet_that_is_near_to_it(scripted_llm: BindLLM) -> None:
    prompts: list[str] = []
    made = make(scripted_llm(lambda prompt, body: prompts.append(prompt) or good(prompt, body)))
    assert all(promised(row) for row in made)
    assert {row.title: row.area for row in made} == {topic.text: topic.label for topic in TOPICS}
    near = {"how bread rises": {YEAST.text, OVEN.text}, TOPICS[1].text: {ICE.text}, TOPICS[2].text: {PARDON.text}}
    for prompt in prompts:
        audience, topic, note = asked(prompt)
        assert audience in AUDIENCES
        assert note in near[topic]


def test_more_passages_on_a_topic_have_other_snippets_or_audiences(scripted_llm: BindLLM) -> None:
    made = make(scripted_llm(good), rows=9)
    assert len({(row.title, row.snippet, row.audience) for row in made}) == len(made) == 9
    assert set(Counter(row.title for row in made).values()) == {3}


def test_a_topic_of_which_no_text_speaks_is_left_out(scripted_llm: BindLLM) -> None:
    with keep(Ledger()) as ledger:
        made = phi_1_5([*TOPICS, Labelled(text="glaciers", label="nature")], WEB, scripted_llm(good), rows=4)
    assert "glaciers" not in {row.title for row in made}
    first, *_ = ledger.drops
    assert (first.reason, first.evidence) == ("nothing near it was found", "glaciers")


def test_copies_cut_looped_and_stray_passages_are_dropped(scripted_llm: BindLLM) -> None:
    bad = {
        "how bread rises": lambda note: note,
        "why ice floats on water": lambda _: Reply(
            "Ice is light because its lattice takes room and so", finish="length"
        ),
        "saying sorry to a friend": lambda _: "The weather in the mountains changes fast, so take a coat with you.",
    }
    with keep(Ledger()) as ledger:
        assert make(scripted_llm(lambda prompt, _: bad[asked(prompt)[1]](asked(prompt)[2]))) == []
        assert make(scripted_llm(lambda prompt, _: f"This is {asked(prompt)[1]} as it always was. " * 9)) == []
    assert Counter(drop.reason for drop in ledger.drops) == {
        "a copy of its source": 1,
        "an answer was cut before its end": 1,
        "it does not come to its topic": 1,
        "it repeats itself": 3,
    }


def test_a_passage_leads_to_its_topic_its_snippet_and_its_call(scripted_llm: BindLLM) -> None:
    for row in make(scripted_llm(good)):
        plan, answer = row.origin
        assert {origin.record_id for origin in plan.origin} & {page.record_id for page in WEB}  # type: ignore[union-attr]
        assert {origin.record_id for origin in plan.origin} & {topic.record_id for topic in TOPICS}  # type: ignore[union-attr]
        assert answer.call  # type: ignore[union-attr]


def test_the_same_seed_plans_the_same(scripted_llm: BindLLM) -> None:
    assert make(scripted_llm(good), rows=6) == make(scripted_llm(good), rows=6)
    assert make(scripted_llm(good), seed=1) != make(scripted_llm(good), seed=2)
