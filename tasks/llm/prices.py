"""What a call costs, by the table of prices that is in force.

A price is found by the model's name, exactly. What is not known is None, never 0: a model without a price, an endpoint
that does not say how many tokens it used, a batch where no discount is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.records import digest
from infra.prices import SHIPPED, Price, Rates, read_prices
from infra.settings import Settings

MILLION = 1_000_000
OWN = "everspring.toml"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call used; None where the endpoint does not say. `cached_tokens` are part of `prompt_tokens`."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    images: int = 0


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices: its version, and by model the price and where that was found."""

    version: str
    listed: Mapping[str, tuple[Price, str]]

    def cost(self, model: str, usage: Usage, *, batch: bool = False) -> float | None:
        """Dollars for a call; None where the price, or what was used, is not known."""
        if (found := self.listed.get(model)) is None:
            return None
        price, _ = found
        whole = _whole(price, usage)
        if not batch or not whole:
            return whole
        return None if price.batch is None else whole * price.batch


def _whole(price: Price, usage: Usage) -> float | None:
    """Dollars for a call that goes through no batch."""
    if usage.images and price.picture is not None:
        return usage.images * price.picture
    rates: Rates = price
    if price.long and usage.prompt_tokens is not None and usage.prompt_tokens > price.long.over:
        rates = price.long
    cached = usage.cached_tokens or 0
    cheap = rates.input if rates.cached is None else rates.cached
    fresh = None if usage.prompt_tokens is None else usage.prompt_tokens - cached
    parts = (_part(fresh, rates.input), _part(cached, cheap), _part(usage.completion_tokens, rates.output))
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _part(tokens: int | None, rate: float | None) -> float | None:
    """Dollars for tokens at a rate for a million; what is free costs nothing, however much was used."""
    if rate == 0 or tokens == 0:
        return 0.0
    return None if tokens is None or rate is None else tokens * rate / MILLION


def load_prices(settings: Settings) -> Prices:
    """The prices in force: those that ship with the code, under those of the file, under those of the settings.

    Raises:
        Refusal: where the file cannot be used.
    """
    shipped = read_prices(SHIPPED)
    listed, version = dict(shipped.prices), shipped.version
    if settings.prices_file:
        own = read_prices(Path(settings.prices_file))
        listed |= own.prices
        version = f"{version}+{own.version}"
    if settings.prices:
        listed |= {model: (price, OWN) for model, price in settings.prices.items()}
        given = {model: price.model_dump() for model, price in settings.prices.items()}
        version = f"{version}+{digest(given)[:8]}"
    return Prices(version, listed)


def how_to_price(model: str) -> str:
    """What to do about a model whose price is not known."""
    return f'give it in everspring.toml as [prices."{model}"] input = …, output = … (dollars for a million tokens)'
