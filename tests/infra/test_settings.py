"""Settings: where they come from, and what they never give away."""

from pathlib import Path

import pytest

from infra.errors import Refusal
from infra.settings import EMBEDDED, Endpoint, load_settings


def test_without_anything_every_role_is_the_embedded_model() -> None:
    assert load_settings().endpoints("judge") == (Endpoint(url=EMBEDDED),)


def test_the_openai_variables_name_the_endpoint_of_every_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    (endpoint,) = load_settings().endpoints("generator")
    assert endpoint.url == "http://127.0.0.1:9/v1"
    assert endpoint.api_key
    assert endpoint.api_key.get_secret_value() == "sk-1"


def test_a_role_with_an_address_of_its_own_never_gets_the_shared_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = load_settings(roles={"judge": "big@http://127.0.0.1:8/v1"})
    assert settings.endpoints("judge")[0].api_key is None
    assert settings.endpoints("generator")[0].api_key is not None


def test_a_role_can_be_a_pool() -> None:
    settings = load_settings(roles={"generator": "a@http://127.0.0.1:8/v1, b@http://127.0.0.1:9/v1"})
    assert [endpoint.model for endpoint in settings.endpoints("generator")] == ["a", "b"]


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "everspring.toml").write_text(
        'concurrency = 3\nretries = 2\n[roles]\njudge = "m@http://127.0.0.1:8/v1"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVERSPRING_RETRIES", "5")
    settings = load_settings()
    assert (settings.concurrency, settings.retries, settings.endpoints("judge")[0].model) == (3, 5, "m")


def test_a_secret_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tell-nobody")
    settings = load_settings()
    assert "sk-tell-nobody" not in f"{settings!r} {settings} {settings.model_dump_json()} {settings.endpoints('judge')}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"concurrency": "many"}, "concurrency: cannot be used"),
        ({"retries": -1}, "retries: cannot be used"),
        ({"nonsense": 1}, "nonsense: cannot be used"),
        ({"roles": {"juge": "m"}}, "juge"),
        ({"roles": {"judge": "m@ftp://x"}}, "start the URL with http"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(given: dict[str, object], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        load_settings(**given)


def test_a_broken_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "everspring.toml").write_text("concurrency = = 3")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal, match=r"everspring\.toml: cannot be read"):
        load_settings()
