"""LLaMA-Factory: a folder of data sets, named by a `dataset_info.json`, with the columns of ShareGPT or Alpaca.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from catalog.bridges import Folder, bridge
from catalog.bridges._folders import told


def folder(path: Path) -> Folder | None:
    """Each data set of which the folder has the file."""
    found = {
        name: cast("Mapping[str, Any]", its).get("file_name")
        for name, its in (told(path / "dataset_info.json") or {}).items()
        if isinstance(its, dict)
    }
    splits = {name: [path / file] for name, file in found.items() if isinstance(file, str)}
    there = {name: files for name, files in splits.items() if files[0].exists()}
    return Folder(there or splits) if splits else None


@bridge("LLaMA-Factory", folder=folder)
def llama_factory() -> None:
    """No meaning of rows but that of their columns."""
