"""The store: calls looked up by any thread, written by one thread that commits together what has come in."""

import hashlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol

from catalog.calls.call import Call, Known, Spent
from catalog.records import clean
from infra.errors import EverspringError

Keep = Literal["texts", "hashes"]
Kept = Literal["text", "hash"] | None
"""What is kept of an answer; None: there is none."""
Outcome = Known | Exception | None
Landed = Callable[[Sequence[tuple[str, Outcome]]], None]
_Inbox = queue.SimpleQueue[tuple[Sequence[Call], Landed] | None]

_AS_THEY_ARE = (
    *("call_id", "run_id", "method", "role", "kind", "endpoint", "model", "finish_reason"),
    *("prices", "latency", "attempt", "batch", "error"),
)
FIGURES = (*_AS_THEY_ARE, "kept", "created_at", *Spent._fields)
"""Columns of the narrow table, all but its key `id`."""
TEXTS = ("text", "request", "response")
"""Columns of the wide table, all but its key `id`: the text, which is what is looked up, first."""
COLUMNS = tuple(field.name for field in fields(Call))

_AT_ONCE = 1000
"""Calls deleted in one transaction: others write in between."""
_BETWEEN = 0.005
"""Seconds from one transaction to the next: each costs as much as writing a few calls."""

_as_they_are = attrgetter(*_AS_THEY_ARE)


class Row(NamedTuple):
    """A call as it is written: values of the columns FIGURES, and of TEXTS."""

    figures: tuple[Any, ...]
    texts: tuple[str | None, ...]


class Standing(NamedTuple):
    """A call that is in the store: what is kept of its answer, and what it has used up so far."""

    kept: Kept
    spent: Spent


class Deleted(NamedTuple):
    """Calls that were removed, and the bytes of their texts."""

    calls: int
    bytes: int


class Transaction(Protocol):
    """A transaction in which calls are written."""

    def insert(self, rows: Sequence[Row]) -> dict[str, Standing]:
        """Write the calls that are not there; returns, by call id, those that are, which nobody else then changes."""
        ...

    def overwrite(self, rows: Sequence[Row]) -> None:
        """Put these in place of the calls with their ids."""
        ...

    def spend(self, spent: Sequence[tuple[str, Spent]]) -> None:
        """Set what the calls with these ids have used up."""
        ...


class Database(Protocol):
    """Where calls are kept. A Failure says that it cannot be used, any other error that something in a call cannot."""

    def create(self) -> None:
        """Make tables and view, where they are not there yet."""
        ...

    def find(self, call_ids: Sequence[str], *, responses: bool) -> dict[str, Known]:
        """The answers that are there, by call id."""
        ...

    def rows(self, call_ids: Sequence[str]) -> list[Call]:
        """The calls that are there."""
        ...

    def asked(self, call_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Of the calls that are there: id, model and role."""
        ...

    def before(self, moment: str) -> list[str]:
        """The ids of the calls made before a moment (UTC, as `created_at` has it)."""
        ...

    def delete(self, call_ids: Sequence[str]) -> Deleted:
        """Remove calls with their texts, for good."""
        ...

    def write(self, work: Callable[[Transaction], None]) -> None:
        """Do some work in one transaction, from the one thread that writes; again, where the connection was lost."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class CallStore:
    """The calls of one home folder, or of one team."""

    def __init__(self, database: Database, keep: Keep = "texts") -> None:
        self._database = database
        self._keep = keep
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # an answer may come in after closing, for another writer
        self._writer: threading.Thread | None = None
        self._inbox: _Inbox = queue.SimpleQueue()

    def create(self) -> None:
        """Make the store, where there is none: `catalog.calls` reads it.

        Raises:
            Failure: where it cannot be made.
        """
        self._database.create()

    def find(self, call_ids: Sequence[str], *, responses: bool = False) -> dict[str, Known]:
        """The answers that are there, by call id; with `responses`, the whole responses too.

        Raises:
            Failure: where the store cannot be read.
        """
        return self._database.find(call_ids, responses=responses) if call_ids else {}

    def rows(self, call_ids: Sequence[str]) -> list[Call]:
        """The calls with these ids that are there, failed ones included.

        Raises:
            Failure: where the store cannot be read.
        """
        return self._database.rows(call_ids) if call_ids else []

    def asked(self, call_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Call id → model and role, of the calls that are there.

        Raises:
            Failure: where the store cannot be read.
        """
        found = self._database.asked(call_ids) if call_ids else []
        return {call_id: (model, role) for call_id, model, role in found}

    def before(self, moment: datetime) -> list[str]:
        """The ids of the calls made before a moment.

        Raises:
            Failure: where the store cannot be read.
        """
        return self._database.before(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))

    def delete(self, call_ids: Sequence[str]) -> Deleted:
        """Remove calls, with their texts, for good; they are paid for again if they are asked again.

        Raises:
            Failure: where the store cannot be written to.
        """
        gone = Deleted(0, 0)
        for start in range(0, len(call_ids), _AT_ONCE):
            with self._writing:
                its = self._database.delete(call_ids[start : start + _AT_ONCE])
            gone = Deleted(gone.calls + its.calls, gone.bytes + its.bytes)
        return gone

    def put(self, calls: Sequence[Call], landed: Landed) -> None:
        """Write calls, from any thread, in one transaction; then tell `landed`, in the writer's thread.

        `landed` gets, once a transaction, the id of each of its calls with the answer that stands in the store (another
        process may have been first), None for a failure that stands, or the error where it could not be written.
        """
        with self._lock:
            if self._writer is None:
                self._inbox = queue.SimpleQueue()
                self._writer = threading.Thread(target=self._write, args=[self._inbox], name="call store", daemon=True)
                self._writer.start()
            self._inbox.put((calls, landed))

    def close(self) -> None:
        """Write what is still to be written, and let go of the database."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._inbox.put(None)
        if writer is not None:
            writer.join()
        with self._writing:
            self._database.close()

    def _write(self, inbox: _Inbox) -> None:
        more, ended = True, 0.0
        while more:
            handed_in = [inbox.get()]
            time.sleep(max(0.0, ended + _BETWEEN - time.monotonic()))
            while not inbox.empty():
                handed_in.append(inbox.get())
            more = None not in handed_in
            puts = [put for put in handed_in if put is not None]
            outcomes = iter(self._outcomes([call for calls, _ in puts for call in calls]))
            told: dict[Landed, list[tuple[str, Outcome]]] = {}
            for calls, landed in puts:
                told.setdefault(landed, []).extend((call.call_id, next(outcomes)) for call in calls)
            ended = time.monotonic()
            for landed, what in told.items():
                try:
                    landed(what)
                except Exception as error:  # noqa: BLE001 - one who is gone must not cost the others their answers
                    sys.excepthook(type(error), error, error.__traceback__)

    def _outcomes(self, calls: Sequence[Call]) -> list[Outcome]:
        """Write calls; returns what became of each."""
        try:
            return self._commit(calls)
        except EverspringError as error:
            return [error] * len(calls)
        except Exception:  # noqa: BLE001 - something in one of them, which must not cost the others their answers
            return [self._alone(call) for call in calls]

    def _alone(self, call: Call) -> Outcome:
        """Write a call that may be one that no database can hold as it is."""
        try:
            return self._commit([_holdable(call)])[0]
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer must hear of it
            return error

    def _commit(self, calls: Sequence[Call]) -> list[Outcome]:
        """Write calls in one transaction; returns what stands of each."""
        now = datetime.now(UTC).isoformat(sep=" ", timespec="microseconds").removesuffix("+00:00")
        stand: dict[str, Call] = {}

        def work(transaction: Transaction) -> None:
            stand.clear()
            stand.update(self._settle(calls, transaction, now))

        with self._writing:
            self._database.write(work)
        there = self.find([call.call_id for call in calls if call.call_id not in stand])
        return [
            _outcome(call, stand[call.call_id]) if call.call_id in stand else there.get(call.call_id) for call in calls
        ]

    def _settle(self, calls: Sequence[Call], transaction: Transaction, now: str) -> dict[str, Call]:
        """Write calls in place of those that give way to them; returns, by id, those of them that then stand."""
        stand: dict[str, Call] = {}
        others = [call for call in calls if stand.setdefault(call.call_id, call) is not call]
        there = transaction.insert([self._row(call, Spent.on(call), now) for call in stand.values()])
        if not there and not others:
            return stand
        others = [stand.pop(call_id) for call_id in there] + others
        standing = there | {
            call.call_id: Standing(self._kept(call), Spent.on(call))
            for call in (stand[other.call_id] for other in others if other.call_id in stand)
        }
        over: dict[str, Call] = {}
        for call in others:
            kept, spent = standing[call.call_id]
            if _gives_way(kept, call):
                kept, over[call.call_id] = self._kept(call), call
            standing[call.call_id] = Standing(kept, spent.and_also(Spent.on(call)))
        transaction.overwrite([self._row(call, standing[call_id].spent, now) for call_id, call in over.items()])
        transaction.spend([(call_id, its.spent) for call_id, its in standing.items() if call_id not in over])
        return stand | over

    def _row(self, call: Call, spent: Spent, now: str) -> Row:
        texts = (call.text, call.request, call.response)
        if self._keep == "hashes":
            texts = tuple(map(_hash, texts))
        return Row((*_as_they_are(call), self._kept(call), call.created_at or now, *spent), texts)

    def _kept(self, call: Call) -> Kept:
        if call.text is None:
            return None
        return "text" if self._keep == "texts" else "hash"


def _gives_way(kept: Kept, call: Call) -> bool:
    """Whether a call of which this is kept gives way to another: a failure does, an answer that can be read never."""
    return kept is None or (kept == "hash" and call.text is not None)


def _outcome(call: Call, stands: Call) -> Outcome:
    if stands.text is None:
        return None
    return Known(
        stands.text,
        stands.finish_reason or "",
        stands.prompt_tokens,
        stands.completion_tokens,
        stands.cost,
        reused=stands is not call,
        response=stands.response,
    )


def _hash(text: str | None) -> str | None:
    return None if text is None else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _holdable(call: Call) -> Call:
    """The call without what not every database can hold: lone surrogates, and NUL."""
    texts = {name: value for name in COLUMNS if isinstance(value := getattr(call, name), str)}
    return replace(call, **{name: clean(value).replace("\0", "\ufffd") for name, value in texts.items()})
