from catalog.records import Document
from tasks.ledger import Ledger, keep
from tasks.operators.prose import prose

BRIDGE = Document(text="The old bridge was built of oak in 1640. Two floods damaged it, and the town built another.")
GRAMMAR = Document(text='x ::= "a" | "b" ("," | ";")* [y]+ {z} <=> (1, 2, 3) :: == != >= <= *** +++ ---')
HEADING = Document(text="Bridges of the old town by the river")


def test_texts_that_say_something_in_sentences_are_kept_and_the_others_dropped_with_the_reason() -> None:
    with keep(Ledger()) as ledger:
        assert prose([BRIDGE, GRAMMAR, HEADING]) == [BRIDGE]
    assert [drop.reason for drop in ledger.drops] == [
        "the passage is less than 80 % letters",
        "the passage has fewer than 2 sentences",
    ]
