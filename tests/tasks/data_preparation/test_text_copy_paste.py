from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from catalog.records import Document
from tasks.data_preparation.text_copy_paste import text_copy_paste
from tasks.ledger import Ledger, keep

TEXT = "The mill stands by the river, where water turns a wheel of oak and grinds the corn of nine farms in one day."


def good(prompt: str, body: Mapping[str, Any]) -> str:
    """It asks no model."""
    raise AssertionError(prompt)


def promised(row: Document) -> bool:
    return len(row.text.split()) >= 4


def test_every_word_stays_and_a_run_of_them_stands_twice() -> None:
    (row,) = text_copy_paste([Document(text=TEXT, title="Mills")], pasted=0.2)
    more = Counter(row.text.split()) - Counter(TEXT.split())
    assert not Counter(TEXT.split()) - Counter(row.text.split())
    assert more.total() == round(0.2 * len(TEXT.split()))
    assert row.title == "Mills"


def test_without_pasting_the_words_only_change_places() -> None:
    (row,) = text_copy_paste([Document(text=TEXT)], pasted=0.0)
    assert Counter(row.text.split()) == Counter(TEXT.split())
    assert row.text != TEXT


def test_copies_differ_and_each_has_its_text_for_a_parent() -> None:
    document = Document(text=TEXT)
    rows = text_copy_paste([document], copies=3)
    assert len({row.text for row in rows}) == 3
    assert {row.parents for row in rows} == {(document.record_id,)}


@pytest.mark.parametrize(("text", "why"), [("Too short.", "fewer than 4 words"), ("no no no no", "as it is")])
def test_a_text_that_cannot_be_edited_is_dropped_with_the_reason(text: str, why: str) -> None:
    with keep(Ledger()) as ledger:
        assert text_copy_paste([Document(text=text)], pasted=0.0) == []
    (drop,) = ledger.drops
    assert why in drop.reason
