"""Exports under TRL's own functions: those that its trainers put a dataset through before they train on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lakes import put_rows

from catalog.exports import find_format
from catalog.records import Dialogue, Document, Preference, PromptCompletion, Record
from catalog.store import Lake
from infra.settings import load_settings
from tasks.export import Wish, export

datasets = pytest.importorskip("datasets")
data_utils = pytest.importorskip("trl.data_utils")

TEMPLATE = "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}</{{ turn.role }}>{% endfor %}"
TALK = Dialogue(messages=({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}))
PAIRS = [PromptCompletion(prompt=f"What is {n}?", completion=f"It is {n}.") for n in range(3)]
CHOICES = [Preference(prompt=f"Say {n}.", chosen=f"{n}!", rejected="No.") for n in range(3)]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A tokenizer with a chat template, of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", chat_template=TEMPLATE)


def exported(tmp_path: Path, *rows: Record, **more: Any) -> Any:
    """What `datasets` loads of an export for TRL."""
    lake = Lake(load_settings(home=tmp_path / "home"))
    folder = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    export(lake, put_rows(lake, tmp_path, *rows), Wish(format=find_format("trl"), folder=folder, **more))
    return datasets.load_dataset(
        "json", data_files=str(folder / "train.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (PAIRS, {"prompt", "completion"}),
        ([TALK], {"messages"}),
        (CHOICES, {"prompt", "chosen", "rejected"}),
    ],
    ids=["prompt-completion", "language modelling", "preference"],
)
def test_it_is_of_a_type_that_trl_knows_and_takes_a_chat_template(
    tmp_path: Path, tokenizer: Any, rows: list[Record], columns: set[str]
) -> None:
    found = exported(tmp_path, *rows)
    assert set(found.column_names) == columns
    for row in found:
        assert data_utils.is_conversational(row)
        told: Mapping[str, str] = data_utils.apply_chat_template(row, tokenizer)
        assert all(isinstance(text, str) and text for text in told.values())
        assert set(told) == ({"text"} if columns == {"messages"} else columns)


def test_plain_text_is_for_language_modelling_as_it_is(tmp_path: Path, tokenizer: Any) -> None:
    (row,) = exported(tmp_path, Document(text="Rivers flow to the sea."))
    assert not data_utils.is_conversational(row)
    assert data_utils.maybe_apply_chat_template(row, tokenizer) == {"text": "Rivers flow to the sea."}


def test_a_preference_has_its_prompt_apart_so_that_trl_extracts_none(tmp_path: Path) -> None:
    for row in exported(tmp_path, *CHOICES):
        assert data_utils.maybe_extract_prompt(row) == row


def test_one_answer_at_a_time_is_what_trl_makes_of_pairs(tmp_path: Path) -> None:
    ours = exported(tmp_path, *CHOICES, unpaired=True)
    theirs = data_utils.unpair_preference_dataset(exported(tmp_path, *CHOICES))
    assert set(ours.column_names) == {"prompt", "completion", "label"} == set(theirs.column_names)

    def rows(dataset: Any) -> set[str]:
        return {repr(sorted(row.items())) for row in dataset}

    assert rows(ours) == rows(theirs)
