"""The command line: help, names, and one clear line for whatever cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]


def everspring(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("EVERSPRING", "OPENAI"))}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=ROOT,
        env={**clean, "EVERSPRING_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "sfft"), "stage 'sfft': unknown; did you mean: sft"),
        (("run", "sft", "--method", "metamth"), "method 'metamth': unknown; did you mean: metamath"),
        (("run", "sft", "--method", "wrap"), "method 'wrap': is of stage pretraining, not sft"),
        (("run", "sft", "--set", "metamath.nosuch=1"), "metamath: setting 'nosuch': unknown"),
        (("run", "sft", "--set", "metamath.seed=x"), "metamath.seed: 'x' was given, int is wanted"),
        (("run", "sft", "--set", "seed=1"), "METHOD.KEY=VALUE is wanted"),
        (("run", "sft", "--role", "juge=m@http://127.0.0.1:1/v1"), "role 'juge': unknown; did you mean: judge"),
        (("run", "sft", "--role", "judge=m@127.0.0.1"), "MODEL@URL is wanted"),
        (("run", "sft", "--read", "metamath.problms=raw.x"), "metamath: input 'problms': unknown"),
        (("run", "sft", "--rows", "many"), "--rows 'many'"),
        (("method", "rap"), "did you mean: wrap"),
        (("versions", "sft.nothing"), "table 'sft.nothing': unknown"),
        (("versions", "nothing"), "no table's name"),
        (("lineage", "zzz"), "neither a table nor a record id"),
        (("lineage", "abcdef01"), "no table holds it"),
        (("lineage", "abcdef01", "--format", "openlineage"), "TABLE[@V] without --down is wanted"),
        (("lineage", "sft.nothing", "--format", "openlineage"), "table 'sft.nothing': unknown"),
        (("sql", "drop table catalog.runs"), "SELECT is wanted"),
        (("sql", "select * from nowhere"), "nowhere does not exist"),
        (("import", "/nowhere.csv", "--table", "raw.x"), "/nowhere.csv"),
        (("import", "README.md", "--table", "sft.x", "--as", "Document"), "imports go to raw.NAME"),
    ],
)
def test_bad_usage_is_one_clear_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    ended = everspring(tmp_path, *arguments)
    assert ended.returncode == 2, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_lineage_prints_the_openlineage_events_of_a_version_a_line_each(tmp_path: Path) -> None:
    run = Run(run_id="run-1", stage="sft", method="toy", table_name="sft.toy", fingerprint="f")
    with Spool(tmp_path / "spool" / "run-1", Prompt) as spool:
        spool.add_rows([Prompt(prompt="a")], {})
        publish(Lake(load_settings(home=tmp_path)), run, spool, Findings(), shape=Prompt)
    ended = everspring(tmp_path, "lineage", "sft.toy@1", "--format", "openlineage")
    start, complete = map(json.loads, ended.stdout.splitlines())
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert complete["outputs"][0]["facets"]["version"]["datasetVersion"] == "1"


def test_a_home_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = everspring(tmp_path / "file" / "home", "tables")
    assert ended.returncode == 2
    assert "home: " in ended.stderr
    assert "set EVERSPRING_HOME" in ended.stderr


def test_a_broken_settings_file_is_refused(tmp_path: Path) -> None:
    ended = everspring(tmp_path, "tables", EVERSPRING_CONCURRENCY="many")
    assert ended.returncode == 2
    assert "concurrency: cannot be used" in ended.stderr


def test_every_command_has_help(tmp_path: Path) -> None:
    listed = everspring(tmp_path, "--help").stdout
    for command in (
        "demo",
        "run",
        "methods",
        "method",
        "import",
        "tables",
        "versions",
        "sql",
        "lineage",
        "prices",
        "models",
        "doctor",
        "up",
        "down",
        "status",
        "worker",
    ):
        assert f" {command} " in listed
        assert everspring(tmp_path, command, "--help").returncode == 0


@pytest.mark.parametrize(("form", "wanted"), [("csv", "a,b\n1,[2]\n"), ("json", '"a": 1')])
def test_answers_come_in_the_format_asked_for(tmp_path: Path, form: str, wanted: str) -> None:
    ended = everspring(tmp_path, "sql", "select 1 as a, [2] as b", "--format", form)
    assert (ended.returncode, wanted in ended.stdout) == (0, True), ended


def test_a_record_id_with_markup_in_its_content_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"prompt": "[bold]not markup[/bold]"}\n')
    everspring(tmp_path / "home", "import", str(file), "--table", "raw.mine")
    shown = everspring(tmp_path / "home", "sql", "select prompt from raw.mine")
    assert "[bold]not markup[/bold]" in shown.stdout
