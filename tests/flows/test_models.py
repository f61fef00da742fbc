"""`everspring models`: every role's model tried live; the embedded one served to other programs."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Reply, StartServer
from typer.testing import CliRunner, Result

from flows.models import app

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVERSPRING_HOME", str(tmp_path))
    return tmp_path


def everspring_models(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_each_role_is_listed_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:password@models.example/v1?token=secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("EVERSPRING_MODEL", "qwen")

    shown = everspring_models("--no-test").output

    assert [line.split() for line in shown.splitlines() if "http" in line] == [
        [role, "qwen", "http://models.example/v1"] for role in ("generator", "judge", "student")
    ]


def test_a_model_that_several_roles_share_is_asked_once(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted_server(lambda prompt, body: '{"colour": "green", "shade": 4}')
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    ended = everspring_models("--json")

    assert ended.exit_code == 0
    assert len(server.requests) == 1
    seats = json.loads(ended.stdout)
    assert [(seat["role"], seat["model"]) for seat in seats] == [
        ("generator", "scripted"),
        ("judge", "scripted"),
        ("student", "scripted"),
    ]
    assert seats[0]["trial"]["schema"] is True
    assert seats[0]["trial"]["completion_tokens"] > 0


def test_every_trial_is_live(scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scripted_server(lambda prompt, body: "green")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    everspring_models()
    everspring_models()

    assert len(server.requests) == 2


def test_a_model_that_does_not_heed_a_schema_is_told_from_one_that_does(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted_server(lambda prompt, body: '{"colour": "mauve", "shade": 4}')
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    ended = everspring_models()

    assert ended.exit_code == 0
    assert "not followed" in ended.output


def test_one_model_that_fails_is_named_and_the_others_are_tried(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = scripted_server(lambda prompt, body: "green")
    fails = scripted_server(lambda prompt, body: Reply(status=401, body='{"error": {"message": "no such key"}}'))
    monkeypatch.setenv("OPENAI_BASE_URL", works.url)
    monkeypatch.setenv("EVERSPRING_ROLES", json.dumps({"judge": f"strict@{fails.url}"}))

    ended = everspring_models()

    assert ended.exit_code == 1
    assert states(ended) == {"generator": "answers", "judge": "fails", "student": "answers"}
    assert f"judge model 'strict' at {fails.url}: HTTP 401: no such key" in ended.output
    assert "Traceback" not in ended.output


def test_an_endpoint_that_fails_now_and_then_is_not_asked_again(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted_server(lambda prompt, body: Reply(status=500))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    assert everspring_models().exit_code == 1
    assert len(server.requests) == 1


def test_embedder_and_image_are_asked_for_what_they_make(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted_server(lambda prompt, body: "green")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("EVERSPRING_ROLES", json.dumps({"embedder": f"e@{server.url}", "image": f"i@{server.url}"}))

    ended = everspring_models()

    assert ended.exit_code == 0, ended.output
    assert {path for method, path in server.paths if method == "POST"} == {
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/images/generations",
    }


def states(ended: Result) -> dict[str, str]:
    """The last column of each role."""
    lines = [line.split() for line in ended.stdout.splitlines()]
    return {words[0]: words[-1] for words in lines if words and words[0] in {"generator", "judge", "student"}}


@pytest.fixture
def serving(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """`everspring models serve` on a free port."""
    command = [sys.executable, "-m", "flows", "models", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--slots", "1"],
        cwd=ROOT,
        env={**os.environ, "EVERSPRING_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.embedded
def test_served_it_answers_any_program_until_it_is_interrupted(serving: "subprocess.Popen[str]") -> None:
    assert serving.stdout
    url = serving.stdout.readline().split()[1]
    model = serving.stdout.readline().split()[1]
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        assert json.loads(response.read())["model"] == model == "smollm2-135m-instruct"

    serving.send_signal(signal.SIGINT)
    _, said = serving.communicate(timeout=60)

    assert serving.returncode == 0
    assert "Traceback" not in said
    assert refused(url)


@pytest.mark.embedded
def test_served_it_ends_with_a_command_that_is_killed(serving: "subprocess.Popen[str]") -> None:
    assert serving.stdout
    url = serving.stdout.readline().split()[1]

    serving.kill()
    serving.wait()

    for _ in range(100):
        if refused(url):
            return
        signal.sigtimedwait([], 0.1)
    pytest.fail("the server outlives the command")


def refused(url: str) -> bool:
    host, port = url.split("/")[2].split(":")
    with socket.socket() as tried:
        return tried.connect_ex((host, int(port))) != 0


def test_a_port_in_use_is_refused(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = everspring_models("serve", "--port", str(port))

    assert str(ended.exception) == (
        f"--port {port}: 127.0.0.1 cannot be listened at (Address already in use), a free port was wanted; "
        "name another one"
    )
