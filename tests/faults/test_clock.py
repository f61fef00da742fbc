"""A clock that is wrong, back and forth from run to run and in the middle of one: nothing is ordered by it."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from invariants import broken
from world import LANES, Lane, Nursery, a_world

DAY = 86_400


@pytest.mark.long
def test_a_clock_that_is_set_back_and_forth_changes_nothing(tmp_path: Path) -> None:
    source, library, shift = Path(__file__).parent / "clock.c", tmp_path / "clock.so", tmp_path / "shift"
    if subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=False).returncode:
        pytest.skip("there is no compiler")
    shift.write_text(str(400 * DAY))
    with a_world(delay=0.0) as world:
        environment = world.environment | {"LD_PRELOAD": str(library), "CLOCK_FILE": str(shift)}
        with closing(Nursery(environment)) as nursery:
            lane = Lane(LANES[0], world, nursery)
            for days in (400, -30, 0):
                shift.write_text(str(days * DAY))
                assert lane.once() == 0, lane.log.read_text()
            signing = ("sign", "alignment.ultrafeedback@1")
            assert nursery.end_of(nursery.begin(signing, lane.log)) == 0, lane.log.read_text()
        assert broken(world) == []
        with world.lake.read() as connection:
            told = connection.execute(
                "SELECT version, r.seconds FROM catalog.versions JOIN catalog.runs AS r USING (run_id, version) "
                "WHERE r.table_name = 'alignment.ultrafeedback' ORDER BY snapshot"
            ).fetchall()
            published = [at for (at,) in connection.execute("SELECT published_at FROM catalog.versions").fetchall()]
        assert [version for version, _ in told] == [1, 2, 3]
        assert all(0 <= seconds < 600 for _, seconds in told)
        assert (max(published) - min(published)).days > 400
