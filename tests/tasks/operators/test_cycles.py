from catalog.records import Triple
from tasks.operators.cycles import cycles


def fact(subject: str, other: str, graph: str = "g") -> Triple:
    return Triple(subject=subject, relation=f"{subject}-{other}", object=other, graph=graph)


AB, BC, CA = fact("a", "b"), fact("b", "c"), fact("a", "c")
CD, DA = fact("c", "d"), fact("d", "a")


def ends(facts: tuple[Triple, ...]) -> list[frozenset[str]]:
    return [frozenset((each.subject, each.object)) for each in facts]


def test_three_facts_around_three_entities_are_a_cycle_whichever_way_they_point() -> None:
    (found,) = cycles([AB, BC, CA, fact("a", "x"), fact("x", "y")], 5)
    assert set(found) == {AB, BC, CA}


def test_a_chain_is_no_cycle_nor_is_a_ring_of_four_without_a_diagonal() -> None:
    assert cycles([AB, BC, CD], 5) == []
    assert cycles([AB, BC, CD, DA], 5) == []


def test_a_compact_ring_of_four_comes_with_its_diagonal_last() -> None:
    ring = next(found for found in cycles([AB, BC, CD, DA, CA], 5) if len(found) == 5)
    *sides, diagonal = ring
    assert diagonal == CA
    assert set(sides) == {AB, BC, CD, DA}
    for side, after in zip(ends(ring[:4]), [*ends(ring[1:4]), ends(ring)[0]], strict=True):
        assert len(side & after) == 1


def test_entities_of_two_graphs_with_one_name_are_two() -> None:
    assert cycles([AB, BC, fact("a", "c", graph="h")], 5) == []


def test_a_fact_about_itself_and_two_facts_about_a_pair_make_no_cycle() -> None:
    assert cycles([AB, fact("b", "a"), fact("a", "a"), BC], 5) == []


def test_an_entity_of_many_facts_makes_no_more_cycles_than_facts() -> None:
    hub = [fact("hub", str(number)) for number in range(30)]
    found = cycles([*hub, *(fact(str(number), str(number + 1)) for number in range(29))], 1000)
    assert 29 <= len(found) <= 2 * 59
    assert len({frozenset(end for side in ends(each) for end in side) for each in found}) == len(found)


def test_the_seed_draws_which_come_first_and_n_is_the_most() -> None:
    triangles = [fact(f"{side}{n}", f"{other}{n}") for n in range(20) for side, other in ("ab", "bc", "ac")]
    assert len(cycles(triangles, 3)) == 3
    assert cycles(triangles, 3, seed=1) == cycles(triangles, 3, seed=1) != cycles(triangles, 3, seed=2)
