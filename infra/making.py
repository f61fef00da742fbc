"""Making a database whose maker may be killed half-way: it counts once a mark says that it was made whole."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def making(database: Path) -> Generator[None]:
    """Let the block make, or open, a SQLite database; one that an earlier block left half made is made anew.

    Migrations run statement by statement: a database that was being made when its process died can neither be used
    nor migrated. Nothing of value is in it.
    """
    from filelock import FileLock

    mark = database.with_name(f"{database.name}.made")
    if mark.exists():
        yield
        return
    with FileLock(f"{database}.lock"):
        if not mark.exists():
            for file in database.parent.glob(f"{database.name}*"):
                if file.name != f"{database.name}.lock":
                    file.unlink()
        yield
        mark.touch()
