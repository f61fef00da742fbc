"""`cycles`: rings of facts in a knowledge graph, in which the others say much of each one (operators.md 1)."""

from collections import defaultdict

from catalog.records import Triple
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.sample import dice, sample

Node = tuple[str, str]
"""A graph and an entity of it: of two graphs, things of one name may be two things."""


@operator
def cycles(rows: Rows[Triple], n: int, *, seed: int = 0) -> list[tuple[Triple, ...]]:
    """At most `n` cycles of three or four facts, in an order that the seed draws, the graphs in turn.

    A cycle's facts join its entities in a ring, whichever way each points. One of four is compact: a fifth fact, which
    comes last, joins two entities that face each other. Each fact draws at most one cycle of either length, so that
    what thousands of facts are about does not make millions. No two cycles have the same entities.
    """
    facts: dict[frozenset[Node], Triple] = {}
    near: defaultdict[Node, set[Node]] = defaultdict(set)
    for row in sample(rows, len(rows), by=lambda row: row.graph, seed=seed):
        one, other = (row.graph, row.subject), (row.graph, row.object)
        if one != other:
            facts.setdefault(frozenset((one, other)), row)
            near[one].add(other)
            near[other].add(one)
    made: list[tuple[Triple, ...]] = []
    seen: set[frozenset[Node]] = set()
    for fact in facts.values():
        one, other = (fact.graph, fact.subject), (fact.graph, fact.object)
        both = sorted(near[one] & near[other])
        dice(seed, "cycle", fact.record_id).shuffle(both)
        for between in (both[:1], both[:2]):  # one makes a triangle; two a ring, with the fact across it
            nodes = frozenset((one, other, *between))
            if len(made) < n and between and nodes not in seen:
                seen.add(nodes)
                ring = [one, between[0], other, *between[1:]]
                sides = [facts[frozenset(side)] for side in zip(ring, [*ring[1:], ring[0]], strict=True)]
                made.append(tuple([*sides, fact] if len(between) == 2 else sides))
    return made
