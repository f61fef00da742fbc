from collections import Counter

from catalog.sources import load_sources
from catalog.sources.seed_tasks import SeedTask


def test_there_are_five_groups_of_three_tasks_each_with_all_its_parts() -> None:
    rows = [row for row, _ in load_sources()["seed_tasks"].rows() if isinstance(row, SeedTask)]
    assert Counter(row.group for row in rows) == dict.fromkeys(range(5), 3)
    assert all(row.instruction and row.input and row.constraints for row in rows)
    assert len({row.instruction for row in rows}) == 15
