"""The rows as they are, as Parquet."""

from catalog.exports import export_format


@export_format(suffix="parquet")
def parquet() -> None:
    """No form but that of the rows."""
