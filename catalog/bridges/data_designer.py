"""NeMo Data Designer: the batches of a data set that it made, and those of the processors that ran over it.

https://github.com/NVIDIA-NeMo/DataDesigner
"""

from collections.abc import Sequence
from pathlib import Path

from catalog.bridges import Folder, bridge
from catalog.bridges._folders import matching

_MADE, _PROCESSED = "parquet-files", "processors-files"


def folder(path: Path) -> Folder | None:
    """The data set as `dataset`; each processor's output under its name. Of an artifact folder, each data set in it."""
    found = _dataset(path)
    if found is None and path.is_dir():
        inside = {each.name: _dataset(each) for each in sorted(path.iterdir()) if each.is_dir()}
        several = sum(each is not None for each in inside.values()) > 1
        found = {
            f"{name}/{part}" if several else part: files
            for name, each in inside.items()
            for part, files in (each or {}).items()
        }
    return Folder(found) if found else None


@bridge("Data Designer", folder=folder)
def data_designer() -> None:
    """No meaning of rows but that of their columns, which its users name."""


def _dataset(path: Path) -> dict[str, Sequence[Path]] | None:
    if not (path / _MADE).is_dir():
        return None
    found: dict[str, Sequence[Path]] = {"dataset": matching(path, f"{_MADE}/*.parquet")}
    for processor in sorted((path / _PROCESSED).iterdir()) if (path / _PROCESSED).is_dir() else []:
        # It writes Parquet, and JSON lines where a processor is to make what a trainer reads.
        for suffix in ("parquet", "jsonl"):
            if files := matching(processor, f"*.{suffix}"):
                found[processor.name] = files
    return found
