"""Reviews: rows of which a method asks people one column, and what those have decided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from catalog.records import Record, digest
from catalog.store import Lake, as_frame

if TYPE_CHECKING:
    import duckdb

ANNOTATOR = "annotator"
"""The column of a reviewed row that says who decided."""

State = Literal["open", "disputed", "decided", "published"]


@dataclass(frozen=True)
class Review:
    """A row of a method's own shape, and what people are asked of it: the column `decides`.

    They see `question` and `text`, and choose one of `choices`; where there is none, they write. `reason` says why the
    row needs them.
    """

    row: Record
    decides: str
    question: str
    text: str
    choices: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A review as the lake holds it; `decisions` has the last one of each annotator, `published` if a row has come."""

    table: str
    record_id: str
    decides: str
    question: str
    text: str
    choices: tuple[str, ...]
    reason: str
    content: str
    parents: tuple[str, ...]
    decisions: Mapping[str, "Decided"] = field(default_factory=dict[str, "Decided"])
    published: bool = False

    def verdict(self, annotators: int = 1) -> str:
        """What more than half of the annotators have decided; nothing where fewer than `annotators` have yet."""
        said = Counter(decided.decision for decided in self.decisions.values())
        ((first, votes),) = said.most_common(1) or [("", 0)]
        return first if said.total() >= annotators and 2 * votes > said.total() else ""

    @property
    def state(self) -> State:
        """How far it has come, where one annotator is enough."""
        if self.published:
            return "published"
        return "decided" if self.verdict() else "disputed" if self.decisions else "open"


@dataclass(frozen=True, kw_only=True)
class Decided(Record):
    """What an annotator decided on the row `subject`; `decided_at` is when, as the file says it."""

    subject: str
    decision: str
    annotator: str
    decided_at: str = ""


def reviews(lake: Lake, table: str | None = None) -> list[Item]:
    """The reviews of a table, or all, in the order in which they were asked for."""
    with lake.read() as connection:
        found = connection.execute(
            "SELECT table_name, record_id, decides, question, text, choices, reason, content, parents "
            "FROM catalog.reviews WHERE table_name = coalesce(?, table_name) ORDER BY asked_at, position",
            [table],
        ).fetchall()
        decided = connection.execute(
            "SELECT record_id, subject, decision, annotator, decided_at FROM catalog.decisions "
            "WHERE table_name = coalesce(?, table_name) ORDER BY imported_at, decided_at, position",
            [table],
        ).fetchall()
        published = {key for name in {row[0] for row in found} for key in _published(connection, lake, name)}
    by_row: dict[str, dict[str, Decided]] = {}
    for record_id, subject, decision, annotator, when in decided:
        made = Decided(record_id=record_id, subject=subject, decision=decision, annotator=annotator, decided_at=when)
        by_row.setdefault(subject, {})[annotator] = made
    return [
        Item(
            table=name,
            record_id=record_id,
            decides=decides,
            question=question,
            text=text,
            choices=tuple(choices),
            reason=reason,
            content=content,
            parents=tuple(parents),
            decisions=by_row.get(record_id, {}),
            published=record_id in published,
        )
        for name, record_id, decides, question, text, choices, reason, content, parents in found
    ]


def _published(connection: "duckdb.DuckDBPyConnection", lake: Lake, table: str) -> set[str]:
    """The reviewed rows from which a row of the table's last version was made."""
    version = lake.latest(table)
    if version is None:
        return set()
    found = connection.execute(
        "SELECT DISTINCT parent_id FROM catalog.lineage "
        "SEMI JOIN (SELECT record_id AS parent_id FROM catalog.reviews WHERE table_name = ?) USING (parent_id) "
        f"SEMI JOIN (SELECT record_id FROM {version.sql}) USING (record_id)",
        [table],
    ).fetchall()
    return {record_id for (record_id,) in found}


def decide(lake: Lake, table: str, given: Sequence[Decided], origin: str) -> list[Decided]:
    """Keep decisions; returns those that are new: the same decision of the same annotator and time is kept once."""
    ids = [each.record_id for each in given]
    types = {
        **dict.fromkeys(("table_name", "record_id", "subject", "decision"), "VARCHAR"),
        **dict.fromkeys(("annotator", "decided_at", "origin"), "VARCHAR"),
        "position": "INTEGER",
        "imported_at": "TIMESTAMP WITH TIME ZONE",
    }
    with lake.write(f"{table}: decisions from {origin}") as connection:
        there = {
            record_id
            for (record_id,) in connection.execute(
                "SELECT record_id FROM lake.catalog.decisions WHERE record_id IN (SELECT unnest(?::VARCHAR[]))", [ids]
            ).fetchall()
        }
        new = [each for each in given if each.record_id not in there]
        if new:
            now = datetime.now(UTC)
            ((last,),) = connection.execute("SELECT max(imported_at) FROM lake.catalog.decisions").fetchall()
            if last and last >= now:  # the clock was set back: what comes last still counts
                now = last + timedelta(microseconds=1)
            rows: list[dict[str, Any]] = [
                {**vars(each), "table_name": table, "origin": origin, "position": place, "imported_at": now}
                for place, each in enumerate(new)
            ]
            connection.register("incoming", as_frame(rows, types))
            connection.execute("INSERT INTO lake.catalog.decisions BY NAME SELECT * FROM incoming")
            connection.unregister("incoming")
    return new


def decision_id(subject: str, annotator: str, decision: str, when: str) -> str:
    """The id of a decision, the same whenever its file is read."""
    return digest(["decision", subject, annotator, decision, when])
