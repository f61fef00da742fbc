from catalog.records import Labelled
from tasks.operators.sample import dice, sample, sample_each

POOL = [Labelled(text=f"text {i}", label="rare" if i % 10 == 0 else "common") for i in range(100)]


def test_a_sample_has_n_distinct_rows_of_the_pool() -> None:
    drawn = sample(POOL, 30)
    assert len({row.record_id for row in drawn}) == 30
    assert set(drawn) <= set(POOL)


def test_a_sample_larger_than_the_pool_is_the_pool() -> None:
    assert set(sample(POOL, 1000)) == set(POOL)


def test_the_same_seed_draws_the_same_rows_in_whatever_order_the_pool_is() -> None:
    assert sample(POOL, 10, seed=1) == sample(POOL[::-1], 10, seed=1)
    assert sample(POOL, 10, seed=1) != sample(POOL, 10, seed=2)


def test_a_pool_that_grows_by_one_row_changes_one_draw_at_most() -> None:
    grown = [*POOL, Labelled(text="new", label="new")]
    assert len(set(sample(POOL, 10)) - set(sample(grown, 10))) <= 1


def test_every_row_is_drawn_about_as_often_as_any_other() -> None:
    counts = dict.fromkeys(POOL, 0)
    for seed in range(400):
        for row in sample(POOL, 10, seed=seed):
            counts[row] += 1
    assert min(counts.values()) > 15
    assert max(counts.values()) < 75


def test_strata_take_turns() -> None:
    labels = [row.label for row in sample(POOL, 10, by=lambda row: row.label)]
    assert labels.count("rare") == 5


def test_a_stratum_that_is_used_up_leaves_its_turns_to_the_others() -> None:
    labels = [row.label for row in sample(POOL, 40, by=lambda row: row.label)]
    assert labels.count("rare") == 10


def test_dice_are_the_same_for_the_same_names_only() -> None:
    assert dice(0, "a", 1).random() == dice(0, "a", 1).random()
    assert len({dice(*names).random() for names in ((0, "a", 1), (0, "a", 2), (0, "b", 1), (1, "a", 1))}) == 4


def test_of_each_kind_come_n_rows_at_most_and_in_their_order() -> None:
    drawn = sample_each(POOL, 3, by=lambda row: row.label)
    assert [row.label for row in drawn].count("rare") == 3
    assert [row.label for row in drawn].count("common") == 3
    assert drawn == [row for row in POOL if row in drawn]
    assert drawn != sample_each(POOL, 3, by=lambda row: row.label, seed=1)


def test_a_kind_with_fewer_rows_comes_whole() -> None:
    assert sample_each(POOL[:5], 10, by=lambda row: row.label) == POOL[:5]
