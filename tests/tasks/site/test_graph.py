"""The layout of a graph: what leads to what stands to its left, and nothing stands on anything else."""

import random

from tasks.site.graph import HIGH, WIDE, lay_out


def places(leads_to: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    return {node.name: (node.x, node.y) for node in lay_out(leads_to).nodes}


def test_a_node_stands_to_the_right_of_all_that_leads_to_it() -> None:
    at = places({"seed": ["a", "b"], "a": ["b"], "b": []})
    assert at["seed"][0] < at["a"][0] < at["b"][0]


def test_nodes_do_not_overlap_and_stand_within_the_drawing() -> None:
    chance = random.Random(1)
    names = [f"n{number}" for number in range(60)]
    leads_to = {name: chance.sample(names[at + 1 :], min(3, 59 - at)) for at, name in enumerate(names)}
    drawn = lay_out(leads_to)
    for at, one in enumerate(drawn.nodes):
        assert 0 <= one.x <= drawn.width - WIDE
        assert 0 <= one.y <= drawn.height - HIGH
        for other in drawn.nodes[at + 1 :]:
            assert abs(one.x - other.x) >= WIDE or abs(one.y - other.y) >= HIGH, (one, other)
    assert len(drawn.edges) == sum(map(len, leads_to.values()))


def test_a_chain_is_straight() -> None:
    assert len({y for _, y in places({"a": ["b"], "b": ["c"], "c": []}).values()}) == 1


def test_a_circle_is_drawn_without_the_edge_that_closes_it() -> None:
    drawn = lay_out({"a": ["b"], "b": ["c"], "c": ["a"]})
    assert {(edge.start, edge.end) for edge in drawn.edges} == {("a", "b"), ("b", "c")}


def test_one_node_and_none_are_drawn() -> None:
    assert places({"a": []}) == {"a": (0, 0)}
    assert lay_out({}).nodes == []
