"""The product as its user runs it: the command line in a process of its own, a scripted endpoint in another."""

import random
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, desk_in

from catalog.lineage import trace
from catalog.store import STAGES
from flows.cli import DEMO
from infra.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lifecycle"), pytest.mark.timeout(600)]


FEW = [word for name in DEMO for word in ("--method", name)]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_in(tmp_path_factory.mktemp("desk"), 0.02) as desk:
        yield desk


@pytest.fixture(scope="module")
def finished(endpoint: Desk) -> tuple[Desk, str]:
    """A lifecycle run to its end, and what it said. A scripted model writes nonsense, so some gates refuse."""
    process = endpoint.start("run", "lifecycle", *FEW, "--rows", "3")
    said, _ = process.communicate(timeout=500)
    assert process.returncode in {0, 1}, said
    assert "Traceback" not in said
    return endpoint, said


def test_every_stage_ends_in_a_line_of_the_results(finished: tuple[Desk, str]) -> None:
    desk, said = finished
    for stage in STAGES:
        assert f" {stage} " in said
    published = {version.ref.table for version in desk.lake.versions()}
    assert {"data_preparation.amps", "sft.symbol_tuning"} <= published  # they ask no model


def test_every_published_row_leads_to_raw_rows(finished: tuple[Desk, str]) -> None:
    desk, _ = finished
    lake = desk.lake
    for table, ids in desk.rows().items():
        if table.startswith("raw."):
            continue
        for record_id in ids[:5]:
            graph = trace(lake, record_id, "up")
            ends = [node for name, node in graph.nodes.items() if not graph.next.get(name)]
            assert ends, table
            for node in ends:
                assert node.kind == "call" or node.table.startswith("raw."), (table, node)
                if node.kind == "call":
                    assert node.content["text"]
                    assert node.content["model"]


def test_the_same_again_asks_and_publishes_nothing(finished: tuple[Desk, str]) -> None:
    desk, _ = finished
    before, asked = len(desk.lake.versions()), len(desk.answered())
    said = desk.run("run", "sft", "--method", "symbol_tuning", "--rows", "3")
    assert "nothing to do" in said
    assert len(desk.lake.versions()) == before
    assert len(desk.answered()) == asked


def test_prefect_shows_what_the_gate_refused_as_failed(finished: tuple[Desk, str]) -> None:
    desk, said = finished
    assert "expectations is broken (rows_at_least(1): 0)" in said.replace("\n", " ")
    with sqlite3.connect(desk.home / "prefect/prefect.db") as database:
        runs = dict(database.execute("SELECT name, state_type FROM task_run").fetchall())
        flows = dict(database.execute("SELECT f.name, r.state_type FROM flow_run r JOIN flow f ON f.id = r.flow_id"))
        keys = {key for (key,) in database.execute("SELECT key FROM artifact")}
    refused = {t for (t,) in desk.lake.query("SELECT table_name FROM catalog.runs WHERE status <> 'published'").rows()}
    assert refused
    for name, state in runs.items():
        if name.startswith("make "):
            assert state == ("FAILED" if name.split()[1] in refused else "COMPLETED"), name
    assert set(flows) == {"lifecycle", *STAGES}
    assert flows["lifecycle"] == "FAILED"
    assert {"results", "progress-amps", "ledger-amps"} <= keys


def test_no_secret_is_written_anywhere(endpoint: Desk, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home", endpoint.url, endpoint.log)
    desk.start("run", "pretraining", "--method", "wrap", "--rows", "1", OPENAI_API_KEY="sk-tell-nobody").communicate(
        timeout=300
    )
    holding = [file for file in desk.home.rglob("*") if file.is_file() and b"sk-tell-nobody" in file.read_bytes()]
    assert not holding


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_killed_again_and_again_it_completes_without_asking_or_publishing_twice(
    finished: tuple[Desk, str], tmp_path: Path, seed: int
) -> None:
    calm, _ = finished
    with desk_in(tmp_path, 0.02) as desk:
        draw = random.Random(seed)
        for _ in range(3):
            process = desk.start("run", "lifecycle", *FEW, "--rows", "3")
            try:
                process.communicate(timeout=draw.uniform(8, 30))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
        last = desk.start("run", "lifecycle", *FEW, "--rows", "3")
        said, _ = last.communicate(timeout=500)
        assert last.returncode in {0, 1}, said
        # What was in flight when a kill came may have been answered to nobody; nothing else is asked for again.
        again = [times - 1 for times in Counter(desk.answered()).values() if times > 1]
        assert sum(again) <= 3 * load_settings().concurrency
        assert desk.rows().keys() == calm.rows().keys(), said
        assert desk.rows() == calm.rows()
        versions = [str(version.ref) for version in desk.lake.versions()]
        assert len(versions) == len(set(versions))
