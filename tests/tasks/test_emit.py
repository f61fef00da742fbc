"""OpenLineage: events of real runs, held to the official schemas; files and servers that do not do as they should."""

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bench import TOY, Bench
from openlineage_spec import check_event, check_schema
from scripted import ScriptedServer

from catalog.openlineage import events, events_of_version
from catalog.publish import Findings, Run, publish
from catalog.records import Dialogue, PromptCompletion, Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from catalog.withdrawals import Asked
from infra.errors import Failure
from infra.settings import load_settings
from tasks import emit as emitting
from tasks.emit import as_line, emit
from tasks.llm import open_models
from tasks.materialize import GateRefusal
from tasks.registry import register_methods
from tasks.withdraw import take_down

ROOT = Path(__file__).parents[2]
BROKEN = TOY.replace("    drafts = [", '    raise ValueError("no idea how")\n    drafts = [')
FLOW_RUN = "0f3a6a52-3a4c-4a9e-9d0a-5d5b3f7a1c11"
KEY = "a-key-that-nobody-sees"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Bench]:
    """A bench whose toy was published, unchanged, quarantined and broken off, and then lost a row."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        server = stack.enter_context(
            ScriptedServer(lambda prompt, body: "the same" if prompt.startswith(KEY) else f"re {prompt}")
        )
        settings = load_settings(
            home=home,
            base_url=server.url,
            model="scripted",
            retries=1,
            mlflow=tracking,
            openlineage_disabled=False,
            openlineage_api_key=KEY,
        )
        bench = Bench(home, settings, stack.enter_context(open_models(settings)), server)
        bench.run(settings={"seed": "20260131"}, flow_run=FLOW_RUN)
        bench.run(TOY + "# other code, same rows\n", settings={"seed": "20260131"})
        with pytest.raises(GateRefusal):
            bench.run(settings={"prefix": f"{KEY} "})
        with pytest.raises(Failure):
            bench.run(BROKEN)
        ((record_id,),) = bench.ask("SELECT record_id FROM sft.toy WHERE prompt = 'beta'")
        take_down(bench.lake, Asked(records=(record_id,)), settings, who="me", why="asked to")
        yield bench


@pytest.fixture(scope="module")
def told(bench: Bench) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What became of a run → its first and its last event."""
    first, last = lines(bench.home)[::2], lines(bench.home)[1::2]
    return {own(end)["status"]: (start, end) for start, end in zip(first, last, strict=True)}


def lines(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "openlineage.jsonl").read_text().splitlines()]


def own(event: dict[str, Any]) -> dict[str, Any]:
    return event["run"]["facets"]["everspring_run"]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventType"] for event in events]


def put(lake: Lake, home: Path, *rows: Record, stage: str = "sft", method: str = "toy", **given: Any) -> Run:
    """A run that published some rows, made by nobody."""
    sources = given.pop("sources", ())
    run = Run(
        run_id=f"{method}-{len(list(home.glob('spool/*')))}",
        stage=stage,
        method=method,
        table_name=f"{stage}.{method}",
        fingerprint="f",
        **given,
    )
    (home / "spool" / f"kept-{run.run_id}").mkdir(parents=True)
    with Spool(home / "spool" / run.run_id, type(rows[0])) as spool:
        spool.add_rows(rows, {})
        publish(lake, run, spool, Findings(sources=sources), shape=type(rows[0]))
    return run


def test_each_run_is_told_by_two_events_that_the_official_schemas_allow(bench: Bench) -> None:
    found = lines(bench.home)
    for event in found:
        check_event(event)
    assert kinds(found) == [
        "START",
        "COMPLETE",
        "START",
        "COMPLETE",
        "START",
        "FAIL",
        "START",
        "FAIL",
        "START",
        "COMPLETE",
    ]
    runs = [event["run"]["runId"] for event in found]
    assert runs[::2] == runs[1::2]
    assert len(set(runs)) == 5
    assert all(start["eventTime"] <= end["eventTime"] for start, end in zip(found[::2], found[1::2], strict=True))


def test_a_published_run_tells_its_figures(bench: Bench, told: dict[str, Any]) -> None:
    _, complete = told["published"]
    assert complete["job"]["name"] == "sft.toy"
    assert complete["job"]["namespace"] == f"ducklake:sqlite://{bench.home}/lake.sqlite"
    facet = own(complete)
    assert (facet["table"], facet["version"], facet["mode"]) == ("sft.toy", 1, "append")
    assert facet["rows"] == {"read": 3, "made": 3, "kept": 3, "rejected": 0, "dropped": 0, "version": 3}
    assert (facet["yield"], facet["models"], facet["seed"]) == (1.0, ["generator=scripted"], 20260131)
    assert (facet["settings"], facet["calls"]["made"]) == ({"prefix": "", "seed": 20260131}, 3)
    assert "cost" not in facet  # the price of the model is not known, and that is not 0


def test_what_was_read_and_made_is_told_with_columns_versions_rows_and_checks(
    bench: Bench, told: dict[str, Any]
) -> None:
    _, complete = told["published"]
    ((seeds,), (toy,)) = complete["inputs"], complete["outputs"]
    assert (seeds["name"], toy["name"]) == ("raw.seeds", "sft.toy")
    assert {each["namespace"] for each in (seeds, toy)} == {complete["job"]["namespace"]}
    assert seeds["inputFacets"]["inputStatistics"]["rowCount"] == 3
    assert seeds["inputFacets"]["dataQualityMetrics"]["rowCount"] == 3
    assert seeds["facets"]["version"]["datasetVersion"] == "1"
    assert toy["facets"]["version"]["ducklakeSnapshot"] == bench.lake.find(TableRef.parse("sft.toy@1")).added_in
    assert [(each["name"], each["type"]) for each in toy["facets"]["schema"]["fields"]] == [
        ("record_id", "VARCHAR"),
        ("prompt", "VARCHAR"),
        ("completion", "VARCHAR"),
        ("parents", "VARCHAR[]"),
    ]
    assert toy["outputFacets"]["outputStatistics"]["rowCount"] == 3
    checks = toy["facets"]["dataQualityAssertions"]["assertions"]
    assert (
        len(checks) == bench.ask(f"SELECT count(*) FROM catalog.checks WHERE run_id = '{own(complete)['runId']}'")[0][0]
    )
    assert {"assertion": "unique", "column": "completion", "severity": "error", "success": True}.items() <= next(
        check for check in checks if check["name"] == "unique(completion)"
    ).items()


def test_files_are_told_where_they_hold_the_rows(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path))
    run = put(lake, tmp_path, *(PromptCompletion(prompt=f"p{n}", completion="c" * 80) for n in range(500)))
    (table,) = events(lake, run.run_id)[1]["outputs"]
    files = list((tmp_path / "data" / "sft").rglob("*.parquet"))
    assert (
        table["outputFacets"]["outputStatistics"].items()
        >= {
            "rowCount": 500,
            "fileCount": len(files),
            "size": sum(file.stat().st_size for file in files),
        }.items()
    )


def test_content_comes_of_all_content_and_parents_of_record_ids(told: dict[str, Any]) -> None:
    lineage = told["published"][1]["outputs"][0]["facets"]["columnLineage"]
    came_of = {
        name: [(each["name"], each["field"], each["transformations"][0]["type"]) for each in field["inputFields"]]
        for name, field in lineage["fields"].items()
    }
    assert came_of["completion"] == came_of["prompt"] == [("raw.seeds", "prompt", "DIRECT")]
    assert came_of["parents"] == [("raw.seeds", "record_id", "DIRECT")]
    assert came_of["record_id"] == [("raw.seeds", "prompt", "DIRECT"), ("raw.seeds", "record_id", "DIRECT")]
    assert [(each["field"], each["transformations"][0]["type"]) for each in lineage["dataset"]] == [
        ("record_id", "INDIRECT")
    ]


def test_the_lake_tells_the_same_events_again(bench: Bench) -> None:
    for place, number in ((0, 1), (8, 2)):
        again = events_of_version(Lake(bench.settings), TableRef("sft", "toy", number))
        assert again == lines(bench.home)[place : place + 2]


def test_a_quarantined_run_fails_with_its_message_and_says_where_the_rows_are(told: dict[str, Any]) -> None:
    _, fail = told["quarantined"]
    assert "1 of 18 expectations is broken (unique(completion)" in fail["run"]["facets"]["errorMessage"]["message"]
    table, quarantine = fail["outputs"]
    assert (table["name"], table["outputFacets"]["outputStatistics"]["rowCount"]) == ("sft.toy", 0)
    assert "version" not in table["facets"]
    assert (quarantine["name"], quarantine["outputFacets"]["outputStatistics"]["rowCount"]) == (
        "quarantine.sft__toy",
        3,
    )
    broken = [c for c in quarantine["facets"]["dataQualityAssertions"]["assertions"] if not c["success"]]
    assert [(check["name"], check["severity"]) for check in broken] == [("unique(completion)", "error")]


def test_a_run_that_breaks_off_fails_with_its_error(told: dict[str, Any]) -> None:
    start, fail = told["failed"]
    assert fail["run"]["facets"]["errorMessage"]["message"] == "ValueError: no idea how"
    assert "errorMessage" not in start["run"]["facets"]


def test_a_run_that_makes_nothing_new_wrote_nothing(told: dict[str, Any]) -> None:
    _, complete = told["unchanged"]
    assert own(complete)["rejectedBy"] == {"duplicate": 3}
    (table,) = complete["outputs"]
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 0


def test_a_night_of_a_flow_names_its_flow_run_and_its_date(told: dict[str, Any]) -> None:
    facets = told["published"][0]["run"]["facets"]
    assert (facets["parent"]["run"]["runId"], facets["parent"]["job"]["name"]) == (FLOW_RUN, "sft")
    assert facets["nominalTime"]["nominalStartTime"] == "2026-01-31T00:00:00+00:00"
    assert not {"parent", "nominalTime"} & told["unchanged"][0]["run"]["facets"].keys()


def test_a_take_down_says_that_rows_were_left_out_and_none_changed(told: dict[str, Any]) -> None:
    _, complete = told["withdrawn"]
    assert complete["job"]["name"] == "sft.toy.withdraw"
    assert complete["inputs"][0]["facets"]["version"]["datasetVersion"] == "1"
    assert own(complete)["rows"]["version"] == 2
    fields = complete["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert {each["transformations"][0]["subtype"] for f in fields.values() for each in f["inputFields"]} == {"IDENTITY"}


def test_no_secret_is_told(bench: Bench, told: dict[str, Any]) -> None:
    assert KEY not in (bench.home / "openlineage.jsonl").read_text()
    assert own(told["quarantined"][1])["settings"]["prefix"] == "*** "


def test_the_schema_of_our_facet_refuses_what_is_none(told: dict[str, Any]) -> None:
    facet = own(told["published"][1])
    with pytest.raises(jsonschema.ValidationError):
        check_schema({"$ref": facet["_schemaURL"]}, facet | {"status": "done"})


def test_a_method_is_told_with_its_paper_its_file_and_the_revision_of_it(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path))
    register_methods(lake)
    row = PromptCompletion(prompt="a", completion="b")
    run = put(lake, tmp_path, row, method="metamath", code_revision="ab12")
    _, complete = events(lake, run.run_id)
    check_event(complete)
    facets = complete["job"]["facets"]
    assert "https://arxiv.org/abs/" in facets["documentation"]["description"]
    where = facets["sourceCodeLocation"]
    assert (where["type"], where["path"], where["version"]) == ("git", "tasks/sft/metamath.py", "ab12")
    assert where["url"].startswith("file:///")


def test_an_import_tells_its_sources_and_what_messages_hold(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path))
    row = Dialogue(messages=({"role": "user", "content": "How far is the moon?"},))
    source = {"source": "talks", "licence": "CC-BY-4.0", "origin": "talks.jsonl", "content_hash": "h", "rows": 1}
    run = put(lake, tmp_path, row, stage="raw", method="talks", sources=[source | {"run_id": "talks-0"}])
    _, complete = events(lake, run.run_id)
    check_event(complete)
    (table,) = complete["outputs"]
    assert table["facets"]["documentation"]["description"] == "talks, CC-BY-4.0: talks.jsonl"
    (messages,) = (field for field in table["facets"]["schema"]["fields"] if field["name"] == "messages")
    (element,) = messages["fields"]
    assert [(each["name"], each["type"]) for each in element["fields"]] == [("role", "VARCHAR"), ("content", "VARCHAR")]
    assert own(complete)["sources"][0]["licence"] == "CC-BY-4.0"


def test_a_lake_in_postgresql_is_named_without_user_and_password(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path, lake="postgresql://me:pass%2Fword@db.example:5433/team"))
    assert lake.address == "ducklake:postgres://db.example:5433/team"


# ── files and servers ──


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tell a run that has published a row: `telling(**settings)`; no server is known to be away."""
    monkeypatch.setattr(emitting, "_away", {})
    lake = Lake(load_settings(home=tmp_path))
    run = put(lake, tmp_path, PromptCompletion(prompt="a", completion="b"))

    def tell(**given: Any) -> None:
        emit(lake, run.run_id, load_settings(home=tmp_path, **{"openlineage_disabled": False, **given}))

    return tell


def test_nothing_is_told_where_that_is_switched_off(telling: Callable[..., None], tmp_path: Path) -> None:
    telling(openlineage_disabled=True)
    assert not (tmp_path / "openlineage.jsonl").exists()


def test_a_torn_last_line_does_not_break_the_next(telling: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "openlineage.jsonl").write_text('{"eventTime": "2026-')
    telling()
    torn, *whole = (tmp_path / "openlineage.jsonl").read_text().splitlines()
    assert torn == '{"eventTime": "2026-'
    assert kinds([json.loads(line) for line in whole]) == ["START", "COMPLETE"]


def test_many_at_once_add_whole_lines(tmp_path: Path) -> None:
    file, event = tmp_path / "events.jsonl", {"text": "x" * 50_000}
    writers = [threading.Thread(target=lambda: emitting._append([event] * 2, file)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [json.loads(line) for line in file.read_text().splitlines()] == [event] * 16


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that does with each POST what it is told to."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with suppress(OSError):  # whoever asked has gone
                answer(self)

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_is_sent_the_events_with_the_key_and_no_file_is_written(
    telling: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[tuple[str, str | None, dict[str, Any]]] = []

    def take(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        got.append((request.path, request.headers["Authorization"], json.loads(body)))
        request.send_response(201)
        request.end_headers()

    with serving(take) as url:
        monkeypatch.setenv("OPENLINEAGE_URL", url)
        monkeypatch.setenv("OPENLINEAGE_API_KEY", "our-own-key")
        monkeypatch.setenv("OPENLINEAGE_ENDPOINT", "lineage/in")
        telling()
    assert [(path, key) for path, key, _ in got] == [("/lineage/in", "Bearer our-own-key")] * 2
    assert kinds([event for *_, event in got]) == ["START", "COMPLETE"]
    for *_, event in got:
        check_event(event)
    assert not (tmp_path / "openlineage.jsonl").exists()


def test_a_dead_server_costs_one_warning_and_the_events_go_to_the_file(
    telling: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken, caplog.at_level(logging.WARNING, "everspring"):  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        for _ in range(3):
            telling(openlineage_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
    (warning,) = (record.getMessage() for record in caplog.records if record.name == "everspring")
    assert "OPENLINEAGE_URL does not take events" in warning
    assert kinds(lines(tmp_path)) == ["START", "COMPLETE"] * 3


@pytest.mark.parametrize("code", [400, 401, 503])
def test_events_that_a_server_refuses_go_to_the_file(
    telling: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    def refuse(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        request.send_response(code)
        request.end_headers()

    with serving(refuse) as url:
        telling(openlineage_url=url, openlineage_api_key="our-own-key")
    assert str(code) in caplog.text
    assert "our-own-key" not in caplog.text
    assert kinds(lines(tmp_path)) == ["START", "COMPLETE"]


def test_a_server_that_answers_byte_by_byte_holds_no_run_up(
    telling: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(emitting, "_SECONDS", 0.5)
    done = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        while not done.wait(0.1):
            request.wfile.write(b"H")

    with serving(drip) as url:
        began = time.monotonic()
        telling(openlineage_url=url)
        assert time.monotonic() - began < 5
        done.set()
    assert "no answer within 0.5 s" in caplog.text
    assert kinds(lines(tmp_path)) == ["START", "COMPLETE"]


def test_a_server_that_is_well_again_is_told_again(
    telling: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [500, 201, 201]

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        request.send_response(codes.pop(0))
        request.end_headers()

    with serving(answer) as url:
        telling(openlineage_url=url)
        telling(openlineage_url=url)  # not asked: it was away a moment ago
        assert len(codes) == 2
        monkeypatch.setattr(emitting, "_AGAIN", 0.0)
        telling(openlineage_url=url)
    assert not codes
    assert len(lines(tmp_path)) == 4


def test_a_file_that_cannot_be_written_costs_a_warning(
    telling: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "openlineage.jsonl").mkdir()
    telling()
    assert "no OpenLineage events" in caplog.text


def test_a_line_is_one_line_whatever_is_in_it() -> None:
    assert json.loads(as_line({"text": "a\nb\u2028\ud800"})) == {"text": "a\nb\u2028\ud800"}
    assert len(as_line({"text": "a\nb\u2028"}).splitlines()) == 1


def test_the_library_is_loaded_where_a_run_ends_and_not_before() -> None:
    code = "import tasks.materialize, tasks.ingest, sys; print('openlineage' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
