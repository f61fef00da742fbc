"""The Batch API: requests handed in as a file and answered within a day, at half the price."""

from tasks.llm.batches.exchange import Batches, Waiting
from tasks.llm.batches.parts import Item

__all__ = ["Batches", "Item", "Waiting"]
