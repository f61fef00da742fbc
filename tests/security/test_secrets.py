"""Secrets: in no error, no log and no file, whatever an endpoint says and however a run ends."""

import base64
import logging
import os
import random
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import pytest
from desk import Desk
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures
from scripted import BindLLM, Reply, ScriptedServer, StartServer, question
from scripted.answers import sensible

from catalog.store import Lake
from infra.errors import EverspringError, Failure, Refusal
from infra.secrets import guard_logs, redacted, secrets_in
from infra.settings import load_settings
from tasks.llm import Failed

KEY = "sk-live-7f3a9c0d5e/+==b1"
FORMS = {
    "plain": lambda key: key,
    "quoted": lambda key: quote(key, safe=""),
    "in a header": lambda key: f"Bearer {key}",
    "twice": lambda key: f"{key}{key}",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [400, 401, 500])
def test_an_endpoint_that_repeats_the_key_in_an_error(scripted_llm: BindLLM, form: str, status: int) -> None:
    echoed = FORMS[form](KEY)
    llm = scripted_llm(lambda prompt, body: Reply(f"not good: {echoed}", status=status), api_key=KEY, retries=0)
    try:
        (failed,) = llm.ask([question("well?")], str)
    except EverspringError as error:
        said = str(error)
    else:
        assert isinstance(failed, Failed)
        said = f"{failed.reason} {failed.evidence}"
    assert "not good" in said
    assert echoed not in said
    assert KEY not in said


def test_an_endpoint_that_repeats_the_key_in_an_answer(scripted_llm: BindLLM) -> None:
    (answer,) = scripted_llm(lambda prompt, body: f"you sent {KEY}", api_key=KEY).ask([question("well?")], str)
    assert not isinstance(answer, Failed)
    assert answer.value == "you sent ***"


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:9/{key}", "gopher://{key}/", "http://{key}@[::/", "/other?key={key}"]
)
def test_an_endpoint_that_repeats_the_key_in_the_address_it_sends_us_to(scripted_llm: BindLLM, where: str) -> None:
    address = where.format(key=quote(KEY, safe=""))
    reply = Reply("moved", status=307, headers={"Location": address})
    llm = scripted_llm(lambda prompt, body: reply, api_key=KEY, retries=0, timeout=5)
    try:
        said = str(llm.ask([question("well?")], str))
    except EverspringError as error:
        said = str(error)
    assert KEY not in said
    assert quote(KEY, safe="") not in said


def test_an_endpoint_that_sends_us_elsewhere_gets_no_key_there(
    scripted_llm: BindLLM, scripted_server: StartServer
) -> None:
    other = scripted_server(lambda prompt, body: "from elsewhere")
    reply = Reply("moved", status=307, headers={"Location": f"{other.url}/chat/completions"})
    scripted_llm(lambda prompt, body: reply, api_key=KEY, retries=0).ask([question("well?")], str)
    assert KEY not in str(other.headers)


def test_a_login_in_an_address_is_in_no_error(scripted_llm: BindLLM, scripted_server: StartServer) -> None:
    login = "somebody:pass-word-1234"
    basic = base64.b64encode(login.encode()).decode()
    server = scripted_server(lambda prompt, body: Reply(f"Basic {basic} of {login} is wrong", status=401))
    llm = scripted_llm(lambda prompt, body: "", base_url=server.url.replace("//", f"//{login}@"), api_key=None)
    with pytest.raises(Failure) as failed:
        llm.ask([question("well?")], str)
    assert "is wrong" in str(failed.value)
    for secret in (basic, login, "pass-word-1234"):
        assert secret not in str(failed.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://somebody:pass/word-1234@127.0.0.1:9/lake",
        "postgresql://somebody:pass%2Fword-1234@127.0.0.1:9/lake",
        "postgresql://somebody:pass@word-1234@127.0.0.1:9/lake",
        "postgresql://somebody@127.0.0.1:9/lake?password=pass-word-1234",
        "postgresql://somebody:pass word-1234@127.0.0.1:port/lake",
        "postgres:somebody:pass-word-1234@127.0.0.1",
    ],
)
def test_a_lake_that_cannot_be_reached_tells_no_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(EverspringError) as told:
        Lake(load_settings(home=tmp_path, lake=address)).versions()
    assert "lake" in str(told.value)
    assert "word-1234" not in str(told.value)


def test_a_login_on_the_command_line_is_refused(tmp_path: Path) -> None:
    said = Desk(tmp_path).run(
        "run", "sft", "--role", "generator=m@http://somebody:pass-word-1234@127.0.0.1:9/v1", code=2
    )
    assert "EVERSPRING_ROLES" in said
    assert "pass-word-1234" not in said


def test_errors_and_logs_hold_no_secret_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws/secret+1234567890")
    monkeypatch.setenv("TEAM_WEBHOOK", "https://hooks.invalid/services/T0/B0/abcdefgh")
    load_settings(api_key=KEY, benchmark_secret="benchmark-secret-1234", prefect="https://u:prefect-1234@host/api")
    told = "aws/secret+1234567890 https://hooks.invalid/services/T0/B0/abcdefgh benchmark-secret-1234 prefect-1234"
    assert str(Refusal(f"x: {told} {KEY}")) == "x: *** *** *** *** ***"
    guard_logs()
    guard_logs()
    with caplog.at_level("INFO"):
        logging.getLogger("somebody's").info("the key is %s", KEY)
        try:
            int(KEY)
        except ValueError:
            logging.getLogger("somebody's").exception("broken")
    assert KEY not in caplog.text
    assert "the key is ***" in caplog.text
    assert "invalid literal for int() with base 10: '***'" in caplog.text


def test_what_is_secret_in_an_address() -> None:
    assert secrets_in("http://127.0.0.1:8000/v1") == set()
    assert secrets_in("https://host/v1?api_key=abc&x=1") == {"abc"}
    assert "p/w" in secrets_in("postgresql://u:p%2Fw@host/db")


def test_words_that_are_only_short_secrets_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "none")
    load_settings()
    assert redacted("there is none") == "there is none"


def test_the_home_folder_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        settings = load_settings(home=tmp_path / "deep" / "home")
        Lake(settings).versions()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "deep" / "home").stat().st_mode) == 0o700
    for path in (tmp_path / "deep" / "home").iterdir():
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


# ── a whole run ──

PASSWORD = "pass-word-of-a-role-5678"
GIVEN = {
    "OPENAI_API_KEY": KEY,
    "EVERSPRING_BENCHMARK_SECRET": "benchmark-secret-9876543210",
    "PREFECT_API_KEY": "pnu_0123456789abcdef0123456789abcdef0123",
    "MLFLOW_TRACKING_TOKEN": "mlflow-token-0123456789",
    "AWS_SECRET_ACCESS_KEY": "aws/secret+0123456789",
    "TEAM_WEBHOOK": "https://hooks.invalid/services/T0/B0/0123456789",
}
ROLE_KEY = "sk-judge-0a1b2c3d4e5f"
WATERMARK = "watermark-secret-0123456789"


@pytest.fixture
def echoing() -> Iterator[ScriptedServer]:
    """An endpoint that repeats the key it was given: in errors, in answers, in headers."""

    def answer(prompt: str, body: dict[str, object]) -> str | Reply:
        given = server.headers[-1].get("Authorization", "") if server.headers else ""
        chance = random.Random(str(body)).random()
        if chance < 0.15:
            return Reply(f"your key {given} is not liked", status=400, headers={"X-Key": given})
        if chance < 0.3:
            return Reply(f"your key {given} broke me", status=500, headers={"X-Key": given})
        said = sensible(prompt, body)
        return Reply(f"{said} {given}" if isinstance(said, str) and chance < 0.5 else said, headers={"X-Key": given})

    with ScriptedServer(answer) as server:
        yield server


def everything(home: Path) -> Iterator[tuple[Path, str]]:
    """What the files of a folder hold, as bytes and as those who read SQLite and Parquet see it."""
    for path in home.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield path, data.decode("latin-1")
        if data.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as connection:
                connection.text_factory = lambda text: text.decode("latin-1")
                yield path, "\n".join(connection.iterdump())
        elif data.startswith(b"PAR1"):
            yield (
                path,
                str(duckdb.execute("SELECT CAST(t AS VARCHAR) FROM read_parquet(?) AS t", [str(path)]).fetchall()),
            )


def dump(address: str) -> str:
    """Every row of a PostgreSQL database."""
    import psycopg

    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return "\n".join(
            str(connection.execute(f"SELECT t::text FROM {table} AS t").fetchall())  # type: ignore[arg-type]
            for (table,) in tables
        )


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("team", [False, pytest.param(True, marks=pytest.mark.postgres)], ids=["alone", "team"])
def test_after_a_run_no_file_holds_a_secret(
    tmp_path: Path, echoing: ScriptedServer, request: pytest.FixtureRequest, team: bool
) -> None:
    desk = Desk(tmp_path / "home", echoing.url)
    roles = f'{{"judge": {{"model": "scripted", "url": "{echoing.url}", "api_key": "{ROLE_KEY}"}}}}'
    given = {**GIVEN, "EVERSPRING_ROLES": roles, "EVERSPRING_RETRIES": "1", "EVERSPRING_PARTITION": "4"}
    lake = request.getfixturevalue("postgres_database") if team else ""
    password = unquote(re.findall(r":([^:@/]+)@", lake)[0]) if team else "no password"
    if team:
        given["EVERSPRING_LAKE"] = lake
    chosen = [word for name in ("amps", "self_instruct", "ultrafeedback") for word in ("--method", name)]
    process = desk.start("run", "lifecycle", *chosen, "--rows", "4", **given)
    said, _ = process.communicate(timeout=500)
    assert process.returncode in {0, 1}, said
    assert "Traceback" not in said
    assert {KEY, ROLE_KEY} <= {re.sub("^Bearer ", "", headers["Authorization"]) for headers in echoing.headers}
    refused = desk.run("run", "sft", "--method", "metamath", code=2, **given, EVERSPRING_WATERMARK=WATERMARK)
    secrets = [*GIVEN.values(), ROLE_KEY, WATERMARK, password]
    secrets = {
        form
        for secret in secrets
        for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
    }
    texts = [(Path("what was said"), said + refused), *everything(tmp_path / "home")]
    if team:
        texts.append((Path("PostgreSQL"), dump(lake)))
    held = {(str(path), secret) for path, text in texts for secret in secrets if secret in text}
    assert not held
    key = tmp_path / "home" / "signing.key"
    private = [path for path, text in everything(tmp_path / "home") if "PRIVATE KEY" in text]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} <= {0o600}, (key, private)
