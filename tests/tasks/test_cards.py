"""Cards: what they say of a version is what the catalogue knows, and nothing in a row can break them."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from scripted import StartServer

from catalog.records import Document
from catalog.store import Lake, TableRef
from infra.settings import Settings, load_settings
from infra.terms import UNKNOWN, terms_of
from tasks.cards import Card, card_of, markdown
from tasks.cards.markdown import bibtex, cell, command, fence
from tasks.ingest import ingest_file, ingest_source
from tasks.llm import open_models
from tasks.materialize import Order, materialize
from tasks.method import find_method

HOSTILE = "<script>alert(1)</script> | a\n```\n# not a heading\n[x](javascript:1)"


@pytest.fixture
def made(tmp_path: Path, scripted_server: StartServer) -> tuple[Lake, Card]:
    """A version of MetaMath in two runs, and its card."""
    url = scripted_server(_rephrased).url
    settings = load_settings(home=tmp_path, base_url=url, api_key="k", model="llama-3-8b")
    lake = Lake(settings)
    _publish(lake, settings, seed=0)
    _publish(lake, settings, seed=1)
    return lake, card_of(lake, lake.find(TableRef.parse("pretraining.wrap@2")))


def _rephrased(prompt: str, _body: object) -> str:
    """The text without every fourth word."""
    asked, _, text = prompt.partition("\n\n")
    said = " ".join(word for place, word in enumerate(text.split()) if place % 4)
    return f"Question: What is told? Answer: {said}" if "Question:" in asked else said


def _publish(lake: Lake, settings: Settings, seed: int) -> None:
    ingest_source(lake, "raw.documents", settings)
    with open_models(settings) as models:
        order = Order(rows=2, settings={"seed": seed, "max_tokens": 100, "temperature": 0.5})
        materialize(find_method("wrap"), lake, models, order, settings)


def test_a_card_says_how_a_version_was_made_and_from_what(made: tuple[Lake, Card]) -> None:
    lake, card = made
    assert [str(step.version.ref) for step in card.steps] == [
        "pretraining.wrap@2",
        "pretraining.wrap@1",
        "raw.documents@1",
    ]
    assert card.step.method is find_method("wrap")
    assert {source.table for source in card.sources} == {"raw.documents"}
    assert card.licences == sorted({source.licence for source in card.sources})
    assert sum(model.calls for model in card.models) == len(
        lake.query("SELECT * FROM catalog.calls WHERE error IS NULL")
    )
    assert [number for number, *_ in card.history] == [1, 2]
    assert sum(left.rows for left in card.left_out) == len(
        lake.query("FROM catalog.rejected WHERE table_name LIKE 'pre%'")
    )


def test_the_header_is_one_that_hugging_face_reads(made: tuple[Lake, Card]) -> None:
    _, card = made
    header = yaml.safe_load(markdown(card, splits={"train": "data/a.parquet"}).split("---")[1])
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "data/a.parquet"}]
    assert header["size_categories"] == ["n<1K"]
    assert {"synthetic", "wrap"} <= set(header["tags"])


def test_the_commands_make_it_again(made: tuple[Lake, Card]) -> None:
    _, card = made
    assert command(card.step) == (
        "everspring run pretraining --method wrap --rows 2 --read wrap.documents=raw.documents@1 "
        "--set wrap.max_tokens=100 --set wrap.temperature=0.5 --set wrap.seed=1"
    )
    assert command(card.step) in markdown(card)


def test_the_paper_is_cited_and_the_departures_are_told(made: tuple[Lake, Card]) -> None:
    told = markdown(made[1])
    assert "@misc{maini2024rephrasing," in told
    assert "Maini and others" in told
    assert "Real text stands beside" in told


def test_nothing_in_a_row_is_more_than_text(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    lake = Lake(settings)
    (tmp_path / "a.txt").write_text(HOSTILE)
    ingest_file(lake, str(tmp_path / "a.txt"), "raw.mine", Document, {}, settings, licence="<b>|mine|</b>")
    told = markdown(card_of(lake, lake.find(TableRef.parse("raw.mine"))))
    outside = re.sub(r"(?ms)^(`{3,})$.*?^\1$", "", told.split("---\n", 2)[2])  # the header is YAML
    assert "alert(1)" in told
    assert "<script>" not in outside
    assert "# not a heading" not in outside.replace("\\n", "")
    assert "<b>" not in outside
    assert "license: other" in told


def test_an_imported_table_says_that_nobody_has_measured_it(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    lake = Lake(settings)
    ingest_source(lake, "raw.words", settings)
    told = markdown(card_of(lake, lake.find(TableRef.parse("raw.words"))))
    assert "`everspring audit raw.words@1` does" in told
    assert "None: no model was asked." in told


@pytest.mark.parametrize(
    ("model", "endpoint", "said"),
    [
        ("gpt-4o", "https://api.openai.com/v1", "OpenAI"),
        ("llama-3-8b", "http://127.0.0.1:8000/v1", "Llama community licence"),
        ("SmolLM2-135M-Instruct", "embedded", "Apache-2.0"),
        ("something-else", "http://127.0.0.1:8000/v1", UNKNOWN),
    ],
)
def test_terms_are_told_by_who_serves_a_model_and_by_whose_it_is(model: str, endpoint: str, said: str) -> None:
    assert said in terms_of(model, endpoint)


def test_a_fence_is_longer_than_any_in_the_text_and_a_cell_stays_a_cell() -> None:
    assert fence("a ```` b").startswith("`````\n")
    assert cell("a | b\n<i>") == "a \\| b \\<i\\>"


def test_every_method_has_an_entry_of_its_own() -> None:
    from tasks.method import load_methods

    entries: Mapping[str, str] = {
        method.id: bibtex(method).split("{")[1].split(",")[0] for method in load_methods().values()
    }
    assert all(re.fullmatch(r"[a-z]+\d{4}[a-z0-9]+", key) for key in entries.values()), entries
