"""`prose`: the texts that say something in sentences (operators.md 16)."""

from catalog.records import Document
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.extract import sentences


@operator
def prose(rows: Rows[Document], *, letters: float = 0.8, least: int = 2, words: int = 5) -> list[Document]:
    """The documents of which a share of `letters` or more is letters or spaces, with `least` sentences of `words`.

    The others, such as code, grammars and tables, are dropped.
    """
    kept: list[Document] = []
    for row in rows:
        plain = sum(character.isalpha() or character.isspace() for character in row.text)
        whole = [sentence for sentence in sentences(row.text) if len(sentence.split()) >= words]
        if plain < letters * len(row.text):
            drop(row, f"the passage is less than {letters * 100:g} % letters", f"{plain} of {len(row.text)}")
        elif len(whole) < least:
            drop(row, f"the passage has fewer than {least} sentences", f"{len(whole)}")
        else:
            kept.append(row)
    return kept
