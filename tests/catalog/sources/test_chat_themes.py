from collections import Counter

from catalog.sources import load_sources


def test_there_are_thirty_fields_and_twenty_kinds_of_text_each_once() -> None:
    rows = [(row.label, row.text) for row, _ in load_sources()["chat_themes"].rows()]  # type: ignore[attr-defined]
    assert len(set(rows)) == len(rows)
    assert Counter(label for label, _ in rows) == {"world": 30, "creation": 20}
    assert all(text == " ".join(text.split()) for _, text in rows)
