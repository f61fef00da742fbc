"""The sources of knowledge: facts as triples."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.records import Triple
from catalog.sources import load_sources
from catalog.sources.wordnet import FOLDER, read_synsets
from infra.errors import Refusal

OURS = ["compounds", "countries", "country_names", "courts", "relation_names"]


def facts(name: str) -> set[tuple[str, str, str]]:
    return {(row.subject, row.relation, row.object) for row, _ in load_sources()[name].rows()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OURS)
def test_every_row_is_a_fact_of_a_named_graph_with_a_place_of_its_own(name: str) -> None:
    found = load_sources()[name]
    rows = list(found.rows())
    assert found.table == "raw.triples"
    assert len(rows) > 50
    assert len({place for _, place in rows}) == len(rows)
    for row, _ in rows:
        assert isinstance(row, Triple)
        assert all((row.subject, row.relation, row.object, row.graph))
        assert row.subject != row.object or row.relation.startswith("label@")
        assert {row.subject, row.relation, row.object} == {
            part.strip() for part in (row.subject, row.relation, row.object)
        }


def test_some_facts_that_everybody_knows() -> None:
    assert {
        ("France", "capital", "Paris"),
        ("France", "shares a border with", "Germany"),
        ("Brazil", "official language", "Portuguese"),
        ("Japan", "currency", "Yen"),
        ("Kenya", "continent", "Africa"),
    } <= facts("countries")
    assert {("methanol", "molecular formula", "CH4O"), ("benzene", "boiling point", "80 °C")} <= facts("compounds")
    assert ("Supreme Court of the United States", "belongs to the system", "federal") in facts("courts")


def test_countries_languages_and_money_have_names_in_nine_languages() -> None:
    found = facts("country_names")
    assert {("Germany", "label@fr", "Allemagne"), ("Germany", "label@zh", "德国")} <= found
    assert {("Portuguese", "label@de", "Portugiesisch"), ("Yen", "label@ko", "일본 엔")} <= found
    assert ("France", "label@fr", "France") in found  # a name that both have in common is known
    languages = Counter(relation for _, relation, _ in found)
    assert set(languages) == {f"label@{code}" for code in ("de", "es", "fr", "it", "ja", "ko", "nl", "vi", "zh")}
    assert min(languages.values()) > 400


def test_the_graph_of_countries_has_a_name_for_every_relation_and_most_entities() -> None:
    known = {subject for subject, relation, _ in facts("country_names") | facts("relation_names") if "@de" in relation}
    of_countries = facts("countries")
    assert {relation for _, relation, _ in of_countries} <= known
    assert len({subject for subject, _, _ in of_countries} & known) > 230


def synset(offset: int, kind: str, words: list[str], pointers: str, gloss: str) -> str:
    return f"{offset:08d} 03 {kind} {len(words):02x} {' '.join(f'{word} 0' for word in words)} {pointers} | {gloss}  \n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A WordNet of four nouns and an adjective."""
    nouns = [
        synset(1, "n", ["animal"], "000", "a living thing that moves"),
        synset(
            2, "n", ["dog", "domestic_dog"], "002 @ 00000001 n 0000 ~ 00000009 n 0000", 'it barks; "the dog barked"'
        ),
        synset(3, "n", ["dog", "cad"], "001 ! 00000004 n 0101", "a man who behaves badly"),
        synset(4, "n", ["gentleman"], "000", "a man of manners"),
    ]
    adjectives = [synset(5, "s", ["canine(p)"], "001 & 00000005 a 0000", "of dogs")]
    for name, lines in {"noun": nouns, "verb": [], "adj": adjectives, "adv": []}.items():
        (tmp_path / f"data.{name}").write_text("  1 This is the licence.\n" + "".join(lines))
    return tmp_path


def test_wordnet_has_synsets_under_names_of_their_own(small: Path) -> None:
    found = [(row.subject, row.relation, row.object) for row, _ in read_synsets(small)]
    assert found == [
        ("animal", "means", "a living thing that moves"),
        ("dog (domestic dog)", "means", "it barks"),
        ("dog (domestic dog)", "is a kind of", "animal"),
        ("dog (cad)", "means", "a man who behaves badly"),
        ("dog (cad)", "is the opposite of", "gentleman"),
        ("gentleman", "means", "a man of manners"),
        ("canine", "means", "of dogs"),
        ("canine", "is similar to", "canine"),
    ]


@pytest.mark.skipif(not FOLDER.exists(), reason="the Debian package wordnet-base is not installed")
def test_wordnet_as_debian_packages_it() -> None:
    found = load_sources()["wordnet"]
    rows = list(found.rows())
    assert len(rows) == len({place for _, place in rows}) > 200_000
    assert re.fullmatch(r"wordnet-base \(Debian\), [\d,]+ bytes", found.origin)
    names = {row.subject for row, _ in rows}  # type: ignore[attr-defined]
    assert sum(row.relation == "means" for row, _ in rows) == len(names)  # type: ignore[attr-defined]


def test_files_that_are_not_there_are_refused_with_what_to_install() -> None:
    missing = replace(load_sources()["wordnet"], files=("/nowhere/data.noun",))
    with pytest.raises(Refusal, match=r"source wordnet: /nowhere/data.noun is not there.*apt-get install wordnet-base"):
        missing.rows()


def test_pycountry_is_read_and_not_run() -> None:
    program = (
        "import sys; from catalog.sources import load_sources; "
        "[list(load_sources()[name].rows()) for name in ('country_names', 'countries', 'compounds', 'courts')]; "
        "print({'pycountry', 'countryinfo', 'chemicals', 'courts_db', 'numpy'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
