"""A folder for Hugging Face's `datasets`: rows as Parquet under `data/`, splits named by the card."""

from catalog.exports import export_format


@export_format(suffix="parquet", folder="data")
def hf() -> None:
    """No form but that of the rows."""
