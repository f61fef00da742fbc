"""Rows met before: a row that shares a band is found, whenever it came, and none else is."""

import random

import polars as pl
import pytest

from quality.duplicates.met import Met
from quality.duplicates.minhash import STORED, near_duplicates, signatures


def signed(first: int, bands: list[list[int]]) -> pl.DataFrame:
    columns = {
        "record_id": [str(first + n) for n in range(len(bands))],
        "content": [0] * len(bands),
        "size": [1] * len(bands),
        "bands": bands,
        "sketch": [[1]] * len(bands),
    }
    kinds = (pl.String, pl.UInt64, pl.UInt32, pl.List(pl.UInt32), pl.List(pl.UInt32))
    return pl.DataFrame(columns, schema=dict(zip(STORED, kinds, strict=True)))


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_that_share_a_band_are_found_in_their_order(seed: int) -> None:
    chance = random.Random(seed)
    met, before = Met(), dict[str, set[int]]()
    for _ in range(40):
        new = [
            [chance.choice((0, 2**32 - 1, chance.randrange(400))) for _ in range(3)] for _ in range(chance.randrange(9))
        ]
        frame = signed(len(before), new)
        wanted = {band for row in new for band in row}
        assert met.like(frame)["record_id"].to_list() == [row for row, its in before.items() if its & wanted]
        met.add(frame)
        before |= {str(len(before) + n): set(row) for n, row in enumerate(new)}


def test_part_by_part_the_pairs_are_those_of_all_that_came_before() -> None:
    chance = random.Random(0)
    words = [f"word{n}" for n in range(300)]
    texts = [" ".join(chance.choices(words, k=40)) for _ in range(60)]
    texts += [text + " more" for text in chance.sample(texts, 30)]
    met, whole = Met(), list[pl.DataFrame]()
    for start in range(0, 90, 10):
        new = signatures([str(start + n) for n in range(10)], texts[start : start + 10])
        found = near_duplicates(new, met.like(new))
        assert found.rows() == near_duplicates(new, pl.concat(whole) if whole else None).rows()
        left = new.filter(~pl.col("record_id").is_in(found["record_id"].to_list()))
        met.add(left)
        whole.append(left.select(STORED))
