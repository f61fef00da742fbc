import pytest

from catalog.records import Document
from tasks.ledger import Ledger, keep
from tasks.operators.extract import count_tokens
from tasks.operators.mix import mix, mix_each

REAL = [Document(text=f"real {'word ' * (10 + i % 7)}", title=str(i)) for i in range(60)]
MADE = [Document(text=f"made {'word ' * 10}", title=str(i)) for i in range(20)]


def _tokens(rows: list[Document], kind: str) -> int:
    return sum(count_tokens(row.text) for row in rows if row.text.startswith(kind))


@pytest.mark.parametrize("ratio", [0.2, 1.0, 3.0])
def test_a_mix_has_the_tokens_of_both_sides_in_the_ratio(ratio: float) -> None:
    mixed = mix(REAL, MADE, text=lambda row: row.text, ratio=ratio)
    assert _tokens(mixed, "made") / _tokens(mixed, "real") == pytest.approx(ratio, rel=0.1)


def test_the_side_that_is_short_is_kept_whole_and_the_rest_is_dropped_with_the_reason() -> None:
    with keep(Ledger()) as ledger:
        mixed = mix(REAL, MADE, text=lambda row: row.text)
    assert set(MADE) <= set(mixed)
    assert len(ledger.drops) == len(REAL) + len(MADE) - len(mixed)
    assert {d.reason for d in ledger.drops} == {"beyond the ratio of the mix"}


def test_the_sides_are_shuffled_into_each_other() -> None:
    kinds = [row.text[:4] for row in mix(REAL, MADE, text=lambda row: row.text)]
    assert len(set(kinds[:10])) == 2
    assert kinds != sorted(kinds)


def test_a_side_that_has_one_small_row_still_meets_one_of_the_other() -> None:
    mixed = mix(REAL[:5], [Document(text="made")], text=lambda row: row.text)
    assert len(mixed) == 2


def test_nothing_can_be_mixed_with_nothing() -> None:
    assert mix(REAL, [], text=lambda row: row.text) == []


def test_the_seed_decides_which_rows_are_kept() -> None:
    def kept(seed: int) -> list[Document]:
        return mix(REAL, MADE, text=lambda row: row.text, seed=seed)

    assert kept(1) == kept(1)
    assert set(kept(1)) != set(kept(2))


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_rows_and_those_made_of_each_are_in_the_ratio_and_no_row_depends_on_another(ratio: float) -> None:
    pairs = [(row, [Document(text=f"made {n} {'word ' * 11}", title=row.title)]) for n, row in enumerate(REAL)]
    mixed = mix_each(pairs, text=lambda row: row.text, ratio=ratio)
    assert _tokens(mixed, "made") / _tokens(mixed, "real") == pytest.approx(ratio, rel=0.25)
    parts = [row for pair in pairs for row in mix_each([pair], text=lambda row: row.text, ratio=ratio)]
    assert parts == mixed


def test_a_row_of_which_nothing_was_made_is_dropped() -> None:
    with keep(Ledger()) as ledger:
        assert mix_each([(REAL[0], [])], text=lambda row: row.text) == []
    assert [drop.reason for drop in ledger.drops] == ["beyond the ratio of the mix"]
