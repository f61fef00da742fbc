"""Prices: what is known costs what the table says; what is not known costs None, never nothing."""

from pathlib import Path

import pytest

from infra.errors import Refusal
from infra.settings import load_settings
from tasks.llm.prices import Usage, load_prices

MINE = {"mine": {"input": 2, "cached": 0.5, "output": 8, "batch": 0.5}}
TEAM = """
[team]
source = "a contract"
batch = 0.4
[team.models]
ours = { input = 3, output = 9, also = ["ours-2"] }
"""


def cost(model: str, usage: Usage, *, batch: bool = False, prices: object = MINE, **settings: object) -> float | None:
    return load_prices(load_settings(prices=prices, **settings)).cost(model, usage, batch=batch)


def test_tokens_cost_by_the_million_and_cached_ones_less() -> None:
    assert cost("mine", Usage(prompt_tokens=1_000_000, completion_tokens=500_000)) == 6.0
    assert cost("mine", Usage(prompt_tokens=1_000_000, completion_tokens=0, cached_tokens=400_000)) == 1.4


def test_a_batch_costs_its_share() -> None:
    assert cost("mine", Usage(prompt_tokens=1_000_000, completion_tokens=0), batch=True) == 1.0


def test_a_batch_without_a_known_discount_has_no_known_price() -> None:
    prices = {"mine": {"input": 2, "output": 8}}
    assert cost("mine", Usage(prompt_tokens=10, completion_tokens=10), batch=True, prices=prices) is None


def test_a_model_without_a_price_costs_what_nobody_knows() -> None:
    assert cost("nobody-knows", Usage(prompt_tokens=1, completion_tokens=1)) is None


@pytest.mark.parametrize("usage", [Usage(), Usage(prompt_tokens=5), Usage(completion_tokens=5)])
def test_tokens_that_the_endpoint_does_not_tell_cost_what_nobody_knows(usage: Usage) -> None:
    assert cost("mine", usage) is None


def test_the_embedded_model_is_free_whatever_it_used() -> None:
    assert cost("smollm2-135m-instruct", Usage()) == 0.0
    assert cost("smollm2-135m-instruct", Usage(), batch=True) == 0.0


def test_an_embedding_needs_no_tokens_written() -> None:
    assert cost("text-embedding-3-small", Usage(prompt_tokens=1_000_000)) == 0.02


def test_a_picture_costs_by_the_piece() -> None:
    assert cost("grok-imagine-image", Usage(images=3)) == pytest.approx(0.06)


def test_a_long_request_has_prices_of_its_own() -> None:
    assert cost("gpt-5.5", Usage(prompt_tokens=272_000, completion_tokens=0)) == pytest.approx(1.36)
    assert cost("gpt-5.5", Usage(prompt_tokens=300_000, completion_tokens=0)) == pytest.approx(3.0)


def test_a_dated_snapshot_has_the_price_of_its_model_and_a_like_name_has_not() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=0)
    assert cost("gpt-4o-2024-08-06", usage) == cost("gpt-4o", usage) == 2.5
    assert cost("gpt-4o-2029-01-01", usage) is None


def test_own_prices_win_and_mark_the_version() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=0)
    assert cost("gpt-4o", usage, prices={"gpt-4o": {"input": 1, "output": 1}}) == 1.0
    shipped, own = (load_prices(load_settings(prices=prices)).version for prices in ({}, MINE))
    assert own.startswith(f"{shipped}+")
    assert own != load_prices(load_settings(prices={"mine": {"input": 3}})).version


def test_a_teams_table_wins_and_names_its_source(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(f'version = "2026-10"\n{TEAM}')
    prices = load_prices(load_settings(prices_file=str(file)))
    assert prices.cost("ours-2", Usage(prompt_tokens=1_000_000, completion_tokens=0), batch=True) == pytest.approx(1.2)
    assert prices.listed["ours"][1] == "a contract"
    assert prices.version.endswith("+2026-10")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[team.models]\nours = { inptu = 3 }\n", r"team\.models\.ours\.inptu .* is no price"),
        ("[team.models]\nours = { input = -3 }\n", r"team\.models\.ours\.input .* is no price"),
        ("[team", "TOML is wanted"),
        (None, "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str | None, wanted: str) -> None:
    file = tmp_path / "prices.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Refusal, match=wanted):
        load_prices(load_settings(prices_file=str(file)))


def test_every_price_that_ships_has_a_source() -> None:
    prices = load_prices(load_settings())
    assert len(prices.listed) > 60
    assert all(source for _, source in prices.listed.values())
