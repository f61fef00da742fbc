"""How much of each benchmark a source has, from the hits in its documents."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quality.contamination.hits import Hit


@dataclass(frozen=True)
class Share:
    """What the documents of one source have of one benchmark: counts of items and documents, and of items by layer.

    `items_hit` are contaminated; `possible` are items that only a weak layer finds, `boilerplate` hits that were
    discounted. An item that several layers find counts once in each.
    """

    source: str
    benchmark: str
    items: int
    items_hit: int
    share: float
    """Of the benchmark's items that are hit; 0.0 where it is not known how many there are."""
    documents: int
    """Documents with a contaminated hit."""
    possible: int
    boilerplate: int
    by_layer: Mapping[str, int]


def report(found: Iterable[tuple[str, Sequence[Hit]]], items: Mapping[str, int]) -> list[Share]:
    """One row a source and a benchmark of which it has something, those with most items first.

    Args:
        found: the source of each document, and the hits in it.
        items: benchmark → how many items it has, as `BenchmarkIndex.items` gives it.
    """
    contaminated: dict[tuple[str, str], set[str]] = defaultdict(set)
    possible: dict[tuple[str, str], set[str]] = defaultdict(set)
    layers: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    documents: Counter[tuple[str, str]] = Counter()
    boilerplate: Counter[tuple[str, str]] = Counter()
    for source, hits in found:
        for hit in hits:
            key = (source, hit.benchmark)
            if hit.verdict == "contaminated":
                contaminated[key].add(hit.item)
                layers[key].add((hit.layer, hit.item))
            elif hit.verdict == "possible":
                possible[key].add(hit.item)
            else:
                boilerplate[key] += 1
        documents.update({(source, hit.benchmark) for hit in hits if hit.verdict == "contaminated"})
    rows = [
        Share(
            source=source,
            benchmark=benchmark,
            items=items.get(benchmark, 0),
            items_hit=len(contaminated[source, benchmark]),
            share=len(contaminated[source, benchmark]) / items[benchmark] if items.get(benchmark) else 0.0,
            documents=documents[source, benchmark],
            possible=len(possible[source, benchmark] - contaminated[source, benchmark]),
            boilerplate=boilerplate[source, benchmark],
            by_layer=dict(sorted(Counter(layer for layer, _ in layers[source, benchmark]).items())),
        )
        for source, benchmark in sorted({*contaminated, *possible, *boilerplate})
    ]
    return sorted(rows, key=lambda row: (row.source, -row.items_hit, row.benchmark))
