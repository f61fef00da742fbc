"""Prices: the terms of a model, and the table of them that ships with the code or that a team keeps."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infra.errors import Refusal

SHIPPED = Path(__file__).parent / "prices.toml"


class Rates(BaseModel):
    """Dollars for a million tokens; None where the vendor names no such price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float | None = Field(None, ge=0)
    cached: float | None = Field(None, ge=0)
    output: float | None = Field(None, ge=0)


class LongRates(Rates):
    """The rates of a request with more than `over` input tokens."""

    over: int = Field(ge=1)


class Price(Rates):
    """What a model costs: its rates, dollars for a picture, and the share of both that a batch costs."""

    picture: float | None = Field(None, ge=0)
    batch: float | None = Field(None, ge=0, le=1)
    long: LongRates | None = None


class _Listed(Price):
    also: tuple[str, ...] = ()


class _Family(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = ""
    batch: float | None = Field(None, ge=0, le=1)
    models: Mapping[str, _Listed] = {}


_FAMILIES = TypeAdapter(dict[str, _Family])


@dataclass(frozen=True, slots=True)
class PriceList:
    """A table of prices: its version, and by the name of a model its price and where that was found."""

    version: str
    prices: Mapping[str, tuple[Price, str]]


def read_prices(file: Path) -> PriceList:
    """Read a table of prices in the form of `infra/prices.toml`.

    Raises:
        Refusal: where there is none, or it has another form.
    """
    try:
        read = tomllib.loads(file.read_text("utf-8"))
        version = str(read.pop("version", file.name))
        families = _FAMILIES.validate_python(read)
    except OSError as error:
        raise Refusal(
            f"prices: {file} cannot be read ({error.strerror}), a table of prices is wanted; see EVERSPRING_PRICES_FILE"
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(
            f"prices: {place} in {file} is no price ({first['msg']}), the form of infra/prices.toml is wanted; mend it"
        ) from None
    except ValueError as error:  # no TOML, or no text
        raise Refusal(f"prices: {file} cannot be read ({error}), TOML is wanted; mend it") from None
    prices: dict[str, tuple[Price, str]] = {}
    for family in families.values():
        for name, listed in family.models.items():
            terms = listed.model_dump(exclude={"also"}, exclude_none=True)
            price = Price.model_validate({"batch": family.batch, **terms})
            prices |= dict.fromkeys((name, *listed.also), (price, family.source or str(file)))
    return PriceList(version, prices)
