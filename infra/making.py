"""Making a database whose maker may be killed half-way: it counts once a mark says that it was made whole.

The first that is made of a kind is kept, empty as it is, with the installed packages: making one takes seconds of
migrations, a copy none.
"""

import importlib.metadata
import os
import shutil
import sqlite3
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path


@contextmanager
def making(database: Path, package: str, *, own: Sequence[str] = ()) -> Generator[None]:
    """Let the block make, or open, a SQLite database; one that an earlier block left half made is made anew.

    Migrations run statement by statement: a database that was being made when its process died can neither be used
    nor migrated. Nothing of value is in it.

    Args:
        database: where it is.
        package: the distribution whose database it is; another version of it is another kind.
        own: tables of which the rows are this database's own, and are not kept for others.
    """
    from filelock import FileLock

    mark = database.with_name(f"{database.name}.made")
    if mark.exists():
        yield
        return
    with FileLock(f"{database}.lock"):
        kept, new = _kept(package), not mark.exists()
        if new:
            for file in database.parent.glob(f"{database.name}*"):
                if file.name != f"{database.name}.lock":
                    file.unlink()
            if kept.exists():
                shutil.copyfile(kept, database)
        yield
        mark.touch()
        if new and not kept.exists():
            _keep(database, kept, own)


def shared() -> Path:
    """A folder of this installation, for what every home folder would have to make alike; it may not be writable."""
    return Path(sys.prefix) / "share" / "everspring"


def _kept(package: str) -> Path:
    """Where an empty database of the installed version is kept."""
    return shared() / f"{package}-{importlib.metadata.version(package)}.db"


def _keep(database: Path, kept: Path, own: Sequence[str]) -> None:
    """Keep a database that was just made; where that cannot be, the next one is made as this was."""
    partial = kept.with_name(f".{kept.name}.{os.getpid()}")
    with suppress(OSError, sqlite3.Error):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
            for table in own:
                target.execute(f"DELETE FROM {table}")
            target.commit()
        partial.rename(kept)
