from collections import Counter
from typing import Any

from catalog.records import Triple
from tasks.pretraining.kmlm import Masked, kmlm


def fact(subject: str, relation: str, other: str) -> Triple:
    return Triple(subject=subject, relation=relation, object=other, graph="countries")


FACTS = [
    fact("Germany", "borders", "France"),
    fact("Germany", "continent", "Europe"),
    fact("France", "continent", "Europe"),
    fact("France", "capital", "Paris"),
]
FRENCH = {"Germany": "Allemagne", "France": "France", "Europe": "Europe", "borders": "touche", "continent": "continent"}
VIETNAMESE = {"Germany": "Đức", "Europe": "châu Âu", "continent": "châu lục"}
LABELS = [
    fact(name, f"label@{language}", other)
    for language, names in (("fr", FRENCH), ("vi", VIETNAMESE))
    for name, other in names.items()
]


def good(prompt: str, body: dict[str, Any]) -> str:
    """No model is asked."""
    raise AssertionError(prompt)


def promised(row: Masked) -> bool:
    """One part is masked: of a fact an entity, of a ring, in which each entity stands twice or more, a relation."""
    said = [tuple(each.strip().split(" | ")) for each in row.prompt.removesuffix(".").split(". ")]
    if row.prompt.count("[mask]") != 1 or not row.completion or any(len(parts) != 3 for parts in said):
        return False
    if row.task == "knowledge":
        return len(said) == 1 and said[0][1] != "[mask]"
    entities = Counter(entity for subject, _, other in said for entity in (subject, other))
    masked = any(relation == "[mask]" for _, relation, _ in said)
    return masked and len(said) in (3, 5) and min(entities.values()) >= 2


def make(rows: int = 8, **settings: Any) -> list[Masked]:
    return list(kmlm([*FACTS, *LABELS], rows=rows, **settings))


def test_facts_miss_an_entity_and_cycles_a_relation() -> None:
    made = [row for seed in range(10) for row in make(seed=seed)]
    assert {row.task for row in made} == {"knowledge", "reasoning"}
    assert all(promised(row) for row in made)
    assert {row.completion for row in made if row.task == "knowledge"} >= {"Paris"}


def test_what_is_masked_put_back_is_the_fact_in_the_words_of_its_languages() -> None:
    words = [{name: name for name in [*FRENCH, "Paris", "capital"]}, FRENCH, VIETNAMESE]
    said = {
        f"{subject} | {relation} | {other}."
        for each in FACTS
        for subject in {names.get(each.subject, each.subject) for names in words}
        for relation in {names.get(each.relation, each.relation) for names in words}
        for other in {names.get(each.object, each.object) for names in words}
    }
    for row in [row for seed in range(20) for row in make(reasoning=0, seed=seed)]:
        assert row.prompt.replace("[mask]", row.completion) in said


def test_facts_are_switched_between_two_languages_part_by_part() -> None:
    made = [row for seed in range(30) for row in make(reasoning=0, seed=seed)]
    assert {"en", "en, vi", "en, fr", "fr"} <= {row.languages for row in made}
    mixed = [row.prompt + row.completion for row in made if row.languages == "en, vi"]
    assert any("Germany" in text and "châu" in text for text in mixed)
    assert not any("Đức" in row.prompt + row.completion and "Allemagne" in row.prompt for row in made)


def test_a_cycle_is_told_in_one_language_that_has_every_word_of_it() -> None:
    cyclic = [row for seed in range(30) for row in make(reasoning=1, seed=seed)]
    assert {row.languages for row in cyclic} == {"en", "fr"}  # Vietnamese lacks France
    assert all(("Allemagne" in row.prompt) == (row.languages == "fr") for row in cyclic)


def test_labels_are_words_and_no_facts() -> None:
    assert kmlm(LABELS, rows=20) == []


def test_no_more_rows_than_asked_and_half_of_them_cycles() -> None:
    ring = [fact(f"{a}{n}", "joins", f"{b}{n}") for n in range(20) for a, b in ("ab", "bc", "ac")]
    made = kmlm(ring, rows=10)
    assert Counter(row.task for row in made) == {"knowledge": 5, "reasoning": 5}


def test_a_row_leads_to_its_facts_and_to_the_names_it_uses() -> None:
    known = {triple.record_id: triple for triple in [*FACTS, *LABELS]}
    for row in [row for seed in range(5) for row in make(seed=seed)]:
        path, *labels = row.origin
        assert set(path.parents) <= known.keys()  # type: ignore[union-attr]
        for label in labels:
            assert label in LABELS
            assert label.object in row.prompt + row.completion  # type: ignore[union-attr]
