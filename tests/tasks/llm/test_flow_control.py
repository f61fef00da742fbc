"""How fast an endpoint is asked, what is done about the slow, and where else a question can go."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from scripted import BindLLM, Reply, StartServer, question

from infra.errors import Failure
from tasks.llm import Models
from tasks.llm.pace import Bucket, Pace, seconds_of

Opening = Callable[..., AbstractContextManager[Models]]


def questions(n: int) -> list[Any]:
    return [question(f"{number}") for number in range(n)]


def played(most: int, rounds: list[float]) -> Pace:
    """A pace after rounds of which these shares were refused."""
    pace = Pace(most, requests_per_minute=None, tokens_per_minute=None)

    def enter() -> Any:
        try:
            pace.enter(1).send(None)
        except StopIteration as entered:
            return entered.value
        raise AssertionError("it had to wait")

    for share in rounds:
        size = int(max(pace.limit, 10))
        limit, pace.limit = pace.limit, 1e9
        pace.in_flight = 0
        back: list[Any] = []
        back.extend(enter() for _ in range(size))
        pace.limit = limit
        pace._round = type(back[0])()
        for number, entered in enumerate(back):
            pace.leave(entered, "refused" if number < share * size else "answered")
    return pace


def test_a_full_endpoint_halves_the_number_in_flight() -> None:
    assert played(64, [1.0]).limit == 32
    assert played(64, [1.0, 1.0]).limit == 16


def test_chance_refusals_are_put_up_with() -> None:
    assert played(64, [0.1] * 10).limit == 64


def test_the_number_in_flight_comes_back_quickly_and_then_grows_by_one() -> None:
    pace = played(64, [1.0, 1.0, 1.0, 0.0, 0.0])
    assert 8 * 2 * 1.4 < pace.limit <= 32
    assert played(64, [0.5, 0.0, 0.0, 0.0]).limit == pytest.approx(played(64, [0.5, 0.0, 0.0]).limit + 1)


def test_one_request_is_always_allowed() -> None:
    assert played(4, [1.0] * 10).limit == 1


def test_a_bucket_gives_so_much_a_minute() -> None:
    bucket = Bucket(600)
    assert bucket.wait(1) == 0
    for _ in range(10):
        bucket.take(1)
    assert bucket.wait(1) == pytest.approx(0.1, abs=0.02)
    assert bucket.wait(5) == pytest.approx(0.5, abs=0.02)
    bucket.limit(60)
    assert bucket.rate == 1
    assert Bucket(None).wait(10**9) == 0


@pytest.mark.parametrize(("text", "seconds"), [("6m0s", 360), ("12ms", 0.012), ("1h2m3s", 3723), ("3", 3), ("soon", 0)])
def test_durations_are_read_as_endpoints_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


def test_requests_a_minute_are_kept_to(scripted_llm: BindLLM) -> None:
    times: list[float] = []
    llm = scripted_llm(lambda prompt, body: times.append(time.monotonic()) or "fine", requests_per_minute=600)

    llm.ask(questions(20), str)

    assert times[-1] - times[0] > 0.6  # ten at once, then ten a second


def test_tokens_a_minute_are_kept_to(scripted_llm: BindLLM) -> None:
    times: list[float] = []
    llm = scripted_llm(lambda prompt, body: times.append(time.monotonic()) or "fine", tokens_per_minute=60_000)

    llm.ask([question(f"{number}", max_tokens=100) for number in range(20)], str)

    assert times[-1] - times[0] > 0.6


def test_limits_in_headers_are_heeded(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        times.append(time.monotonic())
        left = "0" if len(times) == 1 else "10"
        headers = {
            "x-ratelimit-limit-requests": "6000",
            "x-ratelimit-remaining-requests": left,
            "x-ratelimit-reset-requests": "800ms",
        }
        return Reply("fine", headers=headers)

    times: list[float] = []

    scripted_llm(answer, concurrency=1).ask(questions(3), str)

    assert times[1] - times[0] > 0.7


def test_a_request_that_hangs_is_sent_again_and_answered(scripted_llm: BindLLM) -> None:
    lock, seen = threading.Lock(), set[str]()

    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        with lock:
            again, _ = prompt in seen, seen.add(prompt)
        return Reply(prompt, hang=60 if prompt == "70" and not again else 0.02)

    began = time.monotonic()

    answers = scripted_llm(answer).ask(questions(100), str)

    assert [answer.value for answer in answers] == [f"{number}" for number in range(100)]
    assert time.monotonic() - began < 30


def test_hedging_can_be_turned_off(scripted_llm: BindLLM) -> None:
    asked: list[str] = []

    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        asked.append(prompt)
        return Reply(prompt, hang=1.5 if prompt == "70" else 0.01)

    scripted_llm(answer, hedge=False).ask(questions(100), str)

    assert len(asked) == 100


def test_one_model_at_two_endpoints_is_asked_at_both(scripted_server: StartServer, models: Opening) -> None:
    servers = [scripted_server(lambda prompt, body: Reply(prompt, hang=0.01)) for _ in range(2)]
    roles = {"generator": ",".join(f"same@{server.url}" for server in servers)}
    with models(roles=roles, concurrency=4) as opened:
        opened.get("generator").ask(questions(80), str)
    assert min(len(server.requests) for server in servers) > 20


def test_an_endpoint_that_is_gone_is_made_up_for_by_the_other(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(lambda prompt, body: body["model"])
    roles = {"generator": f"same@http://127.0.0.1:9/v1,same@{server.url}"}
    with models(roles=roles) as opened:
        answers = opened.get("generator").ask(questions(40), str)
    assert [answer.value for answer in answers] == ["same"] * 40


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_model_that_fails_is_made_up_for_by_the_other_models_of_its_role(
    scripted_server: StartServer, models: Opening, status: int
) -> None:
    bad = scripted_server(lambda prompt, body: Reply(status=status))
    good = scripted_server(lambda prompt, body: body["model"])
    roles = {"generator": f"bad@{bad.url},good@{good.url}"}
    with models(roles=roles, retries=1) as opened:
        answers = opened.get("generator").ask(questions(20), str)
        assert [answer.value for answer in answers] == ["good"] * 20
        asked = len(good.requests)
        assert opened.get("generator").ask(questions(20), str) == answers
    assert len(good.requests) == asked == 20


def test_where_every_model_is_gone_the_run_ends_and_says_so(models: Opening) -> None:
    roles = {"generator": "one@http://127.0.0.1:9/v1,two@http://127.0.0.1:9/v1"}
    with models(roles=roles) as opened, pytest.raises(Failure, match="cannot connect"):
        opened.get("generator").ask(questions(3), str)
