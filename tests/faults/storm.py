"""The storm: runs go on while parts of the system are killed at random, and then everything must hold.

`python tests/faults/storm.py --kills 100 --seed 1` kills flow processes (at any moment, and in the middle of a commit),
the Prefect server, a worker, the model's endpoint, the embedded model and, with `--team`, PostgreSQL, what serves its
connections, and the way to the object store, while four lanes of runs work on one home folder: two from the command
line on a scripted model, one by the worker, one on the embedded model. Each run is given again until it ends well. Then
the invariants of `invariants.py` are looked at, and every version is compared with that of a home in which the same
runs were left in peace; but for those of the embedded model, whose words depend on what it is asked at the same time.
"""

import argparse
import math
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from invariants import broken, flow_runs_at_work  # noqa: E402 - found by the line above
from parts import children_of, strike, until  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from world import (  # noqa: E402
    ASKS_EMBEDDED,
    CONCURRENCY,
    DEPLOYED,
    LANES,
    Deployed,
    Lane,
    Nursery,
    World,
    a_world,
)

from tasks.llm.embedded.shared import running  # noqa: E402

FLOW, COMMIT, PREFECT, ENDPOINT = "flow process", "flow process, in a commit", "Prefect server", "model's endpoint"
WORKER, STORE, EMBEDDED = "worker", "object store", "embedded model"
POSTGRES, BACKEND = "PostgreSQL", "PostgreSQL, one connection's process"
OFTEN = {FLOW: 5, COMMIT: 4, PREFECT: 2, WORKER: 2, ENDPOINT: 2, EMBEDDED: 2}
OFTEN_IN_TEAM = {**OFTEN, POSTGRES: 2, BACKEND: 2, STORE: 2}


@dataclass
class Storm:
    """What was struck, and what came of it."""

    world: World
    lanes: list[Lane]
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter[str])
    survived: Counter[str] = field(default_factory=Counter[str])
    """Kills after which every run that was at work ended well, without being given again."""
    answers: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many requests were answered, how many of them again, and again though the answer was stored."""

    def strike(self) -> None:
        """Wait a while, kill something, and bring it back."""
        often = OFTEN_IN_TEAM if self.world.postgres else OFTEN
        what = self.chance.choices(list(often), list(often.values()))[0]
        lane = self.chance.choice(self.lanes)
        pause = self.chance.uniform(0, 3)
        time.sleep(self.chance.uniform(0, lane.seconds if what in {FLOW, COMMIT} else lane.seconds / 2))
        before = [(each, each.pid, sum(each.failed.values())) for each in self.lanes]
        if what == FLOW:
            struck = self._strike_run(lane)
        elif what == COMMIT:
            struck = self._in_commit(lane)
        elif what == EMBEDDED:
            struck = self._strike_embedded()
        else:
            struck = True
            self._strike_server(what, pause)
        if not struck:
            return
        self.kills[what] += 1
        self.world.remember()
        if what not in {FLOW, COMMIT}:
            for each, pid, _ in before:
                while pid and each.pid == pid:
                    time.sleep(0.05)
            self.survived[what] += all(sum(each.failed.values()) == failed for each, _, failed in before)

    def _strike_run(self, lane: Lane) -> bool:
        if pid := lane.pid:
            strike(pid)
        return bool(pid)

    def _strike_embedded(self) -> bool:
        """Kill the embedded model's server, which the runs that need it start anew."""
        server = running(self.world.home / "embedded")
        if server and server.pid:
            strike(server.pid)
        return bool(server and server.pid)

    def _in_commit(self, lane: Lane) -> bool:
        """Kill a run a moment after the call store or the catalogue has begun to be written to."""
        home = self.world.home
        watched = [home / name for name in ("calls.sqlite-wal", "lake.sqlite-journal", "lake.sqlite-wal")]
        if self.world.postgres:
            watched = [home / "spool"]

        def state() -> list[float]:
            return [file.stat().st_mtime_ns if file.exists() else 0 for file in watched]

        before, deadline = state(), time.monotonic() + 2 * lane.seconds
        while state() == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        time.sleep(self.chance.uniform(0, 0.02))
        return self._strike_run(lane)

    def _strike_server(self, what: str, pause: float) -> None:
        world = self.world
        servers = {PREFECT: world.prefect, ENDPOINT: world.endpoint, WORKER: world.worker, STORE: world.store}
        if server := servers.get(what):
            server.kill()
            time.sleep(pause)
            server.start()
            return
        assert world.postgres
        postmaster = int((world.postgres.data / "postmaster.pid").read_text().split()[0])
        if what == BACKEND:
            serving = [pid for pid in children_of(postmaster) if b"127.0.0.1" in _command(pid)]
            strike(self.chance.choice(serving or [postmaster]))
            if serving:  # PostgreSQL ends every other connection, and recovers by itself
                return
        else:
            world.postgres.kill()
        time.sleep(pause)
        world.postgres.start()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def ids_of(world: World) -> dict[str, list[str]]:
    """The record ids of every version."""
    with world.lake.read() as connection:
        return {
            str(version.ref): sorted(
                row for (row,) in connection.execute(f"SELECT record_id FROM {version.sql}").fetchall()
            )
            for version in world.lake.versions()
        }


def undisturbed(lanes: list[Lane]) -> dict[str, list[str]]:
    """The record ids of every version, where the same runs are left in peace."""
    with a_world(delay=0.0) as world, closing(Nursery(world.environment)) as nursery:
        for lane in lanes:
            peaceful = Lane(lane.command, world, nursery)
            while peaceful.seed < lane.seed:
                assert peaceful.once() == 0, peaceful.log.read_text()[-3000:]
        return ids_of(world)


def storm(
    kills: int, seed: int, *, team: bool, minutes: float = math.inf, say: Callable[[str], None] = print
) -> tuple[Storm, list[str]]:
    """Kill so often, or for so long; returns what was struck, and the invariants that do not hold."""
    deadline = time.monotonic() + 60 * minutes
    with a_world(team=team) as world, closing(Nursery(world.environment)) as nursery:
        scripted = [*(Lane(command, world, nursery) for command in LANES), Deployed(DEPLOYED, world, nursery)]
        asks_embedded = Lane(ASKS_EMBEDDED, world, nursery, without=["OPENAI_BASE_URL", "EVERSPRING_MODEL"])
        lanes = [*scripted, asks_embedded]
        for lane in lanes:
            assert lane.once() == 0, lane.log.read_text()[-3000:]
            lane.go()
        made = Storm(world, lanes, random.Random(seed))
        try:
            while sum(made.kills.values()) < kills and time.monotonic() < deadline:
                made.strike()
                ended = [lane.seed for lane in lanes]
                say(f"{time.strftime('%X')}: {sum(made.kills.values())} kills, runs that ended well: {ended}")
        finally:
            for lane in lanes:
                lane.stop()
        assert lanes[0].once() == 0  # whatever was left by those that were killed is seen to by the next
        world.worker.kill()
        until(lambda: running(world.home / "embedded") is None, 30, "the embedded model's server does not end")
        found = broken(world)
        found += [f"Prefect shows {name!r} as running" for name in flow_runs_at_work(world)]
        again, most = world.asked_again(), CONCURRENCY * len(lanes) * sum(made.kills.values())
        stored = len(world.asked_though_stored())
        made.answers = {"all": len(world.requests()), "again": again, "again though stored": stored}
        if again > most:
            found.append(f"{again} requests were asked again, {most} at the most were in flight")
        method = ASKS_EMBEDDED[2]
        there = {name: rows for name, rows in ids_of(world).items() if f".{method}@" not in name}
        wanted = undisturbed(scripted)
        found += [
            f"{name}: other rows than where nothing is killed" for name in wanted if there.get(name) != wanted[name]
        ]
        found += [f"{name}: there is none in a home left in peace" for name in there if name not in wanted]
        if found:
            kept = Path(tempfile.gettempdir()) / f"everspring-storm-{os.getpid()}"
            shutil.copytree(world.folder, kept, dirs_exist_ok=True)
            say(f"the world is kept in {kept}")
        return made, found


def show(made: Storm, found: list[str]) -> None:
    """Print what was struck, and what came of it."""
    table = Table("component", "kills", "runs went on", "recovered")
    for what, count in made.kills.items():
        went_on = "" if what in {FLOW, COMMIT} else str(made.survived[what])
        table.add_row(what, str(count), went_on, str(count))
    console = Console(width=140)
    console.print(table)
    ended, failed = sum(lane.seed for lane in made.lanes), sum(sum(lane.failed.values()) for lane in made.lanes)
    console.print(
        f"{sum(made.kills.values())} kills; {ended} runs ended well, {failed} did not and were given again; "
        f"{made.answers['all']} answers, {made.answers['again']} of them to requests that were in flight; "
        f"{made.answers['again though stored']} asked though stored; {len(found)} invariants broken"
    )
    for line in found:
        console.print(f"  {line}", markup=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--team", action="store_true", help="catalogue and calls in PostgreSQL, which is killed too")
    parser.add_argument("--minutes", type=float, default=math.inf, help="strike no more after so long")
    given = parser.parse_args()
    made, found = storm(given.kills, given.seed, team=given.team, minutes=given.minutes)
    show(made, found)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
