"""The lake, its records and its sources; `connect` for notebooks."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def connect(home: str | Path | None = None) -> "duckdb.DuckDBPyConnection":
    """A read-only DuckDB connection with the lake attached as `lake`, and current.

    Ask it anything: `.pl()` of the answer is a Polars data frame, `.df()` one of pandas. DuckDB itself refuses to
    write to the lake; temporary tables go to `memory`. Each statement sees what is published by then.

    Args:
        home: the home folder, where it is another than that of the settings.

    Raises:
        Refusal: for settings that cannot be used.
        Failure: where the lake cannot be opened.
    """
    from catalog.store import Lake
    from infra.settings import load_settings

    return Lake(load_settings(**({} if home is None else {"home": Path(home)}))).connect()
