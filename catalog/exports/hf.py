"""A folder for Hugging Face's `datasets`: the rows as Parquet under `data/`, and a card that names the splits."""

from collections.abc import Mapping

from catalog.exports import Exported, export_format


def card(exported: Exported) -> Mapping[str, str]:
    """`README.md`: the header from which `datasets` knows which file is which split."""
    import yaml

    files = [{"split": split, "path": f"data/{file}"} for split, file in exported.files.items()]
    header = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    return {"README.md": f"---\n{header}---\n\n# {exported.table}\n\nColumns: {', '.join(exported.fields)}.\n"}


@export_format(suffix="parquet", folder="data", beside=card)
def hf() -> None:
    """No form but that of the rows."""
