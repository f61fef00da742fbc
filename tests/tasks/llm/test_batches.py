"""The Batch API: what is submitted, what is collected, and what a kill or a fault at any step changes about that."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from scripted import BindLLM, Reply, ScriptedServer, StartServer, question

from infra.errors import Failure, Refusal
from tasks.llm.batches import Batches, Item, Waiting, exchange, parts, service
from tasks.llm.connection import Connection, Endpoint
from tasks.llm.faults import Unanswered
from tasks.llm.loop import LOOP

ROOT = Path(__file__).parents[3]
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "FIRST_POLL", 0.01)
    monkeypatch.setattr(service, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(service, "SETTLED", 0.0)


def item(prompt: str, model: str = "scripted") -> Item:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    return Item(f"call-{prompt}", "/chat/completions", json.dumps(body))


def batches(url: str, folder: Path, *, wait: bool = True, say: Callable[[str], None] = str) -> Batches:
    connection = Connection(Endpoint(url=url, key=SecretStr(KEY), retries=1, timeout=20))
    return Batches(connection, folder, wait=wait, say=say)


async def taken(used: Batches, items: Iterable[Item]) -> dict[str, str]:
    """What came of each request: the answer, or why there is none."""
    found: dict[str, str] = {}
    try:
        async for call, _, outcome in used.exchange(list(items)):
            assert call not in found
            failed = isinstance(outcome, Unanswered)
            text = str(outcome) if failed else json.loads(outcome)["choices"][0]["message"]["content"]
            found[call.removeprefix("call-")] = text
    finally:
        await used.connection.close()
    return found


def ask(server: ScriptedServer, folder: Path, prompts: Iterable[str], **options: Any) -> dict[str, str]:
    with LOOP.use() as loop:
        return loop.run(taken(batches(server.url, folder, **options), map(item, prompts))).result(60)


def submitted(server: ScriptedServer) -> int:
    return server.paths.count(("POST", "/v1/batches"))


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def echo(prompt: str, body: dict[str, Any]) -> str:
    return prompt


def first_then(fault: Reply, of: str) -> Callable[[str, dict[str, Any]], str | Reply]:
    """An answer function: the fault the first time that it is asked `of`, an echo otherwise."""
    asked = count()
    return lambda prompt, body: fault if prompt == of and next(asked) == 0 else prompt


# ── submit and collect ──


def test_requests_go_as_a_file_and_come_back_as_one(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=2)

    assert ask(server, tmp_path, ["a", "b", "c"]) == {"a": "a", "b": "b", "c": "c"}
    assert Counter(server.paths)["POST", "/v1/files"] == submitted(server) == 1
    assert ("POST", "/v1/chat/completions") not in server.paths
    assert kept(tmp_path) == []


def test_it_says_how_far_a_batch_is(scripted_server: StartServer, tmp_path: Path) -> None:
    said: list[str] = []
    ask(scripted_server(echo, batch_delay=2), tmp_path, ["a", "b"], say=said.append)

    assert said == [
        "batch batch_2: 2 requests submitted",
        "batch batch_2: 0 of 2 done, 0 failed; leave with Ctrl-C, the same command collects",
        "batch batch_2: completed, 2 of 2 done, 0 failed",
    ]


def test_a_model_asks_in_batches_where_that_is_set(scripted_llm: BindLLM) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or prompt.upper(), batch=True)

    answers = llm.ask([question("a"), question("b")], str)

    assert [answer.value for answer in answers] == ["A", "B"]
    assert [answer.value for answer in llm.ask([question("a")], str)] == ["A"]
    assert sorted(asked) == ["a", "b"]


def test_a_line_separator_in_an_answer_does_not_end_its_line(scripted_server: StartServer, tmp_path: Path) -> None:
    assert ask(scripted_server(echo), tmp_path, ["a\u2028b\u0085c"]) == {"a\u2028b\u0085c": "a\u2028b\u0085c"}


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"REQUESTS_A_BATCH": 2}, [2, 2, 1]),
        ({"BYTES_A_BATCH": 400}, [2, 2, 1]),
    ],
    ids=["requests", "bytes"],
)
def test_what_is_too_much_for_one_file_is_several_batches(
    scripted_server: StartServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, int],
    sizes: list[int],
) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(parts, name, limit)
        monkeypatch.setattr(exchange, name, limit)
    server = scripted_server(echo)

    assert ask(server, tmp_path, "abcde") == {prompt: prompt for prompt in "abcde"}
    assert [batch["request_counts"]["total"] for batch in server.desk.batches.values()] == sizes


def test_a_batch_has_one_model(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)
    items = [item("a", "one"), item("b", "two"), item("c", "one")]

    with LOOP.use() as loop:
        assert loop.run(taken(batches(server.url, tmp_path), items)).result(60) == {"a": "a", "b": "b", "c": "c"}
    assert [batch["request_counts"]["total"] for batch in server.desk.batches.values()] == [2, 1]


def test_every_text_to_embed_counts_as_a_request() -> None:
    texts = [Item(str(number), "/embeddings", '{"model": "m", "input": ["a", "b"]}') for number in range(3)]

    assert [len(part.items) for part in parts.parts(((text, 0) for text in texts), most=4)] == [2, 1]


def test_a_request_that_no_batch_takes_is_reported(
    scripted_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BYTES_A_BATCH", 400)
    monkeypatch.setattr(exchange, "BYTES_A_BATCH", 400)

    found = ask(scripted_server(echo), tmp_path, ["a", "b" * 400, "c"])

    assert found["a"], found["c"] == ("a", "c")
    assert found["b" * 400].startswith("too big for a batch: ")


# ── come back ──

RUN = """
import sys
from pathlib import Path
from pydantic import SecretStr
from tests.tasks.llm.test_batches import batches, item, taken
from tasks.llm.loop import LOOP

used = batches(sys.argv[1], Path(sys.argv[2]), say=lambda line: print(line, flush=True))
with LOOP.use() as loop:
    print(loop.run(taken(used, map(item, sys.argv[3:]))).result())
"""


def kill_when(happened: Callable[[], bool], server: ScriptedServer, folder: Path, *prompts: str) -> None:
    """Run in a process of its own, and kill that as soon as something has happened."""
    command = [sys.executable, "-c", RUN, server.url, str(folder), *prompts]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            while not happened():
                assert process.poll() is None
                time.sleep(0.01)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL


def test_a_run_that_is_killed_while_it_waits_is_collected_by_the_next(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(echo, batch_delay=None)
    kill_when(lambda: any("/v1/batches/" in path for _, path in server.paths), server, tmp_path, "a", "b")
    server.desk.delay = 0

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert submitted(server) == 1


def test_a_batch_whose_id_a_killed_run_never_learnt_is_found(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)
    server.meddle = lambda method, path: (
        Reply(hang=60, done=True) if (method, path) == ("POST", "/v1/batches") else None
    )
    kill_when(lambda: bool(server.desk.batches), server, tmp_path, "a", "b")
    server.meddle = lambda method, path: None

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert submitted(server) == len(server.desk.batches) == 1


def test_a_run_that_is_killed_during_the_upload_has_submitted_nothing(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(echo)
    server.meddle = lambda method, path: Reply(hang=60, done=True) if path == "/v1/files" else None
    kill_when(lambda: bool(server.desk.files), server, tmp_path, "a", "b")
    server.meddle = lambda method, path: None

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert submitted(server) == 1
    assert kept(tmp_path) == []


def test_a_batch_is_kept_until_its_answers_are_stored(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)
    seen: list[int] = []

    async def stored() -> None:
        seen.append(len(kept(tmp_path)))

    async def run() -> None:
        used = batches(server.url, tmp_path)
        async for _ in used.exchange([item("a"), item("b")], stored=stored):
            pass
        await used.connection.close()

    with LOOP.use() as loop:
        loop.run(run()).result(60)
    assert (seen, kept(tmp_path)) == ([1], [])


def test_a_run_that_ends_among_the_answers_is_collected_by_the_next(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(echo)

    async def take_one() -> None:
        used = batches(server.url, tmp_path)
        answers = used.exchange([item("a"), item("b")])
        await anext(answers)
        await answers.aclose()
        await used.connection.close()

    with LOOP.use() as loop:
        loop.run(take_one()).result(60)

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert submitted(server) == 1


def test_without_waiting_it_leaves_with_an_exit_code_of_its_own(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=None)
    for _ in range(2):
        with pytest.raises(Waiting, match=r"batch batch_2 \(0 of 2 done, 0 failed\) is at work.*same command") as left:
            ask(server, tmp_path, ["a", "b"], wait=False)
        assert left.value.exit_code == 75
    server.desk.delay = 0

    assert ask(server, tmp_path, ["a", "b"], wait=False) == {"a": "a", "b": "b"}
    assert submitted(server) == 1


def test_only_what_is_in_no_batch_is_submitted(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=None)
    with pytest.raises(Waiting):
        ask(server, tmp_path, ["a", "b"], wait=False)
    server.desk.delay = 0

    assert ask(server, tmp_path, ["b", "c"]) == {"b": "b", "c": "c"}
    assert ask(server, tmp_path, ["a"]) == {"a": "a"}
    assert sorted(server.prompts) == ["a", "b", "c"]
    assert kept(tmp_path) == []


def test_two_runs_at_once_submit_a_request_once(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=None)
    submissions: list[str] = []

    def say(line: str) -> None:
        submissions.extend([line] * ("submitted" in line))
        if len(submissions) == 3:  # one run's two, which the other joins, and its third
            server.desk.delay = 0

    async def both() -> list[dict[str, str]]:
        runs = [batches(server.url, tmp_path, say=say) for _ in range(2)]
        wanted = [[item("a"), item("b")], [item("b"), item("c")]]
        return await asyncio.gather(*(taken(run, items) for run, items in zip(runs, wanted, strict=True)))

    with LOOP.use() as loop:
        assert loop.run(both()).result(60) == [{"a": "a", "b": "b"}, {"b": "b", "c": "c"}]
    assert sorted(server.prompts) == ["a", "b", "c"]
    assert kept(tmp_path) == []


def test_nothing_secret_is_kept(scripted_server: StartServer, tmp_path: Path) -> None:
    with pytest.raises(Waiting):
        ask(scripted_server(echo, batch_delay=None), tmp_path, ["a"], wait=False)

    assert kept(tmp_path)
    assert not [file for file in tmp_path.iterdir() if KEY in file.read_text()]


# ── faults of requests ──


@pytest.mark.parametrize(
    "fault",
    [Reply(status=500), Reply(status=429), Reply(dropped=True), Reply(body="{cut\n"), Reply(hang=1)],
    ids=["500", "429", "no line", "no JSON", "expired"],
)
def test_a_request_with_a_passing_fault_is_submitted_again_alone(
    scripted_server: StartServer, tmp_path: Path, fault: Reply
) -> None:
    server = scripted_server(first_then(fault, of="b"))

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert [batch["request_counts"]["total"] for batch in server.desk.batches.values()] == [2, 1]


@pytest.mark.parametrize(
    ("fault", "reason", "times"),
    [
        (Reply("no good", status=400), "HTTP 400: no good", 1),
        (Reply("overloaded", status=500), "HTTP 500: overloaded", 2),
        (Reply(hang=1), "batch expired: This request could not be executed in time.", 2),
        (Reply(dropped=True), "missing from its batch", 2),
    ],
    ids=["400", "500", "expired", "no line"],
)
def test_a_request_with_a_lasting_fault_is_reported(
    scripted_server: StartServer, tmp_path: Path, fault: Reply, reason: str, times: int
) -> None:
    server = scripted_server(lambda prompt, body: fault if prompt == "b" else prompt)

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": reason}
    assert server.prompts.count("b") == times
    assert kept(tmp_path) == []


def test_how_often_a_request_has_failed_is_not_forgotten_between_runs(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(lambda prompt, body: Reply("overloaded", status=500), batch_delay=1)
    for _ in range(2):
        with pytest.raises(Waiting):
            ask(server, tmp_path, ["a"], wait=False)

    assert ask(server, tmp_path, ["a"], wait=False) == {"a": "HTTP 500: overloaded"}
    assert submitted(server) == 2


def test_a_request_that_shows_that_the_endpoint_is_unusable_is_not_met_again(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(first_then(Reply("no such model", status=404), of="a"))

    assert ask(server, tmp_path, ["a"]) == {"a": "HTTP 404: no such model"}
    assert ask(server, tmp_path, ["a"]) == {"a": "a"}


# ── faults of batches ──


def test_a_batch_that_is_cancelled_gives_what_it_has(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(lambda prompt, body: Reply(hang=1) if prompt == "b" else prompt, batch_delay=None)
    with pytest.raises(Waiting):
        ask(server, tmp_path, ["a", "b"], wait=False)
    server.desk.cancel("batch_2")

    assert ask(server, tmp_path, ["a", "b"]) == {
        "a": "a",
        "b": "batch cancelled: This request could not be executed in time.",
    }


def test_a_batch_that_is_no_good_as_a_whole_says_why(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)
    server.desk.invalid = lambda lines: [{"code": "model_not_found", "message": "no such model", "line": None}]

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "batch failed: no such model", "b": "batch failed: no such model"}
    assert submitted(server) == 1


def test_lines_that_are_no_good_are_left_out_the_second_time(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)

    def invalid(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [number for number, line in enumerate(lines, 1) if line["custom_id"] == "call-b"]
        return [{"code": "invalid_request", "message": "b is no good", "line": number} for number in found]

    server.desk.invalid = invalid

    assert ask(server, tmp_path, ["a", "b", "c"]) == {"a": "a", "b": "batch failed: b is no good", "c": "c"}


def test_more_than_the_endpoint_lets_wait_goes_in_smaller_batches(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=1)
    server.desk.most = 3

    assert ask(server, tmp_path, "abcdefgh") == {prompt: prompt for prompt in "abcdefgh"}
    assert sorted(server.prompts) == list("abcdefgh")


def test_answers_that_the_endpoint_no_longer_has_are_asked_for_again(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(echo)
    gone = count()
    server.meddle = lambda method, path: (
        Reply("expired", status=404) if path.endswith("/content") and next(gone) == 0 else None
    )

    assert ask(server, tmp_path, ["a"]) == {"a": "a"}
    assert submitted(server) == 2


@pytest.mark.parametrize("fault", [Reply(status=503), Reply(status=429), Reply(dropped=True), Reply(body="<html>")])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/v1/batches/batch_"), ("GET", "/v1/files/file-")],
)
def test_a_passing_fault_at_any_step_loses_nothing(
    scripted_server: StartServer, tmp_path: Path, method: str, path: str, fault: Reply
) -> None:
    server = scripted_server(echo)
    asked = count()
    server.meddle = lambda its_method, its_path: (
        fault if its_method == method and its_path.startswith(path) and next(asked) == 0 else None
    )

    assert ask(server, tmp_path, ["a", "b"]) == {"a": "a", "b": "b"}
    assert len(server.desk.batches) == 1 + (path.startswith("/v1/files/") and fault.body is not None)


def test_a_batch_whose_creation_was_not_confirmed_is_not_created_again(
    scripted_server: StartServer, tmp_path: Path
) -> None:
    server = scripted_server(echo)
    server.meddle = lambda method, path: (
        Reply(dropped=True, done=True) if (method, path) == ("POST", "/v1/batches") else None
    )

    assert ask(server, tmp_path, ["a"]) == {"a": "a"}
    assert submitted(server) == 1


@pytest.mark.parametrize(("path", "status"), [("/v1/files", 404), ("/v1/files", 501), ("/v1/batches", 405)])
def test_an_endpoint_without_a_batch_api_is_refused(
    scripted_server: StartServer, tmp_path: Path, path: str, status: int
) -> None:
    server = scripted_server(echo)
    server.meddle = lambda method, its_path: Reply(status=status) if its_path == path else None

    with pytest.raises(Refusal, match=r"it has no Batch API .*; leave out --batch"):
        ask(server, tmp_path, ["a"])
    assert kept(tmp_path) == []


def test_a_key_that_is_refused_ends_it_at_once(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo)
    server.meddle = lambda method, path: Reply(f"{KEY} is no key", status=401)

    with pytest.raises(Unanswered, match=r"^HTTP 401: \*\*\* is no key$") as refused:
        ask(server, tmp_path, ["a"])
    assert refused.value.advice == "set OPENAI_API_KEY to a key that it knows"
    assert len(server.paths) == 1


def test_a_batch_that_the_endpoint_does_not_know_names_its_file(scripted_server: StartServer, tmp_path: Path) -> None:
    server = scripted_server(echo, batch_delay=None)
    with pytest.raises(Waiting):
        ask(server, tmp_path, ["a"], wait=False)
    server.desk.batches.clear()

    with pytest.raises(Unanswered) as unknown:
        ask(server, tmp_path, ["a"])
    (file,) = kept(tmp_path)
    assert unknown.value.advice == f"use the key that submitted batch_2, or remove {file} to submit its requests again"


def test_a_file_that_is_damaged_is_named(scripted_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("{")

    with pytest.raises(Failure, match=r"one\.json: it cannot be read .*; remove the file"):
        ask(scripted_server(echo), tmp_path, ["a"])
