"""What each fault of an endpoint does to a row, to the other rows, and to the run."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import pytest
from scripted import Answering, BindLLM, Reply, question

from catalog.records import Answer
from infra.errors import Failure
from tasks.llm import Failed, connection


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)


def values(answers: list[Answer[Any] | Failed]) -> list[Any]:
    return [answer if isinstance(answer, Failed) else answer.value for answer in answers]


def first_then(fault: Reply) -> Answering:
    """An answer function: the fault on the first request, `fine` on every later one."""
    asked = count()
    return lambda prompt, body: fault if next(asked) == 0 else "fine"


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


FAULTS = {
    "429": Reply(status=429),
    "500": Reply(status=500),
    "503": Reply(status=503),
    "408": Reply(status=408),
    "409": Reply(status=409),
    "dropped": Reply(dropped=True),
    "hung": Reply(hang=30),
    "not JSON": Reply(body="<html>busy</html>"),
    "cut JSON": Reply(body='{"choices": [{"mess'),
    "no object": Reply(body="null"),
    "error with status 200": Reply(body='{"error": {"message": "overloaded"}}'),
    "no choices": Reply(empty=True),
    "choice without message": Reply(body='{"choices": [{}]}'),
    "content that is no text": Reply(body='{"choices": [{"message": {"content": [1]}}]}'),
    "not UTF-8": Reply(body='{"choices": [{"message": {"content": "', headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_passing_fault_is_overcome_by_asking_again(scripted_llm: BindLLM, fault: Reply) -> None:
    llm = scripted_llm(first_then(fault), timeout=0.5)

    assert values(llm.ask([question("well?")], str)) == ["fine"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Reply(status=500), "HTTP 500"),
        (Reply(status=429), "HTTP 429"),
        (Reply(dropped=True), "connection lost"),
        (Reply(hang=30), "no answer in time"),
        (Reply(body="oops"), "invalid response"),
        (Reply(empty=True), "invalid response"),
    ],
)
def test_a_lasting_fault_fails_its_row_only(scripted_llm: BindLLM, fault: Reply, reason: str) -> None:
    llm = scripted_llm(lambda prompt, body: fault if prompt == "bad" else prompt, retries=1, timeout=0.3)

    good, bad, also_good = llm.ask([question("a"), question("bad"), question("b")], str)

    assert (good.value, also_good.value) == ("a", "b")
    assert isinstance(bad, Failed)
    assert bad.reason == reason


def test_a_request_is_sent_again_as_often_as_set(scripted_llm: BindLLM) -> None:
    asked = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or Reply(status=500), retries=3)

    llm.ask([question("well?")], str)

    assert len(asked) == 4


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_fails_at_once(scripted_llm: BindLLM, status: int) -> None:
    asked = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or Reply("too long", status=status))

    assert llm.ask([question("well?")], str) == [Failed(f"HTTP {status}", "too long")]
    assert len(asked) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_model_ends_the_run_and_says_where(scripted_llm: BindLLM, status: int) -> None:
    llm = scripted_llm(lambda prompt, body: Reply("no scripted-key here", status=status))

    with pytest.raises(Failure) as raised:
        llm.ask([question("well?")], str)

    assert "generator model 'scripted' at http://127.0.0.1:" in str(raised.value)
    assert f"HTTP {status}" in str(raised.value)
    assert "scripted-key" not in str(raised.value)


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_retry_after_is_waited_for(scripted_llm: BindLLM, as_date: bool) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        times.append(time.time())
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
        return Reply(status=429, headers={"Retry-After": value}) if len(times) == 1 else "fine"

    times = []

    assert values(scripted_llm(answer).ask([question("well?")], str)) == ["fine"]
    assert times[1] - times[0] >= 0.95  # a date has whole seconds only


def test_retry_after_holds_back_nobody_else(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        asked.append(prompt)
        return Reply(status=429, headers={"Retry-After": "0.7"}) if len(asked) == 1 else "fine"

    asked = []
    llm = scripted_llm(answer, concurrency=1)

    llm.ask([question(f"{number}") for number in range(5)], str)

    assert asked == ["0", "1", "2", "3", "4", "0"]


def test_an_endpoint_that_refuses_everything_is_left_alone_while_it_asks_for_it(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        times.append(time.monotonic())
        opens = times[0] + 1.5
        return "fine" if times[-1] > opens else Reply(status=429, headers={"Retry-After": str(opens - times[-1])})

    times = []
    llm = scripted_llm(answer, concurrency=4, retries=0)

    answers = llm.ask([question(f"{number}") for number in range(60)], str)

    assert values(answers) == ["fine"] * 60
    assert len([moment for moment in times if moment < times[0] + 1.4]) <= 12


def test_an_endpoint_that_asks_to_wait_for_a_day_is_not_waited_for(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: Reply(status=429, headers={"Retry-After": "86400"}))

    (answer,) = llm.ask([question("well?")], str)

    assert answer.reason == "HTTP 429"
    assert "86400 s" in answer.evidence


def test_a_spent_quota_ends_the_run(scripted_llm: BindLLM) -> None:
    body = json.dumps({"error": {"message": "You have no credit", "code": "insufficient_quota"}})
    llm = scripted_llm(lambda prompt, body_: Reply(status=429, body=body))

    with pytest.raises(Failure, match=r"You have no credit.*account"):
        llm.ask([question("well?")], str)


def test_nothing_listening_ends_the_run_soon(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: "", base_url=f"http://127.0.0.1:{closed_port()}/v1")
    started = time.monotonic()

    with pytest.raises(Failure, match=r"generator model 'scripted' at http://127.0.0.1:.*cannot connect"):
        llm.ask([question(f"{number}") for number in range(200)], str)

    assert time.monotonic() - started < 10


def test_many_failures_in_a_row_end_the_run(scripted_llm: BindLLM) -> None:
    asked = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or Reply(status=503), retries=0, concurrency=4)

    with pytest.raises(Failure, match="20 requests in a row"):
        llm.ask([question(f"{number}") for number in range(500)], str)

    assert len(asked) < 60


def test_failures_between_successes_do_not_end_the_run(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: Reply(status=503) if int(prompt) % 2 else "fine", retries=0, concurrency=1)

    answers = llm.ask([question(f"{number}") for number in range(80)], str)

    assert sum(isinstance(answer, Failed) for answer in answers) == 40


def test_answers_come_in_the_order_of_the_requests(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: Reply(prompt, hang=0.2 if prompt in {"0", "7"} else 0), concurrency=8)

    answers = llm.ask([question(f"{number}") for number in range(40)], str)

    assert values(answers) == [f"{number}" for number in range(40)]


def test_no_more_requests_are_in_flight_than_set(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        times.append(time.monotonic())
        return Reply("fine", hang=0.2)

    times: list[float] = []

    scripted_llm(answer, concurrency=3).ask([question(f"{number}") for number in range(9)], str)

    # The fourth is sent when the first is answered, 0.2 s after it came.
    assert all(later - earlier > 0.15 for earlier, later in zip(times, times[3:], strict=False))


def test_a_malformed_answer_is_asked_again_with_another_seed(scripted_llm: BindLLM) -> None:
    seeds = []

    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        seeds.append(body["seed"])
        return "no number" if len(seeds) == 1 else "7"

    assert values(scripted_llm(answer).ask([question("well?", seed=5)], int)) == [7]
    assert seeds[0] == 5
    assert seeds[1] != 5


def test_an_answer_that_stays_malformed_fails_with_its_text(scripted_llm: BindLLM) -> None:
    asked = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or f"words {len(asked)}", attempts=3)

    def number(text: str) -> int:
        raise ValueError("a number is wanted")

    assert llm.ask([question("well?")], number) == [Failed("a number is wanted", "words 3")]
    assert len(asked) == 3


def test_an_error_in_the_parser_is_not_taken_for_a_malformed_answer(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: "fine")

    with pytest.raises(KeyError):
        llm.ask([question("well?")], {}.__getitem__)


def test_a_schema_is_sent_strict_and_closed(scripted_llm: BindLLM) -> None:
    bodies = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or "{}")
    schema = {
        "type": "object",
        "title": "A person",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 1}},
        "required": ["name"],
    }

    llm.ask([question("well?", schema=schema)], str)

    sent = bodies[0]["response_format"]["json_schema"]
    assert (sent["name"], sent["strict"]) == ("A_person", True)
    assert sent["schema"]["required"] == ["name", "age"]
    assert sent["schema"]["additionalProperties"] is False


def test_a_prefix_is_completed_raw(scripted_llm: BindLLM) -> None:
    from tasks.llm import Request

    bodies = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or prompt + " a time")

    assert values(llm.ask([Request(prefix="Once upon", stop=("\n",))], str)) == ["Once upon a time"]
    assert bodies[0]["prompt"] == "Once upon"
    assert bodies[0]["stop"] == ["\n"]


def test_lone_surrogates_do_no_harm(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(
        lambda prompt, body: Reply(
            body=r'{"choices": [{"message": {"content": "caf\ud800"}, "finish_reason": "stop"}]}'
        )
    )

    assert values(llm.ask([question("caf\ud800")], str)) == ["caf?"]


def test_a_missing_usage_counts_as_no_tokens(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(
        lambda prompt, body: Reply(body='{"choices": [{"message": {"content": "fine"}}], "usage": null}')
    )

    assert values(llm.ask([question("well?")], str)) == ["fine"]


def test_several_threads_ask_one_model_at_once(scripted_llm: BindLLM) -> None:
    from concurrent.futures import ThreadPoolExecutor

    llm = scripted_llm(lambda prompt, body: Reply(prompt, hang=0.01))

    def ask(thread: int) -> list[str]:
        return values(llm.ask([question(f"{thread} {number}") for number in range(20)], str))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [[f"{t} {number}" for number in range(20)] for t in range(4)]
