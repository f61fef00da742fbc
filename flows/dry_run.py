"""A dry run: what a run would come to, method by method, shown as a table. Nothing is published."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from catalog.store import STAGES
from flows.workplace import by_stage, chosen, order_for, workplace
from infra.errors import EverspringError, Refusal
from tasks.forecast import NOTHING, SAMPLE, Estimate, Forecast, Forecaster
from tasks.ledger import dollars
from tasks.materialize import Order
from tasks.stop import Stop

FIGURES = ("requests", "prompt_tokens", "completion_tokens", "dollars", "minutes")


def forecast_run(stage: str, asked: Mapping[str, Any], sample: int = SAMPLE) -> list[Forecast]:
    """Forecast what the flow of a stage, or of all, would do with the parameters `asked`.

    Raises:
        Refusal: for a cap that cannot be kept.
    """
    if stage in STAGES:
        methods = chosen(stage, asked.get("methods"))
    else:
        methods = [method for one, its in by_stage(STAGES, asked.get("methods")).items() for method in chosen(one, its)]
    stop = Stop(accepted=asked.get("accept"), candidates=asked.get("candidates"), dollars=asked.get("max_dollars"))
    order = Order(rows=asked.get("rows"), stop=stop, replace=asked.get("replace", False))
    forecasts: list[Forecast] = []
    with workplace(asked.get("roles"), batch=asked.get("batch", False)) as place:
        making = [method.table for method in methods]
        forecaster = Forecaster(place.lake, place.models, place.settings, sample, making)
        for method in methods:
            its_order = order_for(
                method, order, asked.get("settings") or {}, asked.get("reads") or {}, asked.get("seed")
            )
            try:
                with place.progress.table(f"{method.table}: sample"):
                    forecasts.append(forecaster.forecast(method, its_order))
            except Refusal:
                raise
            except EverspringError as error:
                forecasts.append(Forecast(table=method.table, note=f"cannot be forecast: {error}"))
    return forecasts


def forecast_table(forecasts: Sequence[Forecast]) -> Table:
    """The forecasts as a table: each figure with the range in which it may be, and all of them summed."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_footer=len(forecasts) > 1)
    sums = {name: _sum(getattr(forecast, name) for forecast in forecasts) for name in FIGURES}
    table.add_column("method", footer="all")
    table.add_column("rows", justify="right")
    for name, title in zip(FIGURES, ("requests", "tokens in", "tokens out", "dollars", "minutes"), strict=True):
        table.add_column(title, justify="right", footer=_shown(name, sums[name]))
    table.add_column("note", overflow="fold")
    for forecast in forecasts:
        figures = [_shown(name, getattr(forecast, name)) for name in ("rows", *FIGURES)]
        table.add_row(forecast.table, *figures, forecast.note)
    return table


def sample_line(forecasts: Sequence[Forecast]) -> str:
    """What the sample took."""
    rows, asked = sum(found.sampled for found in forecasts), sum(found.asked for found in forecasts)
    paid = [found.paid for found in forecasts]
    known = [cost for cost in paid if cost is not None]
    cost = dollars(sum(known)) if len(known) == len(paid) else "dollars not known"
    return (
        f"sample: {rows:,} rows, {asked:,} requests sent, {cost} paid; the run pays for none of its answers again. "
        "Nothing was published."
    )


def _sum(figures: Iterable[Estimate | None]) -> Estimate | None:
    """The sum, or None where a part is not known."""
    total = NOTHING
    for figure in figures:
        if figure is None:
            return None
        total = total.plus(figure)
    return total


def _shown(name: str, figure: Estimate | None) -> str:
    """A figure with its range, `–` where it is not known."""
    if figure is None:
        return "–"
    low, value, high = (_amount(name, part) for part in (figure.low, figure.value, figure.high))
    return value if low == high else f"{value} ({low}–{high})"


def _amount(name: str, amount: float) -> str:
    if name == "dollars":
        return dollars(amount)
    return f"{amount:,.1f}" if name == "minutes" else f"{amount:,.0f}"
