"""Reviews: rows that a method leaves to people, exported, decided, imported, published."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from scripted import schema_of

from catalog.lineage import trace
from catalog.publish import Findings, Run, publish, record
from catalog.records import Labelled
from catalog.review_files import read_decisions, write_reviews
from catalog.reviews import Item, Review, reviews
from catalog.spool import Spool
from catalog.store import Lake
from infra.errors import Refusal
from infra.settings import Settings, load_settings
from tasks.materialize import Order, materialize
from tasks.method import find_method
from tasks.review import import_decisions

TABLE = "data_preparation.coannotating"
TEXTS = ("I love it.", "I hate it.", "Odd </script><script>alert(1)</script>", "Odd, isn't it? =1+1")


def answer(prompt: str, body: dict[str, Any]) -> str:
    """Right about love and hate; of the odd, the first of the answers offered or the last, by the question's length."""
    schema = schema_of(body)
    assert schema is not None
    answers = schema["properties"]["label"]["enum"]
    mood = "positive" if "love" in prompt else "negative"
    if prompt.startswith("Odd"):
        said = answers[0 if "one of these" in prompt or "What" in prompt else -1]
    elif mood in answers:
        said = mood
    elif "true" in answers:
        said = "true" if f"is {mood}." in prompt else "false"
    else:
        said = "2" if mood == "positive" else "1"
    return json.dumps({"label": said})


@pytest.fixture
def bench(bench_with: Callable[..., Bench]) -> Bench:
    """A home in which a run has labelled two texts and left the two odd ones to people."""
    bench = bench_with(answer)
    put(bench, *TEXTS)
    run(bench)
    return bench


@dataclass(frozen=True, kw_only=True)
class Asked(Labelled):
    """A row that waits."""

    annotator: str = ""


@pytest.fixture
def home(tmp_path: Path) -> tuple[Lake, Settings]:
    """A home in which a table asks two questions, without a model."""
    settings = load_settings(home=tmp_path / "home")
    lake = Lake(settings)
    run = Run(run_id="r", stage="data_preparation", method="coannotating", table_name=TABLE, fingerprint="r")
    with Spool(tmp_path / "spool", Asked) as spool:
        rows = [Asked(text=text, label="") for text in TEXTS[2:]]
        asked = [Review(row, "label", "What?", row.text, ("negative", "positive"), "unsure") for row in rows]
        spool.add_reviews([*asked, asked[0]], [], {})
        record(lake, run, spool, Findings(), "unchanged")
    return lake, settings


def put(bench: Bench, *texts: str) -> None:
    run_id = f"put-{abs(hash(texts))}"
    its = Run(run_id=run_id, stage="raw", method="sentiments", table_name="raw.sentiments", fingerprint=run_id)
    rows = [Labelled(text=text, label=("positive", "negative")[place % 2]) for place, text in enumerate(texts)]
    with Spool(bench.home / "spool" / run_id, Labelled) as spool:
        spool.add_rows(rows, {})
        publish(bench.lake, its, spool, Findings(), shape=Labelled)


def run(bench: Bench, **order: Any) -> Any:
    return materialize(find_method("coannotating"), bench.lake, bench.models, Order(**order), bench.settings)


def decide(bench: Bench, by: str, *labels: str, when: str = "", annotators: int = 1) -> tuple[int, list[Any]]:
    """Import decisions on the reviews, in their order; a blank label is none."""
    file = bench.home / f"{by}.jsonl"
    items = reviews(bench.lake, TABLE)
    lines = [
        {"record_id": item.record_id, "decision": label, "decided_at": when}
        for item, label in zip(items, labels, strict=False)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return import_decisions(bench.lake, file, by, bench.settings, annotators=annotators)


def labels(bench: Bench) -> dict[str, tuple[str, str]]:
    return {text: (label, by) for text, label, by in bench.ask(f"SELECT text, label, annotator FROM {TABLE}")}


def test_unsure_rows_wait_and_the_others_are_published(bench: Bench) -> None:
    assert labels(bench) == {TEXTS[0]: ("positive", "scripted"), TEXTS[1]: ("negative", "scripted")}
    found = reviews(bench.lake, TABLE)
    assert {item.text for item in found} == set(TEXTS[2:])
    for item in found:
        assert (item.decides, item.choices, item.state) == ("label", ("negative", "positive"), "open")
        assert "positive" in item.reason
        (raw,) = bench.ask(f"SELECT text FROM raw.sentiments WHERE record_id = '{item.parents[0]}'")
        assert raw == (item.text,)


def test_decided_rows_are_the_next_version_with_the_annotator_and_their_lineage(bench: Bench) -> None:
    new, (outcome,) = decide(bench, "Ann", "positive", "negative")
    assert (new, outcome.status, outcome.version, outcome.kept) == (2, "published", 2, 2)
    first, second = reviews(bench.lake, TABLE)
    assert labels(bench) == {
        TEXTS[0]: ("positive", "scripted"),
        TEXTS[1]: ("negative", "scripted"),
        first.text: ("positive", "Ann"),
        second.text: ("negative", "Ann"),
    }
    assert {first.state, second.state} == {"published"}
    found = bench.ask(f"SELECT record_id, parents FROM {TABLE} WHERE annotator = 'Ann' AND label = 'positive'")
    ((record_id, parents),) = found
    assert tuple(parents) == first.parents
    graph = trace(bench.lake, record_id)
    assert {first.record_id, first.decisions["Ann"].record_id, *first.parents} <= graph.nodes.keys()
    assert sum(node.kind == "call" for node in graph.nodes.values()) == 7
    assert ("Ann", "positive", "Ann.jsonl") in bench.ask("SELECT annotator, decision, origin FROM catalog.decisions")


def test_importing_twice_changes_nothing(bench: Bench) -> None:
    decide(bench, "Ann", "positive", "negative")
    assert decide(bench, "Ann", "positive", "negative") == (0, [])
    assert bench.ask("SELECT count(*) FROM catalog.decisions") == [(2,)]
    assert bench.ask(f"SELECT count(*) FROM catalog.versions WHERE table_name = '{TABLE}'") == [(2,)]


def test_what_is_asked_once_is_not_asked_again_and_survives_a_new_start_of_the_table(bench: Bench) -> None:
    decide(bench, "Ann", "positive")
    run(bench, settings={"seed": 5}, force=True)
    assert [item.state for item in reviews(bench.lake, TABLE)] == ["published", "open"]
    run(bench, settings={"seed": 6}, replace=True)
    assert [item.state for item in reviews(bench.lake, TABLE)] == ["decided", "open"]
    _, (outcome,) = decide(bench, "Ann", "positive")
    assert outcome.kept == 1
    assert len(labels(bench)) == 3


def test_of_several_annotators_more_than_half_must_agree(bench: Bench) -> None:
    assert decide(bench, "Ann", "positive", "positive", annotators=2) == (2, [])
    assert decide(bench, "Ben", "negative", annotators=2) == (1, [])
    assert [item.state for item in reviews(bench.lake, TABLE)] == ["disputed", "decided"]
    _, (outcome,) = decide(bench, "Cem", "negative", "positive", annotators=2)
    assert outcome.kept == 2
    first, second = reviews(bench.lake, TABLE)
    assert labels(bench)[first.text] == ("negative", "Ben, Cem")
    assert labels(bench)[second.text] == ("positive", "Ann, Cem")


def test_an_annotators_last_decision_counts(bench: Bench) -> None:
    decide(bench, "Ann", "positive", when="2026-01-01T10:00:00Z", annotators=2)
    decide(bench, "Ann", "negative", when="2026-01-01T10:05:00Z", annotators=2)
    assert reviews(bench.lake, TABLE)[0].decisions["Ann"].decision == "negative"


def test_a_run_of_which_all_rows_wait_is_no_failure(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(answer)
    put(bench, *TEXTS[2:])
    outcome = run(bench)
    assert outcome.status == "unchanged"
    assert "all 2 rows wait for people" in outcome.note
    _, (outcome,) = decide(bench, "Ann", "positive", "negative")
    assert (outcome.version, outcome.kept) == (1, 2)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_is_read_back_with_what_was_filled_in(home: tuple[Lake, Settings], tmp_path: Path, form: str) -> None:
    file = tmp_path / f"queue.{form}"
    items = reviews(home[0], TABLE)
    assert [item.text for item in items] == list(TEXTS[2:]), "each is asked once"
    write_reviews(items, file)
    assert read_decisions(file) == []
    text = file.read_text()
    filled = (
        re.sub(r",\r?\n(?=$|[0-9a-f]{32},)", ",positive\n", text)
        if form == "csv"
        else text.replace('"decision": ""', '"decision": "positive"')
    )
    file.write_text("\ufeff" + filled)
    assert [(given.record_id, given.decision) for given in read_decisions(file)] == [
        (i.record_id, "positive") for i in items
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "x", r"its name ends in \.txt"),
        ("a.csv", "record_id,text\n1,x\n", "has no column decision"),
        ("a.csv", "", "has no column record_id, decision"),
        ("a.jsonl", "[1]\n", "line 1: is no JSON object"),
        ("a.jsonl", '{"decision": "positive"}\n', "line 1: has no record_id"),
        ("a.jsonl", '{"record_id": 3, "decision": "positive"}\n', "record_id is 3, a text is wanted"),
        (
            "a.jsonl",
            '{"record_id": "x", "decision": "a"}\n\n{"record_id": "x", "decision": "b"}\n',
            "line 3: decides x another way",
        ),
        ("a.jsonl", '{"record_id": "x", "decision": "positive"}\n', "no table asks about x"),
        (
            "a.jsonl",
            '{"record_id": "ID", "decision": "fine"}\n',
            "'fine' is no answer; the choices are negative, positive",
        ),
        ("none.csv", None, "cannot be read"),
        ("a.csv", b"\xff\xfe\x00", "is no UTF-8 text"),
    ],
)
def test_a_bad_file_is_refused_and_nothing_of_it_kept(
    home: tuple[Lake, Settings], tmp_path: Path, name: str, text: Any, told: str
) -> None:
    lake, settings = home
    file, (item, _) = tmp_path / name, reviews(lake, TABLE)
    if isinstance(text, str):
        file.write_text(text.replace("ID", item.record_id))
    elif text is not None:
        file.write_bytes(text)
    with pytest.raises(Refusal, match=told):
        import_decisions(lake, file, "Ann", settings)
    assert lake.query("SELECT count(*) FROM catalog.decisions").item() == 0


def test_a_blank_name_is_refused(home: tuple[Lake, Settings], tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="name is blank"):
        import_decisions(home[0], tmp_path / "a.csv", " ", home[1])


def test_nothing_in_a_text_can_leave_its_place_in_the_page(tmp_path: Path) -> None:
    item = Item(
        table=TABLE,
        record_id="1" * 32,
        decides="label",
        question="<b>What?</b>",
        text="</script><script>alert(1)</script>\u2028&amp;<!--",
        choices=('"><img src=x onerror=alert(1)>',),
        reason="",
        content="{}",
        parents=(),
    )
    page = tmp_path / "page.html"
    write_reviews([item], page)
    text = page.read_text()
    assert text.count("<script") == text.count("</script>") == 2
    assert "alert(1)</script>" not in text
    assert "<img" not in text
    assert "http" not in text.replace("http-equiv", "")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data)["items"][0]["text"] == item.text
