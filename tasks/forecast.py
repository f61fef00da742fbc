"""Forecasts: what a run will ask, pay and take, from a sample of its input. Nothing is published.

A method that maps row by row is run on some rows, each alone, spread evenly over the lengths of all; calls and tokens
are regressed on length, so that the few long rows count for what they are. A method that makes `rows` rows makes a few.
The answers stay in the call store: the run itself pays for none of them again, and nor does another forecast.
"""

import hashlib
import math
import statistics
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.calls import attribution
from catalog.records import Record, columns, content
from catalog.sources import load_sources, sources_of
from catalog.store import Lake, TableRef, Version
from infra.settings import EMBEDDED, Settings
from quality.screening import content_key
from quality.texts import texts_in
from tasks.ledger import Ledger, Purse, keep
from tasks.llm import Models
from tasks.llm.prices import Prices, Usage, load_prices
from tasks.materialize import Order, find_input, refuse_unpriced, screener_of, sizes_of
from tasks.method import Method
from tasks.needs import provide
from tasks.screening import Screener

SAMPLE = 24
"""Rows of input that are tried."""
AT_ONCE = 8
"""Rows that are tried at the same time."""
ERRORS = 2.5
"""Standard errors to either side of a forecast: more than nine of ten runs end within them."""


@dataclass(frozen=True)
class Estimate:
    """A figure that is forecast, and the range in which it may be."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """So many times the figure."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def by(self, other: "Estimate") -> "Estimate":
        """The product of two figures, as uncertain as both."""
        return Estimate(self.value * other.value, self.low * other.low, self.high * other.high)

    def plus(self, other: "Estimate") -> "Estimate":
        """The sum of two figures."""
        return Estimate(self.value + other.value, self.low + other.low, self.high + other.high)

    def at_most(self, bound: float) -> "Estimate":
        """The figure where it cannot pass a bound."""
        return Estimate(min(self.value, bound), min(self.low, bound), min(self.high, bound))


NOTHING = Estimate(0.0, 0.0, 0.0)
WHOLE = Estimate(1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run of a method is expected to come to; None where that cannot be said, and `note` says why.

    `rows` are those of the input that it takes (or those that it is asked to make), tokens those read and written,
    whether answered before or not. The sample: how many rows, requests sent for it, and dollars paid.
    """

    table: str
    rows: Estimate | None = None
    requests: Estimate | None = None
    prompt_tokens: Estimate | None = None
    completion_tokens: Estimate | None = None
    dollars: Estimate | None = None
    minutes: Estimate | None = None
    sampled: int = 0
    asked: int = 0
    paid: float | None = 0.0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """What a part of the sample came to; `length` is in characters."""

    rows: int
    length: float
    requests: int
    prompt_tokens: int
    completion_tokens: int
    unmetered: int
    candidates: int
    made: Sequence[Record]


@dataclass
class _Input:
    """A table that a method reads: ids in the order in which a run takes them, their lengths, and how to get rows."""

    name: str
    lengths: Mapping[str, int]
    rows: Callable[[Sequence[str]], Sequence[Record]]


@dataclass
class Forecaster:
    """Forecasts the methods of one command.

    `making` are the tables that the command itself will make: what reads one of them is forecast from what there is.
    """

    lake: Lake
    models: Models
    settings: Settings
    sample: int = SAMPLE
    making: Collection[str] = ()
    _prices: Prices = field(init=False)

    def __post_init__(self) -> None:
        self._prices = load_prices(self.settings)

    def forecast(self, method: Method, order: Order) -> Forecast:
        """What a run of the order will come to.

        Raises:
            Refusal: for settings or inputs that do not fit, or a cap that cannot be kept.
            Failure: where a model cannot be asked.
        """
        if not method.roles:
            return Forecast(
                table=method.table,
                requests=NOTHING,
                prompt_tokens=NOTHING,
                completion_tokens=NOTHING,
                dollars=NOTHING,
                note="asks no model",
            )
        if order.stop.dollars is not None:
            refuse_unpriced(method, self.models, self.settings)
        configured, taken = sizes_of(method, order)
        inputs = [self._input(method, name, order, taken, int(configured.get("seed", 0))) for name in method.inputs]
        ledgers: list[Ledger] = []
        purse = Purse(order.stop.dollars)

        def attempt(inputs: Mapping[str, Sequence[Record]], settings: Mapping[str, Any], length: float) -> _Trial:
            ledger = Ledger(None, purse)
            ledgers.append(ledger)
            run_id = f"forecast-{method.id}-{uuid.uuid4().hex[:8]}"
            with keep(ledger), attribution(run_id=run_id, method=method.table):
                made = method.run(**inputs, **provide(method, self.models), **settings)
            return _trial(ledger, made, length, rows=int(settings.get("rows", sum(map(len, inputs.values())))))

        if method.partitioned:
            found = self._over_rows(method, order, inputs[0], configured, attempt)
        elif "rows" in method.settings:
            found = self._over_sizes(method, order, inputs, configured, attempt)
        else:
            found = Forecast(
                table=method.table, note="cannot be forecast: it reads whole tables and takes no number of rows"
            )
        steps = [step for ledger in ledgers for step in ledger.steps.values()]
        notes = (found.note, self._read_later(method, order), f"stopped: {why}" if (why := purse.refusal()) else "")
        return replace(
            found,
            asked=sum(step.calls - step.reused for step in steps),
            paid=None if purse.unpriced else purse.spent,
            note="; ".join(filter(None, notes)),
        )

    # ── methods that map row by row ──

    def _over_rows(
        self,
        method: Method,
        order: Order,
        read: _Input,
        configured: Mapping[str, Any],
        attempt: Callable[[Mapping[str, Sequence[Record]], Mapping[str, Any], float], _Trial],
    ) -> Forecast:
        if not read.lengths:
            return Forecast(table=method.table, note="cannot be forecast: its input has no rows")
        ids = _spread(read.lengths, self.sample)
        rows = read.rows(ids)

        def alone(row: Record) -> _Trial:
            return attempt({read.name: [row]}, configured, read.lengths[row.record_id])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            trials = list(pool.map(alone, rows))
        lengths = list(read.lengths.values())
        whole = {
            name: regress(
                [trial.length for trial in trials], [float(getattr(trial, name)) for trial in trials], lengths
            )
            for name in ("requests", "prompt_tokens", "completion_tokens", "candidates")
        }
        accepted = _accepted(self._screener(method, order), [row for trial in trials for row in trial.made])
        kept = [float(len([row for row in trial.made if row.record_id in accepted])) for trial in trials]
        whole["accepted"] = regress([trial.length for trial in trials], kept, lengths)
        return self._figures(method, order, whole, float(len(lengths)), trials, len(ids))

    # ── methods that make so many rows ──

    def _over_sizes(
        self,
        method: Method,
        order: Order,
        inputs: Sequence[_Input],
        configured: Mapping[str, Any],
        attempt: Callable[[Mapping[str, Sequence[Record]], Mapping[str, Any], float], _Trial],
    ) -> Forecast:
        stop = order.stop
        sized = order.rows is not None or "rows" in order.settings
        wanted = int(configured["rows"]) if sized or not stop.counts_rows else stop.accepted or stop.candidates or 0
        given = {read.name: read.rows(list(read.lengths)) for read in inputs}
        size = min(self.sample, wanted)
        # The larger trial asks all that the smaller one did, and that is not paid for again.
        trials = [
            attempt(given, {**configured, "rows": rows}, 0.0) for rows in dict.fromkeys((max(1, size // 2), size))
        ]
        last = trials[-1]
        accepted = float(len(_accepted(self._screener(method, order), list(last.made))))
        whole = {
            name: extrapolate([(t.rows, float(getattr(t, name))) for t in trials], wanted)
            for name in ("requests", "prompt_tokens", "completion_tokens", "candidates")
        }
        whole["accepted"] = extrapolate([(last.rows, accepted)], wanted)
        if stop.counts_rows and not sized and stop.accepted is not None and accepted:
            # What a round leaves missing, the next ones make.
            whole = {name: figure.times(last.rows / accepted) for name, figure in whole.items()}
            wanted = math.ceil(wanted * last.rows / accepted)
        return self._figures(method, order, whole, float(wanted), trials[-1:], size)

    # ── common ──

    def _figures(
        self,
        method: Method,
        order: Order,
        whole: Mapping[str, Estimate],
        rows: float,
        trials: Sequence[_Trial],
        sampled: int,
    ) -> Forecast:
        """The forecast for all rows, cut to where the order's stop rule ends the run."""
        metered = not any(trial.unmetered for trial in trials)
        spent = self._spending(method, whole) if metered or self._free(method) else None
        stop, ends = order.stop, [(WHOLE, "")]
        if stop.accepted is not None:
            ends.append((_share(stop.accepted, whole["accepted"]), f"ends at {stop.accepted:,} rows accepted"))
        if stop.candidates is not None:
            ends.append((_share(stop.candidates, whole["candidates"]), f"ends at {stop.candidates:,} candidates"))
        if stop.dollars is not None and spent is not None:
            ends.append((_share(stop.dollars, spent), "ends when the dollars are spent"))
        share, why = min(ends, key=lambda end: end[0].value)
        if stop.counts_rows and not why:
            why = "its input ends before it has its rows" if method.partitioned else ""
        cut = {name: figure.by(share) for name, figure in whole.items()}
        spent = None if spent is None else spent.by(share)
        if spent is not None and stop.dollars is not None:
            spent = spent.at_most(stop.dollars)
        return Forecast(
            table=method.table,
            rows=share.times(rows),
            requests=cut["requests"],
            prompt_tokens=cut["prompt_tokens"] if metered else None,
            completion_tokens=cut["completion_tokens"] if metered else None,
            dollars=spent,
            minutes=self._minutes(method, cut),
            sampled=sampled,
            note="; ".join(filter(None, (why, "" if metered else "the endpoint does not say how many tokens it used"))),
        )

    def _models_of(self, method: Method) -> dict[str, int]:
        """The models that a method asks, and how many requests each answers at once."""
        slots: dict[str, int] = {}
        for role in sorted(set(method.roles.values())):
            for name, endpoint in zip(self.models.names(role), self.settings.endpoints(role), strict=False):
                embedded = endpoint.url == EMBEDDED
                slots[name] = self.settings.embedded_slots if embedded else self.settings.concurrency
        return slots

    def _free(self, method: Method) -> bool:
        return all(
            self._prices.cost(model, Usage(), batch=self.settings.batch) == 0 for model in self._models_of(method)
        )

    def _shares(self, method: Method) -> dict[str, tuple[float, float, float, Estimate]]:
        """By model, as the calls of the method went so far: its shares of calls and of tokens, and seconds for one."""
        names = list(self._models_of(method))
        with self.lake.read() as connection:
            found = connection.execute(
                "SELECT model, count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), "
                "avg(latency), coalesce(stddev_samp(latency), 0) / sqrt(count(*)) FROM catalog.calls "
                "WHERE method = ? AND text IS NOT NULL AND model IN (SELECT unnest(?)) GROUP BY model",
                [method.table, names],
            ).fetchall()
        sums = [sum(row[place] for row in found) or 1 for place in (1, 2, 3)]
        return {
            m: (n / sums[0], p / sums[1], c / sums[2], Estimate(t, max(0.0, t - ERRORS * e), t + ERRORS * e))
            for m, n, p, c, t, e in found
        }

    def _spending(self, method: Method, whole: Mapping[str, Estimate]) -> Estimate | None:
        """Dollars for all tokens; None where a price is not known."""
        total = NOTHING
        for model, (_, prompt, completion, _) in self._shares(method).items():
            for name, share, one in (
                ("prompt_tokens", prompt, Usage(prompt_tokens=1, completion_tokens=0)),
                ("completion_tokens", completion, Usage(prompt_tokens=0, completion_tokens=1)),
            ):
                price = self._prices.cost(model, one, batch=self.settings.batch)
                if price is None:
                    return None
                total = total.plus(whole[name].times(share * price))
        return total

    def _minutes(self, method: Method, cut: Mapping[str, Estimate]) -> Estimate | None:
        """From the latencies so far and the requests that go out at once; None where a batch takes its time."""
        if self.settings.batch:
            return None
        slots = self._models_of(method)
        each = NOTHING
        for model, (share, _, _, latency) in self._shares(method).items():
            each = each.plus(latency.times(share / slots[model] / 60))
        # Under a limit, requests go out at its pace.
        waits = [NOTHING]
        if self.settings.requests_per_minute:
            waits.append(cut["requests"].times(1 / self.settings.requests_per_minute))
        if self.settings.tokens_per_minute:
            tokens = cut["prompt_tokens"].plus(cut["completion_tokens"])
            waits.append(tokens.times(1 / self.settings.tokens_per_minute))
        return max(cut["requests"].by(each), *waits, key=lambda figure: figure.value)

    def _screener(self, method: Method, order: Order) -> Screener:
        return screener_of(method, self.lake, self.settings, anew=order.replace)

    def _read_later(self, method: Method, order: Order) -> str:
        """What the run will read instead of what was read here, if anything."""
        for name, read in method.inputs.items():
            first = read.tables[0]
            if name not in order.reads and first in self.making:
                return f"the run reads what {first} will have by then"
        return ""

    def _input(self, method: Method, name: str, order: Order, taken: int | None, seed: int) -> _Input:
        """A table that the method reads: of the lake, or where it is not imported yet, of the packages that feed it."""
        read = method.inputs[name]
        given = order.reads.get(name)
        tables = (TableRef.parse(given).table,) if given else read.tables
        fed = {source.table for source in load_sources().values()}
        first = next((table for table in tables if table in fed or self.lake.latest(table)), None)
        if first is None or self.lake.latest(first):
            version = find_input(self.lake, method, name, given)
            ids = self.lake.ids(version, rows=taken, seed=seed)
            sizes = _lengths(self.lake, version, read.shape)
            return _Input(name, {i: sizes[i] for i in ids}, lambda ids: self.lake.rows(version, read.shape, ids))
        known = {content_key(row): row for source in sources_of(first) for row, _ in source.rows()}
        by_id = {row.record_id: row for row in known.values()}
        ids = sorted(by_id, key=lambda i: (hashlib.md5(f"{i}{seed}".encode(), usedforsecurity=False).hexdigest(), i))
        lengths = {i: sum(len(text) for value in content(by_id[i]).values() for text in texts_in(value)) for i in ids}
        return _Input(name, {i: lengths[i] for i in ids[:taken]}, lambda ids: [by_id[i] for i in ids])


def regress(xs: Sequence[float], ys: Sequence[float], population: Sequence[float]) -> Estimate:
    """The sum of y over a population whose x is known, from a sample of both.

    By a straight line through the sample; the range is of `ERRORS` standard errors.
    """
    n, size = len(xs), len(population)
    if n >= size:
        return Estimate(sum(ys), sum(ys), sum(ys))
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0
    off = statistics.fmean(population) - mean_x
    value = max(0.0, size * (mean_y + slope * off))
    left = [y - mean_y - slope * (x - mean_x) for x, y in zip(xs, ys, strict=True)]
    variance = sum(r * r for r in left) / max(1, n - 2)
    error = ERRORS * size * math.sqrt(variance * ((1 - n / size) / n + (off * off / spread if spread else 0.0)))
    return Estimate(value, max(min(sum(ys), value), value - error), value + error)


def extrapolate(points: Sequence[tuple[int, float]], rows: int) -> Estimate:
    """The figure for so many rows from those for fewer: in proportion, or as the last ones grew, in the range."""
    last, value = points[-1]
    if last >= rows:
        return Estimate(value, value, value)
    guesses = [value * rows / last]
    for before, less in points[:-1]:
        growth = (value - less) / (last - before)
        guesses += [less * rows / before, value + growth * (rows - last)]
    return Estimate(guesses[0], max(0.0, min(guesses)), max(guesses))


def _trial(ledger: Ledger, made: Sequence[Record], length: float, *, rows: int) -> _Trial:
    steps = ledger.steps.values()
    return _Trial(
        rows=rows,
        length=length,
        requests=sum(step.calls for step in steps),
        prompt_tokens=sum(step.prompt_tokens for step in steps),
        completion_tokens=sum(step.completion_tokens for step in steps),
        unmetered=sum(step.unmetered for step in steps),
        candidates=len(made) + sum(step.dropped for step in steps),
        made=made,
    )


def _accepted(screener: Screener, made: Sequence[Record]) -> set[str]:
    there = {row.record_id for row in made}
    ids = [(row.record_id, *row.parents) for row in screener(made).kept]
    return {next(one for one in its if one in there) for its in ids}  # a masked row is the child of the one it was


def _share(bound: float, whole: Estimate) -> Estimate:
    """The part of the whole that a bound lets through."""
    value, low, high = (min(1.0, bound / part) if part else 1.0 for part in (whole.value, whole.high, whole.low))
    return Estimate(value, low, high)


def _spread(lengths: Mapping[str, int], n: int) -> list[str]:
    """Ids of n rows, one out of the middle of each n-th part of all by length."""
    ordered = sorted(lengths, key=lambda i: (lengths[i], i))
    if len(ordered) <= n:
        return ordered
    return [ordered[int((place + 0.5) * len(ordered) / n)] for place in range(n)]


def _lengths(lake: Lake, version: Version, shape: type[Record]) -> dict[str, int]:
    """Characters of each row of a version, in the columns of a shape."""
    with lake.read() as connection:
        there = lake.columns(connection, version)
        sizes = " + ".join(f'coalesce(length("{c}"::VARCHAR), 0)' for c in columns(shape) if c in there)
        return dict(connection.execute(f"SELECT record_id, {sizes or 0} FROM {version.sql}").fetchall())
