"""The rows as they are, a line of JSON each."""

from catalog.exports import export_format


@export_format()
def jsonl() -> None:
    """No form but that of the rows."""
