"""What is asked once is never asked again: not in a batch, by the next run, by another process, or after a kill."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from scripted import Reply, ScriptedServer, StartServer, question

from catalog.calls import attribution
from infra.errors import Failure
from infra.settings import load_settings
from tasks.ledger import Ledger, keep
from tasks.llm import Models, Request, open_models

ROOT = Path(__file__).parents[2]
Opening = Callable[..., AbstractContextManager[Models]]

ASK = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from scripted import question
from infra.settings import load_settings
from tasks.llm import open_models

home, url, first, last = sys.argv[1:]
with open_models(load_settings(home=Path(home), base_url=url, model="scripted", concurrency=4)) as models:
    requests = [question(f"{number}") for number in range(int(first), int(last))]
    for answer in models.get("generator").ask(requests, str):
        print(answer.value)
"""


def ask_in_a_process(home: Path, url: str, first: int, last: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK, str(home), url, str(first), str(last)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def rows(home: Path, columns: str) -> list[Any]:
    with sqlite3.connect(home / "calls.sqlite") as connection:
        return connection.execute(f"SELECT {columns} FROM calls ORDER BY created_at").fetchall()


@pytest.fixture
def models(tmp_path: Path) -> Opening:
    """Open the models anew, as a later run does, on the same home folder."""

    def open_again(server: ScriptedServer, **settings: Any) -> AbstractContextManager[Models]:
        given = {"home": tmp_path, "base_url": server.url, "api_key": "very-secret", "model": "scripted"}
        return open_models(load_settings(**given | settings))

    return open_again


def test_the_next_run_asks_nothing_again(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(lambda prompt, body: prompt.upper())
    requests = [question("a"), question("b")]
    with models(server) as first:
        before = first.get("generator").ask(requests, str)

    with models(server) as second:
        assert second.get("generator").ask(requests, str) == before

    assert sorted(server.prompts) == ["a", "b"]


def test_an_answer_is_kept_whatever_the_address(scripted_server: StartServer, models: Opening) -> None:
    first_server, second_server = (
        scripted_server(lambda prompt, body: "one"),
        scripted_server(lambda prompt, body: "two"),
    )
    with models(first_server) as first:
        first.get("generator").ask([question("a")], str)

    with models(second_server) as second:
        (answer,) = second.get("generator").ask([question("a")], str)

    assert answer.value == "one"
    assert second_server.requests == []


@pytest.mark.parametrize(
    "other",
    [
        question("b"),
        question("a", temperature=0.1),
        question("a", top_p=0.5),
        question("a", max_tokens=5),
        question("a", stop=("x",)),
        question("a", seed=1),
        question("a", sample=1),
        question("a", schema={"type": "string"}),
        Request(prefix="a"),
    ],
    ids=["text", "temperature", "top_p", "max_tokens", "stop", "seed", "sample", "schema", "raw"],
)
def test_whatever_else_is_asked_is_another_call(scripted_server: StartServer, models: Opening, other: Request) -> None:
    server = scripted_server(lambda prompt, body: "x")
    with models(server) as opened:
        opened.get("generator").ask([question("a"), other], str)

    assert len(server.requests) == 2


def test_another_model_is_another_call(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(lambda prompt, body: body["model"])
    with models(server) as opened:
        opened.get("generator").ask([question("a")], str)
    with models(server, model="other") as opened:
        assert opened.get("generator").ask([question("a")], str)[0].value == "other"


def test_equal_requests_of_one_batch_are_asked_once(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(lambda prompt, body: prompt)
    with models(server) as opened:
        answers = opened.get("generator").ask([question("a"), question("b"), question("a")], str)

    assert [answer.value for answer in answers] == ["a", "b", "a"]
    assert answers[0].call == answers[2].call
    assert sorted(server.prompts) == ["a", "b"]


def test_a_malformed_answer_is_kept_too_and_not_asked_again(scripted_server: StartServer, models: Opening) -> None:
    def words(prompt: str, body: dict[str, Any]) -> str:
        return "7" if body["seed"] else "no number"

    server = scripted_server(words)
    for _ in range(2):
        with models(server) as opened:
            assert opened.get("generator").ask([question("a")], int)[0].value == 7

    assert len(server.requests) == 2


def test_a_failure_is_kept_with_its_reason_and_asked_again(
    scripted_server: StartServer, models: Opening, tmp_path: Path
) -> None:
    good = []
    server = scripted_server(lambda prompt, body: "fine" if good else Reply("too long", status=400))
    with models(server) as opened:
        opened.get("generator").ask([question("a")], str)
    assert rows(tmp_path, "text, error") == [(None, "HTTP 400: too long")]

    good.append(True)
    with models(server) as opened:
        opened.get("generator").ask([question("a")], str)
    assert rows(tmp_path, "text, error") == [("fine", None)]


def test_a_call_tells_who_asked_what_and_what_came(
    scripted_server: StartServer, models: Opening, tmp_path: Path
) -> None:
    server = scripted_server(lambda prompt, body: "two words")
    with models(server) as opened, attribution(run_id="run-1", method="sft.some"):
        (answer,) = opened.get("judge").ask([question("three little words", seed=3)], str)

    (row,) = rows(
        tmp_path,
        "call_id, run_id, method, role, endpoint, model, text, finish_reason, prompt_tokens, completion_tokens, tries",
    )
    assert row == (answer.call, "run-1", "sft.some", "judge", server.url, "scripted", "two words", "stop", 3, 2, 1)
    ((request, response, latency, created),) = rows(tmp_path, "request, response, latency, created_at")
    assert json.loads(request) == server.requests[0]
    assert json.loads(response)["choices"][0]["message"]["content"] == "two words"
    assert 0 < latency < 5
    assert abs(time.mktime(time.strptime(created[:19], "%Y-%m-%d %H:%M:%S")) - time.timezone - time.time()) < 60


def test_an_answer_is_stored_before_it_is_parsed(scripted_server: StartServer, models: Opening, tmp_path: Path) -> None:
    seen = []
    server = scripted_server(lambda prompt, body: "fine")
    with models(server) as opened:
        opened.get("generator").ask([question("a")], lambda text: seen.extend(rows(tmp_path, "text")))

    assert seen == [("fine",)]


def test_no_key_and_no_password_is_stored(scripted_server: StartServer, models: Opening, tmp_path: Path) -> None:
    server = scripted_server(lambda prompt, body: Reply("no very-secret", status=400) if prompt == "bad" else "fine")
    url = server.url.replace("http://", "http://somebody:pass-word@")
    with models(server) as with_key:
        with_key.get("generator").ask([question("a"), question("bad")], str)
    with models(server, base_url=url) as with_login:
        with_login.get("generator").ask([question("b")], str)

    assert "Bearer very-secret" in [headers.get("Authorization") for headers in server.headers]
    assert any(headers.get("Authorization", "").startswith("Basic ") for headers in server.headers)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"fine" in kept
    assert b"very-secret" not in kept
    assert b"pass-word" not in kept


def test_a_key_is_not_sent_to_another_address(
    scripted_server: StartServer, models: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    shared, own = scripted_server(lambda prompt, body: "x"), scripted_server(lambda prompt, body: "y")
    with models(shared, roles={"judge": f"scripted@{own.url}"}) as opened:
        opened.get("judge").ask([question("a")], str)

    assert [headers.get("Authorization") for headers in own.headers] == [None]


def test_the_ledger_counts_answers_and_those_that_were_there(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(lambda prompt, body: "two words")
    with models(server) as opened, keep(Ledger()) as ledger:
        opened.get("generator").ask([question("a")], str)
        opened.get("generator").ask([question("a"), question("b"), question("b")], str)

    step = ledger.step("method")
    assert (step.calls, step.reused, step.prompt_tokens, step.completion_tokens) == (4, 2, 4, 8)


def test_a_call_store_that_is_none_is_refused_clearly(
    scripted_server: StartServer, models: Opening, tmp_path: Path
) -> None:
    (tmp_path / "calls.sqlite").write_bytes(b"no database at all" * 100)
    server = scripted_server(lambda prompt, body: "x")

    with models(server) as opened, pytest.raises(Failure, match=r"calls\.sqlite cannot be used"):
        opened.get("generator").ask([question("a")], str)


def test_two_processes_share_their_answers(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(lambda prompt, body: Reply(prompt, hang=0.01))
    processes = [ask_in_a_process(tmp_path, server.url, first, first + 60) for first in (0, 30)]
    told = [process.communicate(timeout=60)[0].split() for process in processes]

    assert told == [[f"{number}" for number in range(60)], [f"{number}" for number in range(30, 90)]]
    assert len(rows(tmp_path, "call_id")) == 90

    asked = len(server.requests)
    again = ask_in_a_process(tmp_path, server.url, 0, 90)
    assert again.communicate(timeout=60)[0].split() == [f"{number}" for number in range(90)]
    assert len(server.requests) == asked


def test_of_two_answers_to_one_question_the_first_stands(scripted_server: StartServer, models: Opening) -> None:
    """Two runs that ask the same at the same time must not go on with different answers."""
    from threading import Thread

    server = scripted_server(lambda prompt, body: Reply(f"answer {len(server.requests)}", hang=0.3))
    got = []

    def ask() -> None:
        with models(server) as opened:
            got.append(opened.get("generator").ask([question("a")], str)[0].value)

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 2
    assert got[0] == got[1]


def test_after_a_kill_no_answered_request_is_asked_again(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(lambda prompt, body: Reply(prompt, hang=0.03))
    process = ask_in_a_process(tmp_path, server.url, 0, 200)
    while len(server.requests) < 60:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    answered = {json.loads(request)["messages"][0]["content"] for (request,) in rows(tmp_path, "request")}
    asked = len(server.requests)

    again = ask_in_a_process(tmp_path, server.url, 0, 200)
    assert again.communicate(timeout=60)[0].split() == [f"{number}" for number in range(200)]

    assert 20 <= len(answered) < 200
    assert answered.isdisjoint(server.prompts[asked:])
    # Lost is at most what was under way: 4 requests at once.
    assert asked - len(answered) <= 8
