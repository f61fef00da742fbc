import re
from collections import Counter
from typing import Any

from catalog.records import Labelled
from tasks.sft.symbol_tuning import SymbolPrompt, symbol_tuning, symbols

MOODS = [
    Labelled(text=f"{mood} remark {i}", label=mood, dataset="mood") for mood in ("happy", "sad") for i in range(14)
]
ANIMALS = [
    Labelled(text=f"the {animal} in field {i}", label=animal, dataset="animals")
    for animal in ("cow", "horse", "goat", "duck", "hen", "dog")
    for i in range(14)
]


def good(prompt: str, body: dict[str, Any]) -> str:
    """No model is asked."""
    return ""


def promised(row: SymbolPrompt) -> bool:
    """The completion is a symbol that only the examples explain."""
    shown = {symbol.strip() for _, symbol in _shown(row)}
    return row.completion in shown and row.completion in symbols() and row.label not in shown


def _shown(row: SymbolPrompt) -> list[tuple[str, str]]:
    """(text, symbol) of each example in a prompt, and of its query with an empty symbol."""
    return re.findall(r"^\w+: (.+)\n\w+:(.*)$", row.prompt, re.MULTILINE)


def _by_text(rows: list[Labelled]) -> dict[str, str]:
    return {row.text: row.label for row in rows}


def test_every_label_is_replaced_by_one_symbol_and_the_completion_is_that_of_the_query() -> None:
    labels = _by_text(MOODS + ANIMALS)
    for row in symbol_tuning(MOODS + ANIMALS, rows=40):
        *examples, (query, blank) = _shown(row)
        symbol = {labels[text]: shown.strip() for text, shown in examples}
        assert all(symbol[labels[text]] == shown.strip() for text, shown in examples)
        assert len(set(symbol.values())) == len(symbol)
        assert row.label == labels[query]
        assert row.completion == symbol[row.label]
        assert blank == ""


def test_a_prompt_names_no_class_and_gives_no_instruction() -> None:
    labels = [row.label for row in MOODS]
    texts = [Labelled(text=f"remark {i}", label=label, dataset="mood") for i, label in enumerate(labels)]
    for row in symbol_tuning(texts, rows=20):
        assert not any(label in row.prompt for label in labels)
        assert re.fullmatch(r"(?:\w+: remark \d+\n\w+: \S+\n\n)+\w+: remark \d+\n\w+:", row.prompt)


def test_a_prompt_has_2_to_10_examples_of_each_class_and_never_its_query() -> None:
    labels = _by_text(MOODS)
    counts: set[int] = set()
    for row in symbol_tuning(MOODS, rows=100):
        *examples, (query, _) = _shown(row)
        shots = Counter(labels[text] for text, _ in examples)
        assert set(shots) == {"happy", "sad"}
        assert len(set(shots.values())) == 1
        assert query not in dict(examples)
        counts |= set(shots.values())
    assert counts == set(range(2, 11))


def test_the_same_class_has_another_symbol_in_each_prompt() -> None:
    made = symbol_tuning(MOODS, rows=50)
    assert len({row.completion for row in made}) > 45


def test_examples_are_of_the_dataset_of_the_query_and_of_few_classes() -> None:
    labels = _by_text(ANIMALS)
    made = symbol_tuning(MOODS + ANIMALS, rows=30, max_classes=3)
    assert Counter(row.dataset for row in made) == {"mood": 15, "animals": 15}
    for row in made:
        if row.dataset == "animals":
            assert len({labels[text] for text, _ in _shown(row)}) == 3


def test_parents_are_the_examples_and_the_query() -> None:
    ids = {row.text: row.record_id for row in MOODS}
    for row in symbol_tuning(MOODS, rows=5):
        assert sorted(row.parents) == sorted(ids[text] for text, _ in _shown(row))


def test_held_out_prompts_show_symbols_that_tuning_never_does() -> None:
    made = symbol_tuning(MOODS, rows=30, held_out=True)
    shown = {symbol.strip() for row in made for _, symbol in _shown(row)[:-1]}
    assert shown <= set(symbols(held_out=True))
    assert not shown & set(symbols())


def test_more_prompts_than_texts_are_drawn_in_rounds_without_a_repetition() -> None:
    made = symbol_tuning(MOODS, rows=100)
    assert len(made) == 100
    assert len({row.prompt for row in made}) == 100
    queries = Counter(_shown(row)[-1][0] for row in made)
    assert set(queries.values()) == {3, 4}


def test_the_seed_decides() -> None:
    assert symbol_tuning(MOODS, rows=20, seed=1) == symbol_tuning(MOODS, rows=20, seed=1)
    first, second = (symbol_tuning(MOODS, rows=20, seed=seed) for seed in (1, 2))
    assert not {row.prompt for row in first} & {row.prompt for row in second}


def test_no_texts_make_no_prompts() -> None:
    assert symbol_tuning([], rows=10) == []
