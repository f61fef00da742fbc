"""Runners: the same rows wherever partitions are made, and a worker that is killed costs none."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from pydoc_data.topics import topics

import psutil
import pytest
from desk import Desk, desk_in

from flows.runners import Named
from infra.errors import Refusal

ROOT = Path(__file__).parents[2]
RUNNERS = ("", "threads", "dask", "ray")
MADE = """
import json, sys
from catalog.store import Lake
from infra.prefect_server import prefect_api
from infra.settings import load_settings

homes = json.loads(sys.argv[1])
with prefect_api(load_settings(home=next(iter(homes.values())))):
    from prefect import flow
    from flows.stage import drain
    from flows.runners import Named, Runner
    from tasks.llm import open_models
    from tasks.materialize import Order, materialize
    from tasks.method import find_method

    def materialized(runner, home):
        settings = load_settings(home=home)
        lake = Lake(settings)
        if runner:
            with Runner(Named.parse(runner), settings, {}) as spread, open_models(settings) as models:
                made(lake, models, settings, spread)
        else:
            with open_models(settings) as models:
                made(lake, models, settings, None)

    def made(lake, models, settings, spread):
        order = Order(reads={"documents": "raw.mine"})
        materialize(find_method("wrap"), lake, models, order, settings, spread=spread)
        order = Order(reads={"documents": "pretraining.wrap"}, settings={"copies": 2, "pasted": 0.0})
        materialize(find_method("text_copy_paste"), lake, models, order, settings, spread=spread)

    @flow
    def every():
        for runner, home in homes.items():
            materialized(runner, home)

    try:
        every()
    finally:
        drain()
"""
TABLES = {
    "wrap": "SELECT * EXCLUDE (snapshot_id) FROM pretraining.wrap",
    "edited": "SELECT * EXCLUDE (snapshot_id) FROM data_preparation.text_copy_paste",
    "rejected": "SELECT * EXCLUDE (run_id) FROM catalog.rejected WHERE table_name NOT LIKE 'raw.%'",
    "duplicates": "SELECT * EXCLUDE (run_id) FROM catalog.duplicates WHERE table_name NOT LIKE 'raw.%'",
    "flags": "SELECT * EXCLUDE (run_id) FROM catalog.flags WHERE table_name NOT LIKE 'raw.%'",
    "lineage": "FROM catalog.lineage",
    "signatures": "FROM catalog.signatures WHERE table_name NOT LIKE 'raw.%'",
    "ledger": "SELECT * EXCLUDE (run_id, seconds) FROM catalog.ledger",
    "runs": "SELECT method, status, rows_in, made, kept, rejected, dropped, calls, prompt_tokens, cost, fingerprint "
    "FROM catalog.runs",
    "figures": "SELECT metric, value, n FROM catalog.metrics WHERE table_name NOT LIKE 'raw.%'",
    "calls": "SELECT call_id, method, text FROM catalog.calls",
}


def documents(count: int) -> list[str]:
    """Texts of Python's reference, of which some repeat an earlier one, or nearly, from one partition to another."""
    chance = random.Random(0)
    pool = [
        " ".join(sentence.split())
        for text in topics.values()
        for sentence in re.split(r"(?<=[.])\s+", text)
        if 60 < len(sentence) < 200
    ]
    texts = [" ".join(chance.sample(pool, 4)) for _ in range(count)]
    return [*texts, *(f"{text} Indeed." for text in texts[:3]), *(text.replace(" ", "  ", 5) for text in texts[3:6])]


def imported(desk: Desk, rows: list[dict[str, str]]) -> None:
    file = desk.home.parent / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shape = "Prompt" if "prompt" in rows[0] else "Document"
    desk.run("import", str(file), "--table", "raw.mine", "--as", shape)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rya", "runner 'rya': unknown; did you mean: ray"),
        ("threads@tcp://127.0.0.1:1", "has no address of a cluster"),
        ("dask@", "has no address of a cluster"),
    ],
)
def test_a_runner_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        Named.parse(text)


def test_a_runner_that_is_not_installed_is_refused_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Refusal, match="prefect_dask is not installed, it is wanted; `pip install prefect-dask`"):
        Named.parse("dask")
    assert Named.parse("threads") == Named("threads")


def test_the_command_line_refuses_a_runner_before_anything_is_started(tmp_path: Path) -> None:
    assert "runner 'rays': unknown" in Desk(tmp_path).run("run", "sft", "--runner", "rays", code=2)
    assert not list(tmp_path.iterdir())


@contextmanager
def rephrasing() -> Generator[str]:
    """The address of a server that says again what it is asked about, in other words."""
    program = [sys.executable, str(ROOT / "tests/benchmarks/instant.py"), "--rephrase"]
    server = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.communicate(timeout=20)


@pytest.mark.long
@pytest.mark.xdist_group("runners")
@pytest.mark.timeout(900)
def test_every_runner_makes_the_same_rows_lineage_and_books(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    imported(desk, [{"text": text} for text in documents(34)])
    homes = {runner: str(tmp_path / f"home-{runner}") for runner in RUNNERS}
    for home in homes.values():
        shutil.copytree(desk.home, home)
    environment = {"EVERSPRING_PARTITION": "10", "EVERSPRING_MODEL": "instant", "PYTHONPATH": str(ROOT)}
    environment |= {"EVERSPRING_MLFLOW": f"sqlite:///{tmp_path}/mlflow.db"}
    with rephrasing() as url:
        ended = subprocess.run(
            [sys.executable, "-c", MADE, json.dumps(homes)],
            cwd=tmp_path,
            env={**os.environ, **environment, "OPENAI_BASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    found = {
        runner: {name: sorted(map(repr, Desk(Path(home)).lake.query(sql).rows())) for name, sql in TABLES.items()}
        for runner, home in homes.items()
    }
    for runner in RUNNERS:
        for name, rows in found[""].items():
            assert found[runner][name] == rows, (runner, name)
    assert all(found[""].values())
    assert any("'duplicate'" in row for row in found[""]["rejected"])
    assert any("'near_duplicate'" in row for row in found[""]["rejected"])


def workers(run: subprocess.Popen[str], like: Callable[[str], bool]) -> list[psutil.Process]:
    """The processes below a run whose command line is like that."""
    found: list[psutil.Process] = []
    for process in psutil.Process(run.pid).children(recursive=True):
        try:
            if like(" ".join(process.cmdline())):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def slow_desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path, 0.3) as desk:
        yield desk


@pytest.mark.long
@pytest.mark.xdist_group("runners")
@pytest.mark.parametrize(
    ("runner", "like"),
    [("dask", lambda line: "spawn_main" in line), ("ray", lambda line: line.startswith("ray::"))],
)
@pytest.mark.timeout(900)
def test_a_killed_worker_costs_a_retry_but_no_row_and_no_answer(
    slow_desk: Desk, runner: str, like: Callable[[str], bool]
) -> None:
    desk = slow_desk
    imported(desk, [{"prompt": f"What is said here? {text}"} for text in documents(24)])
    asked = (
        "run",
        "alignment",
        "--method",
        "ultrafeedback",
        "--read",
        "ultrafeedback.prompts=raw.mine",
        "--rows",
        "24",
    )
    settings = {"EVERSPRING_PARTITION": "6", "EVERSPRING_CONCURRENCY": "2", "EVERSPRING_HEDGE": "false"}
    run = desk.start(*asked, "--runner", runner, EVERSPRING_WORKERS="2", **settings)
    while run.poll() is None and len(desk.answered()) < 12:
        time.sleep(0.05)
    killed = workers(run, like)
    for process in killed:
        process.send_signal(signal.SIGKILL)
    before = len(desk.answered())
    said, _ = run.communicate(timeout=500)
    assert run.returncode == 0, said
    assert killed
    answered = desk.answered()
    assert len(answered) > before
    in_flight = 2 * len(killed)
    assert len(answered) - len(set(answered)) <= in_flight, "nothing else is asked a second time"
    ((rows_in, paid, calls),) = desk.lake.query(
        "SELECT rows_in, r.calls - r.failed, (SELECT count(*) FROM catalog.calls WHERE text IS NOT NULL) "
        "FROM catalog.runs AS r WHERE method = 'ultrafeedback'"
    ).rows()
    assert (rows_in, paid) == (24, calls)
    made = desk.rows()["alignment.ultrafeedback"]
    desk.run(*asked, "--force", "--replace", **settings)
    assert desk.rows()["alignment.ultrafeedback"] == made
    assert len(desk.answered()) == len(answered)
