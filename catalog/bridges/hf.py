"""Hugging Face: folders of `save_to_disk` (Arrow), and of the hub (a card and Parquet, JSON or CSV files).

https://huggingface.co/docs/datasets/about_arrow, https://huggingface.co/docs/hub/datasets-manual-configuration
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from catalog.bridges import Folder, bridge
from catalog.bridges._folders import header, matching, names, told
from infra.errors import Refusal

_SHARD = re.compile(
    r"(?P<split>(train|test|validation|valid|dev|eval)(?=\.)|\w+?(?=-\d{5}-of-\d{5}))[\w-]*"
    r"\.(parquet|jsonl|json|csv|arrow)(\.gz)?"
)
"""A file's name in `data/`, which begins with the split's."""


def folder(path: Path) -> Folder | None:
    """The splits of a folder; those of several configurations as CONFIGURATION/SPLIT."""
    if (found := saved(path)) is not None:
        return Folder(found)
    found = _declared(path, header(path / "README.md")) or _sharded(path)
    return Folder(found) if found else None


@bridge("Hugging Face", folder=folder)
def hf() -> None:
    """No meaning of rows but that of their columns."""


def saved(path: Path) -> dict[str, Sequence[Path]] | None:
    """The splits of what `save_to_disk` wrote; None where it did not.

    Raises:
        Refusal: where it says something that it does not hold.
    """
    several = told(path / "dataset_dict.json") or {}
    if "splits" in several:
        return {split: _shards(path / split) for split in names(several["splits"], path / "dataset_dict.json")}
    state = told(path / "state.json") or {}
    return {_name(state.get("_split"), "train"): _shards(path)} if "_data_files" in state else None


def _shards(path: Path) -> list[Path]:
    """The Arrow files of one split, in their order."""
    file = path / "state.json"
    state = told(file)
    if state is None:
        raise Refusal(f"{path}: it has no state.json that can be read, a split that save_to_disk wrote is wanted")
    if state.get("_indices_data_files"):
        raise Refusal(f"{path}: its rows stand in another order than in its files; save it anew with flatten_indices()")
    listed = state.get("_data_files")
    if not isinstance(listed, list):
        raise Refusal(f"{file}: it names no files of rows, _data_files is wanted")
    shards = (cast("Mapping[str, Any]", each).get("filename") for each in listed if isinstance(each, dict))
    return [path / name for name in names(list(shards), file)]


def _declared(path: Path, card: Mapping[str, Any]) -> dict[str, Sequence[Path]]:
    """The splits that the card's header names."""
    configs = card.get("configs")
    if not isinstance(configs, list):
        return {}
    found: dict[str, Sequence[Path]] = {}
    listed = [cast("Mapping[str, Any]", each) for each in cast("list[Any]", configs) if isinstance(each, dict)]
    for config in listed:
        of_config = dict(_of_config(path, config.get("data_files")))
        for split, files in of_config.items():
            name = _name(config.get("config_name"), "default")
            short = name if len(of_config) == 1 else f"{name}/{split}"
            found[split if len(listed) == 1 else short] = files
    return found


def _of_config(path: Path, files: Any) -> Iterator[tuple[str, list[Path]]]:
    """The splits of a configuration: it names patterns for each, or for all that it has."""
    if isinstance(files, (str, list)) and not any(isinstance(each, dict) for each in files):
        files = [{"split": "train", "path": files}]
    for each in cast("list[Any]", files) if isinstance(files, list) else []:
        if isinstance(each, dict):
            told_so = cast("Mapping[str, Any]", each)
            patterns = told_so.get("path")
            listed = [patterns] if isinstance(patterns, str) else names(patterns, path / "README.md")
            yield _name(told_so.get("split"), "train"), [file for pattern in listed for file in matching(path, pattern)]


def _name(value: Any, otherwise: str) -> str:
    return value if isinstance(value, str) else otherwise


def _sharded(path: Path) -> dict[str, Sequence[Path]]:
    """The splits by the names of the files in `data/`, as the hub takes them where no card says more."""
    found: dict[str, list[Path]] = {}
    if not (path / "data").is_dir():
        return {}
    for file in matching(path, "data/*"):
        if matched := _SHARD.fullmatch(file.name):
            found.setdefault(matched["split"], []).append(file)
    return dict(found)
