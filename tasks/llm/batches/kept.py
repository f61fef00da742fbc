"""What was submitted: a file a batch, there from before its upload until its answers are stored."""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import Failure

_LOCKED = 0.1  # seconds between two looks at a lock


@dataclass(frozen=True, slots=True)
class Job:
    """A batch that is being uploaded (it has no `input_file` yet), being created (no `batch`), or submitted.

    `calls` are in the order of the file's lines, with "" in place of those that were collected; `round` is how often
    they had failed before.
    """

    key: str
    endpoint: str
    path: str
    calls: tuple[str, ...]
    round: int
    submitted_at: str
    input_file: str = ""
    batch: str = ""

    @property
    def left(self) -> list[str]:
        """The calls that were not collected."""
        return [call for call in self.calls if call]


class Kept:
    """The batches of a folder; all but `alone` are called while nobody else may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Keep every other user of the folder waiting."""
        with (self._folder / "lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(_LOCKED)
            yield

    def file(self, job: Job) -> Path:
        """Where a batch is kept."""
        return self._folder / f"{job.key}.json"

    def jobs(self, endpoint: str, calls: Collection[str]) -> list[Job]:
        """The batches at an endpoint that any of the calls is in.

        Raises:
            Failure: where a file cannot be read.
        """
        wanted = set(calls)
        jobs = (_read(file) for file in sorted(self._folder.glob("*.json")))
        return [job for job in jobs if job.endpoint == endpoint and not wanted.isdisjoint(job.calls)]

    def keep(self, job: Job) -> None:
        """Write a batch down."""
        hidden = self._folder / f".{job.key}"
        with hidden.open("w") as file:
            json.dump(asdict(job), file)
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(self.file(job))

    def drop(self, job: Job) -> None:
        """Forget a batch of which nothing will come."""
        self.file(job).unlink(missing_ok=True)

    def collected(self, job: Job, calls: Collection[str]) -> None:
        """Forget calls of a batch, and the batch with the last of them."""
        if not self.file(job).exists():  # another run has collected it too
            return
        done = set(calls)
        kept = _read(self.file(job))
        kept = replace(kept, calls=tuple("" if call in done else call for call in kept.calls))
        if kept.left:
            self.keep(kept)
        else:
            self.drop(kept)


def _read(file: Path) -> Job:
    try:
        fields = json.loads(file.read_text())
        return Job(**fields | {"calls": tuple(fields["calls"])})
    except (ValueError, TypeError, KeyError) as error:
        raise Failure(
            f"{file}: it cannot be read ({error}), a batch that was submitted was wanted; remove the file, and what it "
            "names is submitted again"
        ) from None


def now() -> str:
    """The time as it is kept."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
