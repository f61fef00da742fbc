"""Lineage of rows of which some have gone since: as if these had never been meant for the table."""

from catalog.lineage import edges_of, edges_without
from catalog.records import Answer, Prompt


def test_a_row_that_has_gone_is_an_intermediate_one() -> None:
    seed, other = Prompt(prompt="seed"), Prompt(prompt="other")
    first = Prompt(prompt="first", origin=(seed, Answer("said", "call-1")))
    second = Prompt(prompt="second", origin=(first, other, Answer("said", "call-2")))
    third = Prompt(prompt="third", origin=(second,))
    stored = {seed.record_id: "raw.seeds", other.record_id: "raw.seeds"}
    rows = (first, second, third)
    edges, _ = edges_of(rows, stored | {row.record_id: "sft.demo" for row in rows})
    for gone in ({first.record_id}, {second.record_id}, {first.record_id, second.record_id}, {third.record_id}):
        kept = [row for row in rows if row.record_id not in gone]
        wanted, nearest = edges_of(kept, stored | {row.record_id: "sft.demo" for row in kept})
        found, parents = edges_without(edges, [row.record_id for row in kept], gone)
        assert sorted(map(str, found)) == sorted(map(str, wanted))
        assert {row: set(its) for row, its in parents.items()} == {row: set(its) for row, its in nearest.items()}
