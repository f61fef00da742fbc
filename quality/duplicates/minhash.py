"""Exact and near duplicates: texts of which at least 0.8 of the shingles are common (Jaccard similarity).

Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900; Lee et al., 2022, https://arxiv.org/abs/2107.06499.

Within a batch the pairs are found exactly: texts that are alike must share one of their rarest shingles (prefix
filtering, Chaudhuri et al., 2006, https://doi.org/10.1109/ICDE.2006.9; Bayardo et al., 2007,
https://doi.org/10.1145/1242572.1242591), so none is missed, and text that many rows share costs nothing. Against
published rows, of which only signatures are kept, candidates are met by MinHash bands (a pair of similarity 0.8 in all
but 5 of 100,000 cases, one of 0.9 in all but 1 of 10 billion). Every candidate's similarity is then worked out: it
goes only where that reaches the threshold.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from quality.duplicates import Pair, pair_table, pieces
from quality.duplicates.shingles import (
    GRAM,
    SHORT,
    Sets,
    combined,
    content_hash,
    mixed,
    places_in,
    shingle_sets,
    sorted_within,
    starts_of,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from quality.duplicates import Stored
    from quality.duplicates.shingles import Counts, Hashes

THRESHOLD = 0.8
"""Jaccard similarity from which two texts are near duplicates (operators.md 2.3)."""
BANDS = 25
ROWS = 5
"""MinHashes in a band; 25 bands of 5 take 125 of the 128 permutations that are usual."""
SKETCH = 256
"""Shingles of a text that are kept, those with the least hashes: all of most texts, a sample of a long one."""
STORED = ("record_id", "content", "size", "bands", "sketch")
"""The columns of `signatures` to keep of a published row: VARCHAR, UBIGINT, UINTEGER, UINTEGER[], UINTEGER[]."""

_BLOCK = 1 << 15
_PIECE = 100_000
_TEXTS = 1000
_MEETINGS = 5_000_000
_UNCLEAR = 4
"""Standard errors from the threshold within which a sketch's estimate decides nothing."""

Read = Callable[[Sequence[str]], Mapping[str, str]]
"""Ids of published rows → their texts."""


def signatures(ids: Sequence[str], texts: Sequence[str], *, gram: int = GRAM, short: int = SHORT) -> "pl.DataFrame":
    """What near duplicates are found by, one row a text: the columns `STORED`, and `shingles`, which need not be kept.

    `content` is the hash of the text itself; `size` counts its shingles; `bands` are the hashes that it shares with
    texts alike; `sketch` holds the upper 32 bits of its `SKETCH` least shingles, in order; `shingles` (UBIGINT[]) all
    of them, in order. `gram` and `short` are those of `shingle_sets`; signatures of others cannot be compared.

    Raises:
        ValueError: where there are not as many ids as texts.
    """
    from concurrent.futures import ThreadPoolExecutor

    import polars as pl

    if len(ids) != len(texts):
        raise ValueError(f"signatures: {len(ids):,} ids for {len(texts):,} texts, one id a text is wanted")
    with ThreadPoolExecutor(1) as thread:  # numpy works on one piece while Python cuts the next into words
        frame = pl.concat(
            list(thread.map(_signature_columns, shingle_sets(texts, gram=gram, short=short))), rechunk=True
        )
    contents = pl.Series("content", list(map(content_hash, texts)), pl.UInt64)
    return frame.insert_column(0, pl.Series("record_id", ids, pl.String)).insert_column(1, contents)


def near_duplicates(
    new: "pl.DataFrame",
    published: "Stored | None" = None,
    *,
    threshold: float = THRESHOLD,
    read: Read | None = None,
) -> "pl.DataFrame":
    """The new rows that repeat a published or an earlier new one that stays: a table with the columns `PAIRS`.

    The kept row is the most similar one, and among those the first. A similarity is exact, but for a published text
    of more than `SKETCH` shingles: there it is estimated (standard error at most 0.025), and where the estimate is
    within 4 standard errors of the threshold, `read` is asked for the text and the similarity worked out.

    Args:
        new: the `signatures` of the new rows, in their order.
        published: the columns `STORED` of the published rows.
        threshold: Jaccard similarity from which a row goes.
        read: gives texts of published rows by their ids; without it the estimate decides.

    Raises:
        ValueError: for a threshold that is not above 0.5 and at most 1; the bands would miss pairs under it.
    """
    if not 0.5 < threshold <= 1:
        raise ValueError(f"near_duplicates: threshold is {threshold:g}, above 0.5 and at most 1 is wanted")
    pairs = [] if published is None or not len(new) else _match_published(new, published, threshold, read)
    gone = {pair.row for pair in pairs}
    pairs += _match_batch(new, gone, threshold)
    return pair_table(new["record_id"].to_list(), pairs)


def _signature_columns(sets: Sets) -> "pl.DataFrame":
    import numpy as np
    import polars as pl

    sizes = np.diff(sets.starts)
    first = places_in(sets.starts) < SKETCH
    columns = (
        pl.Series("size", sizes.astype(np.uint32)),
        _list_series("bands", *_bands(sets)),
        _list_series("sketch", _upper(sets.values[first]), starts_of(np.minimum(sizes, SKETCH))),
        _list_series("shingles", *sets),
    )
    return pl.DataFrame(columns)


def _bands(sets: Sets) -> "tuple[npt.NDArray[np.uint32], Counts]":
    """The hashes of a text's bands, `BANDS` of them; one for a text with a single shingle, which says it all.

    Of 32 bits: whoever shares a band is looked at anyway, and one in four thousand million does so by chance.
    """
    import numpy as np

    least = minhashes(sets)
    bands = np.stack([_upper(combined(least[at : at + ROWS], at)) for at in range(0, BANDS * ROWS, ROWS)], axis=1)
    single = np.diff(sets.starts) == 1
    bands[single, 0] = _upper(mixed(sets.values[sets.starts[:-1][single]]))
    told = np.ones(bands.shape, np.bool_)
    told[single, 1:] = False
    return bands[told], starts_of(told.sum(axis=1))


def minhashes(sets: Sets) -> "npt.NDArray[np.uint32]":
    """The least hash of each set under each permutation: one row a permutation, one column a set.

    A permutation is x → ax + b modulo 2³² with an odd a, over the upper halves of hashes that are random already.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    drawn = mixed(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64))
    factors, terms = _upper(drawn) | np.uint32(1), drawn.astype(np.uint32)
    values = _upper(sets.values)
    out = np.empty((BANDS * ROWS, len(sets.starts) - 1), np.uint32)

    def fill(block: slice) -> None:
        starts = sets.starts[block.start : block.stop + 1]
        mine = values[starts[0] : starts[-1]]
        room = np.empty_like(mine)
        for number in range(BANDS * ROWS):
            np.multiply(mine, factors[number], out=room)
            np.add(room, terms[number], out=room)
            np.minimum.reduceat(room, starts[:-1] - starts[0], out=out[number, block])

    with ThreadPoolExecutor() as threads:
        list(threads.map(fill, _blocks(sets.starts)))
    return out


def _blocks(starts: "Counts") -> Iterator[slice]:
    """The sets in slices that hold about as many values as a processor's cache."""
    first = 0
    while first < len(starts) - 1:
        last = max(int(starts.searchsorted(starts[first] + _BLOCK)) - 1, first + 1)
        yield slice(first, last)
        first = last


def _match_batch(new: "pl.DataFrame", gone: set[int], threshold: float) -> list[Pair]:
    """The pairs within a batch of which the rows in `gone` are no longer part."""
    import numpy as np

    sets = _sets_of(new["shingles"])
    rare, places = _rare_shingles(sets, threshold)
    sizes = np.diff(sets.starts)
    contents, ids = new["content"], new["record_id"]
    # Shingle → the rows that stay and have it, each with its place among the row's, packed into one number.
    holders: dict[int, array[int]] = {}
    pairs: list[Pair] = []
    for row, (start, end) in enumerate(pairwise(rare.starts.tolist())):
        if start == end or row in gone:
            continue
        mine: list[int] = rare.values[start:end].tolist()
        others = _others(row, sizes, [holders.get(shingle) for shingle in mine], places[start:end], threshold)
        if others and (found := _best_of(sets, row, others, threshold)):
            kept, similarity = found
            kind = "exact" if contents[kept] == contents[row] else "near"
            pairs.append(Pair(row, ids[kept], similarity, kind))
        else:
            for shingle, place in zip(mine, places[start:end].tolist(), strict=True):
                if (held := holders.get(shingle)) is None:
                    held = holders[shingle] = array("q")
                held.append(row << 32 | place)
    return pairs


def _others(
    row: int, sizes: "Counts", holders: "Sequence[array[int] | None]", places: "Counts", threshold: float
) -> list[int]:
    """The rows that have a rare shingle in common with this one and enough after it to reach the threshold.

    The first shingle that two sets have in common comes before all others that they have: they can have no more in
    common than the shorter rest (PPJoin, Xiao et al., 2008, https://doi.org/10.1145/1367497.1367516). This is what
    tells rows of one template apart at once.
    """
    import numpy as np

    held = [(place, found) for place, found in zip(places.tolist(), holders, strict=True) if found]
    if not held:
        return []
    met = np.concatenate([np.frombuffer(found, np.int64) for _, found in held])
    mine = np.repeat([place for place, _ in held], [len(found) for _, found in held])
    rows, theirs = met >> 32, met & 0xFFFFFFFF
    needed = (sizes[row] + sizes[rows]) * (threshold / (1 + threshold)) - 1e-9
    fit = np.minimum(sizes[row] - mine, sizes[rows] - theirs) >= needed
    return np.unique(rows[fit]).tolist()


def _rare_shingles(sets: Sets, threshold: float) -> "tuple[Sets, Counts]":
    """Of each set the shingles of which one must be common with any set alike, less those that no other set has.

    That is one more than a set alike may lack, in the order from the rarest to the most frequent; beside them are
    their places in that order. How frequent one is, is counted by the upper bits of its hash: any order will do that
    is the same for all sets.
    """
    import numpy as np

    bits = max(len(sets.values).bit_length() + 1, 16)
    slots = (sets.values >> np.uint64(64 - bits)).astype(np.int64)
    frequency = np.minimum(np.bincount(slots, minlength=1 << bits)[slots], (1 << 24) - 1).astype(np.uint64)
    del slots
    keys = sorted_within((frequency << np.uint64(40)) | (sets.values & np.uint64((1 << 40) - 1)), sets.starts)
    sizes, places = np.diff(sets.starts), places_in(sets.starts)
    needed = sizes - np.ceil(sizes * threshold - 1e-9).astype(np.int64) + 1
    told = (places < np.repeat(needed, sizes)) & (keys >> np.uint64(40) > 1)
    return Sets(keys[told], starts_of(np.add.reduceat(told, sets.starts[:-1], dtype=np.int64))), places[told]


def _best_of(sets: Sets, row: int, others: Sequence[int], threshold: float) -> tuple[int, float] | None:
    """The first of the most similar rows, and the similarity, where that reaches the threshold."""
    import numpy as np

    parts = [sets.values[sets.starts[other] : sets.starts[other + 1]] for other in others]
    mine = sets.values[sets.starts[row] : sets.starts[row + 1]]
    sizes = np.array([len(part) for part in parts])
    common = np.add.reduceat(_held(np.concatenate(parts), mine), starts_of(sizes)[:-1], dtype=np.int64)
    similarity = common / (len(mine) + sizes - common)
    best = int(similarity.argmax())
    return (others[best], float(similarity[best])) if similarity[best] >= threshold else None


def _held(values: "npt.NDArray[Any]", ordered: "npt.NDArray[Any]") -> "npt.NDArray[np.bool_]":
    """Whether each value is among the ordered ones, of which there is at least one."""
    import numpy as np

    return ordered[np.minimum(ordered.searchsorted(values), len(ordered) - 1)] == values


class _Candidate(NamedTuple):
    """A published row that may be like a new one: how much, and whether that is sure."""

    row: int
    kept_id: str
    similarity: float
    same_content: bool
    sure: bool


def _match_published(new: "pl.DataFrame", published: "Stored", threshold: float, read: Read | None) -> list[Pair]:
    """The pairs of new rows with published ones, for each new row the best, and of several the one of the least id."""
    candidates = [each for each in _candidates(new, published, threshold) if each.similarity >= threshold or read]
    best: dict[int, _Candidate] = {}
    for each in _settled(candidates, new, read) if read else candidates:
        if each.similarity >= threshold and (each.row not in best or _order(each) < _order(best[each.row])):
            best[each.row] = each
    return [
        Pair(each.row, each.kept_id, each.similarity, "exact" if each.same_content else "near")
        for each in best.values()
    ]


def _order(candidate: _Candidate) -> tuple[bool, float, str]:
    return not candidate.same_content, -candidate.similarity, candidate.kept_id


def _candidates(new: "pl.DataFrame", published: "Stored", threshold: float) -> Iterator[_Candidate]:
    """The published rows that share a band with a new one and are, or may be, as similar as the threshold wants."""
    import numpy as np
    import polars as pl

    sets = _sets_of(new["shingles"])
    contents = new["content"]
    bands = new.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "bands").explode("bands")
    for stored in pieces(published, STORED, _PIECE):
        for row, group in _meetings(bands, stored):
            mine = np.unique(_upper(sets.values[sets.starts[row] : sets.starts[row + 1]]))
            theirs = _sets_of(group["sketch"])
            whole = group["size"].to_numpy() <= SKETCH
            # Above the last value of a sketch that is a sample, nothing is known of its text.
            last = np.where(whole, np.uint32(0xFFFFFFFF), theirs.values[theirs.starts[1:] - 1])
            common = np.add.reduceat(_held(theirs.values, mine), theirs.starts[:-1], dtype=np.int64)
            either = mine.searchsorted(last, "right") + np.diff(theirs.starts) - common
            similarity = common / either
            doubt = _UNCLEAR * np.sqrt(threshold * (1 - threshold) / either)
            same = (group["content"] == contents[row]).to_numpy()
            sure = same | whole | (np.abs(similarity - threshold) > doubt)
            told = same | ~sure | (similarity >= threshold)
            ids = group["record_id"]
            for place in np.flatnonzero(told).tolist():
                alike = 1.0 if same[place] else float(similarity[place])
                yield _Candidate(row, ids[place], alike, bool(same[place]), bool(sure[place]))


def _meetings(bands: "pl.DataFrame", stored: "pl.DataFrame") -> "Iterator[tuple[int, pl.DataFrame]]":
    """For each new row that shares a band with stored ones, those rows."""
    import polars as pl

    theirs = stored.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"), "bands").explode("bands")
    theirs = theirs.join(bands, on="bands", how="semi")
    often = bands.join(theirs.group_by("bands").len(), on="bands")
    # Rows of one template may all share bands: only so many new ones at a time meet the stored ones.
    shares = (
        often.group_by("row").agg(pl.col("len").sum()).sort("row").with_columns(pl.col("len").cum_sum() // _MEETINGS)
    )
    for part in shares.partition_by("len", maintain_order=True):
        met = bands.join(part, on="row", how="semi").join(theirs, on="bands").select("row", "place").unique()
        for (row,), group in met.sort("row", "place").group_by("row", maintain_order=True):
            yield cast("int", row), stored[group["place"]]


def _settled(candidates: Sequence[_Candidate], new: "pl.DataFrame", read: Read) -> Iterator[_Candidate]:
    """The candidates with every similarity sure, which takes the texts of those where it is not."""
    unsure = [each for each in candidates if not each.sure]
    yield from (each for each in candidates if each.sure)
    for first in range(0, len(unsure), _TEXTS):
        part = unsure[first : first + _TEXTS]
        ids = sorted({each.kept_id for each in part})
        texts = read(ids)
        if missing := set(ids) - texts.keys():
            raise ValueError(f"near_duplicates: read gave no text of row {min(missing)}, one of each row is wanted")
        theirs = dict(zip(ids, signatures(ids, [texts[each] for each in ids])["shingles"], strict=True))
        for each in part:
            one, other = new["shingles"][each.row].to_numpy(), theirs[each.kept_id].to_numpy()
            common = int(_held(one, other).sum())
            yield each._replace(similarity=common / (len(one) + len(other) - common), sure=True)


def _sets_of(lists: "pl.Series") -> Sets:
    """The lists of a column, none of them empty, as they lie behind each other."""
    import numpy as np

    return Sets(lists.explode().to_numpy(), starts_of(lists.list.len().to_numpy().astype(np.int64)))


def _list_series(name: str, values: "npt.NDArray[Any]", starts: "Counts") -> "pl.Series":
    import polars as pl
    import pyarrow as pa

    return pl.Series(name, pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(starts), pa.array(values))))


def _upper(values: "Hashes") -> "npt.NDArray[np.uint32]":
    import numpy as np

    return (values >> np.uint64(32)).astype(np.uint32)
