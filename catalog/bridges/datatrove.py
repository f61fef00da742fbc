"""datatrove: documents of `text`, `id` and `metadata`, as JSON lines or Parquet.

https://github.com/huggingface/datatrove
"""

from typing import Any

from catalog.bridges import Columns, Row, bridge
from catalog.bridges._rows import text
from catalog.records import Document, Record


def marks(columns: Columns) -> bool:
    """All three of them."""
    return {"text", "id", "metadata"} <= columns.keys()


def shape(columns: Columns, _: object) -> type[Record] | None:
    """Documents."""
    return Document if "text" in columns else None


@bridge("datatrove", reads=("text",), marks=marks, shape=shape)
def datatrove(row: Row) -> dict[str, Any]:
    """The text."""
    return {"text": text(row, "text")}
