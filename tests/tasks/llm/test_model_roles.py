"""Which model a role gets, and what is asked of an endpoint before the first request."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from scripted import Reply, StartServer, question

from infra.errors import Failure, Refusal
from tasks.llm import Models

Opening = Callable[..., AbstractContextManager[Models]]


def echo(prompt: str, body: dict[str, Any]) -> str:
    return body["model"]


def test_the_only_model_of_an_endpoint_is_found(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=["the-one"])
    with models(base_url=server.url) as opened:
        assert opened.names("generator") == ("the-one",)
        assert opened.get("generator").ask([question("a")], str)[0].value == "the-one"


@pytest.mark.parametrize(
    "listing", [Reply(status=404), Reply(status=405), Reply(status=501), Reply(body="<html>"), Reply(body="[]"), []]
)
def test_an_endpoint_without_a_list_has_a_default_model(
    scripted_server: StartServer, models: Opening, listing: Reply | list[str]
) -> None:
    server = scripted_server(echo, models=listing)
    with models(base_url=server.url) as opened:
        assert opened.names("generator") == ("default",)


def test_of_several_models_one_must_be_chosen(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=["one", "two"])
    with models(base_url=server.url) as opened, pytest.raises(Refusal, match=r"one, two.*EVERSPRING_MODEL"):
        opened.names("generator")


def test_a_named_model_is_not_looked_for(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=Reply(status=500))
    with models(base_url=server.url, model="named") as opened:
        assert opened.names("generator") == ("named",)


def test_a_list_that_fails_for_good_ends_the_run(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=Reply(status=500))
    with models(base_url=server.url, retries=2) as opened, pytest.raises(Failure, match=r"generator.*HTTP 500"):
        opened.names("generator")


def test_a_refused_key_is_no_missing_list(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=Reply(status=401))
    with models(base_url=server.url) as opened, pytest.raises(Failure, match="OPENAI_API_KEY"):
        opened.names("generator")


def test_a_role_has_the_model_and_address_that_it_names(scripted_server: StartServer, models: Opening) -> None:
    shared, own = scripted_server(echo), scripted_server(echo)
    with models(base_url=shared.url, model="small", roles={"judge": f"large@{own.url}"}) as opened:
        assert opened.get("generator").ask([question("a")], str)[0].value == "small"
        assert opened.get("judge").ask([question("a")], str)[0].value == "large"

    assert (len(shared.requests), len(own.requests)) == (1, 1)


def test_a_role_of_several_models_spreads_its_rows_over_them(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo)
    rows = [question(f"row {number}") for number in range(60)]
    with models(base_url=server.url, roles={"judge": "one,two,three"}) as opened:
        judge = opened.get("judge")
        asked = [answer.value for answer in judge.ask(rows, str)]
        # The same row has the same model, whatever stands around it.
        assert [answer.value for answer in judge.ask(rows[::-2], str)] == asked[::-2]

    assert {name: asked.count(name) > 8 for name in set(asked)} == {"one": True, "two": True, "three": True}


def test_a_pool_is_every_model_of_the_role_alone(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo)
    with models(base_url=server.url, roles={"judge": "one,two"}) as opened:
        pool = opened.get("judge").pool
        assert [member.model for member in pool] == ["one", "two"]
        assert [member.ask([question("a")], str)[0].value for member in pool] == ["one", "two"]
        assert [len(member.pool) for member in pool] == [1, 1]


def test_opening_models_asks_and_starts_nothing(scripted_server: StartServer, models: Opening, tmp_path: Path) -> None:
    server = scripted_server(echo)
    with models(base_url=server.url) as opened:
        opened.get("generator")
    with models() as opened:
        assert opened.names("generator") == ("smollm2-135m-instruct",)

    assert server.requests == []
    assert not (tmp_path / "embedded").exists()


def test_no_requests_ask_nothing(scripted_server: StartServer, models: Opening) -> None:
    server = scripted_server(echo, models=Reply(status=500))
    with models(base_url=server.url) as opened:
        assert opened.get("generator").ask([], str) == []


def test_with_an_address_set_nothing_embedded_starts(models: Opening, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    with models(base_url=url, model="x") as opened, pytest.raises(Failure):
        opened.get("generator").ask([question("a")], str)

    assert not (tmp_path / "embedded").exists()


def test_the_embedded_model_does_not_pass_for_another(models: Opening) -> None:
    with models(model="large-model") as opened, pytest.raises(Refusal, match=r"'large-model'.*OPENAI_BASE_URL"):
        opened.get("generator")


def test_an_address_without_a_scheme_is_refused(models: Opening) -> None:
    with models(base_url="somewhere:8000/v1") as opened, pytest.raises(Refusal, match="http://"):
        opened.get("generator")
