"""Bridges: what other tools write is known by its columns and files, and its rows come out in our shapes."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.bridges import PLAIN, find_bridge, load_bridges, open_source
from catalog.imports import Bad, Good, reading, shape_in
from catalog.records import (
    Dialogue,
    Document,
    Message,
    Preference,
    Prompt,
    PromptCompletion,
    Record,
)
from infra.errors import Refusal

PAIR = PromptCompletion(prompt="What is rain?", completion="Water that falls.")
CHOICE = Preference(prompt="Say hello.", chosen="Hello!", rejected="No.")
HUMAN, GPT = {"from": "human", "value": "What is rain?"}, {"from": "gpt", "value": "Water that falls."}
USER, SAYS = {"role": "user", "content": "What is rain?"}, {"role": "assistant", "content": "Water that falls."}
ASKED = {"role": "user", "content": "Say hello."}
BETTER, WORSE = {"role": "assistant", "content": "Hello!"}, {"role": "assistant", "content": "No."}


def talk(*turns: tuple[str, str]) -> Dialogue:
    return Dialogue(messages=tuple(Message(role=role, content=text) for role, text in turns))


EXCHANGE = talk(("user", "What is rain?"), ("assistant", "Water that falls."))


def lines(file: Path, *rows: Mapping[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return file


def taken(
    where: Path, shape: type[Record] | None = None, **given: str
) -> tuple[str, list[Record], list[tuple[str, str]], list[str]]:
    """What it was read as, the rows, what was wrong with the others, and the columns left out."""
    source = open_source(str(where), **given)
    found = reading(source, shape or shape_in(source, {}), {})
    rows = [row for batch in found.batches() for row in batch]
    good = [row.row for row in rows if isinstance(row, Good)]
    return found.told, good, [(row.place, row.reason) for row in rows if isinstance(row, Bad)], found.left_out


# What rows mean


@pytest.mark.parametrize(
    ("told", "line", "row", "left"),
    [
        ("ShareGPT", {"conversations": [HUMAN, GPT], "id": "7"}, EXCHANGE, ["id"]),
        (
            "ShareGPT",
            {
                "conversations": [
                    HUMAN,
                    {"from": "function_call", "value": "{}"},
                    {"from": "observation", "value": "wet"},
                    GPT,
                ],
                "system": "Be short.",
                "tools": "[]",
            },
            talk(
                ("system", "Be short."),
                ("user", "What is rain?"),
                ("assistant", "{}"),
                ("tool", "wet"),
                ("assistant", "Water that falls."),
            ),
            ["tools"],
        ),
        (
            "ShareGPT",
            {
                "conversations": [{"from": "human", "value": "Say hello."}],
                "chosen": {"from": "gpt", "value": "Hello!"},
                "rejected": {"from": "gpt", "value": "No."},
            },
            CHOICE,
            [],
        ),
        (
            "Alpaca",
            {"instruction": "What is rain?", "input": "", "output": "Water that falls.", "text": "…"},
            PAIR,
            ["text"],
        ),
        (
            "Alpaca",
            {"instruction": "Add.", "input": "1 and 2", "output": "3"},
            PromptCompletion(prompt="Add.\n1 and 2", completion="3"),
            [],
        ),
        (
            "Alpaca",
            {"instruction": "Bye", "output": "Ciao", "system": "Be short.", "history": [["Hi", "Hello"]]},
            talk(
                ("system", "Be short."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Ciao")
            ),
            [],
        ),
        ("Alpaca", {"instruction": "Say hello.", "chosen": "Hello!", "rejected": "No."}, CHOICE, []),
        ("TRL", {"messages": [USER, SAYS], "source": "x"}, EXCHANGE, ["source"]),
        ("TRL", {"prompt": [USER], "completion": [SAYS]}, PAIR, []),
        (
            "TRL",
            {"prompt": [{"role": "system", "content": "Be short."}, USER], "completion": [SAYS]},
            talk(("system", "Be short."), ("user", "What is rain?"), ("assistant", "Water that falls.")),
            [],
        ),
        ("TRL", {"prompt": [ASKED], "chosen": [BETTER], "rejected": [WORSE]}, CHOICE, []),
        ("TRL", {"chosen": [ASKED, BETTER], "rejected": [ASKED, WORSE]}, CHOICE, []),
        ("TRL", {"prompt": "Say hello.", "chosen": [ASKED, BETTER], "rejected": [ASKED, WORSE]}, CHOICE, []),
        ("Axolotl", {"messages": [ASKED], "chosen": BETTER, "rejected": WORSE}, CHOICE, []),
        (
            "OpenAI fine-tuning",
            {
                "input": {"messages": [ASKED], "tools": []},
                "preferred_output": [BETTER],
                "non_preferred_output": [WORSE],
            },
            CHOICE,
            [],
        ),
        (
            "distilabel",
            {"instruction": "What is rain?", "generation": "Water that falls.", "model_name": "m"},
            PAIR,
            ["model_name"],
        ),
        (
            "distilabel",
            {
                "instruction": "Say hello.",
                "generations": ["Hm.", "Hello!", "No."],
                "ratings": [3, 5.0, 1],
                "distilabel_metadata": {"raw": "…"},
            },
            CHOICE,
            ["distilabel_metadata"],
        ),
        (
            "distilabel",
            {"prompt": "Say hello.", "chosen": [ASKED, BETTER], "rejected": [ASKED, WORSE], "distilabel_metadata": {}},
            CHOICE,
            ["distilabel_metadata"],
        ),
        ("distilabel", {"conversation": [USER, SAYS], "distilabel_metadata": {}}, EXCHANGE, ["distilabel_metadata"]),
        (
            "distilabel",
            {"instruction": "Say hello.", "distilabel_metadata": {}},
            Prompt(prompt="Say hello."),
            ["distilabel_metadata"],
        ),
        ("Data-Juicer", {"query": "What is rain?", "response": "Water that falls.", "meta": {"a": 1}}, PAIR, ["meta"]),
        (
            "Data-Juicer",
            {"query": "Bye", "response": "Ciao", "history": [["Hi", "Hello"]]},
            talk(("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Ciao")),
            [],
        ),
        (
            "Data-Juicer",
            {"text": "Rivers flow.", "__dj__stats__": {"n": 2}},
            Document(text="Rivers flow."),
            ["__dj__stats__"],
        ),
        ("Data-Juicer", {"messages": [USER, SAYS], "__dj__meta__": {}}, EXCHANGE, ["__dj__meta__"]),
        (
            "datatrove",
            {"text": "Rivers flow.", "id": "a/0", "metadata": {"url": "u"}},
            Document(text="Rivers flow."),
            ["id", "metadata"],
        ),
        ("Everspring", {"record_id": "0", "messages": [USER, SAYS], "parents": []}, EXCHANGE, ["record_id", "parents"]),
    ],
)
def test_a_tool_is_known_by_its_columns(
    tmp_path: Path, told: str, line: dict[str, Any], row: Record, left: list[str]
) -> None:
    assert taken(lines(tmp_path / "a.jsonl", line)) == (told, [row], [], left)


@pytest.mark.parametrize(
    "line",
    [
        {"prompt": "What is rain?", "completion": "Water that falls."},
        {"text": "Rivers flow.", "id": "1"},
        {"instruction": "Say hello.", "prompt": "Say hello."},
    ],
)
def test_what_no_tool_is_known_by_is_read_column_by_column(tmp_path: Path, line: dict[str, Any]) -> None:
    told, rows, bad, _ = taken(lines(tmp_path / "a.jsonl", line))
    assert (told, len(rows), bad) == ("", 1, [])


def test_parquet_and_csv_are_known_as_json_is(tmp_path: Path) -> None:
    pq.write_table(pa.table({"conversations": [[HUMAN, GPT]]}), tmp_path / "a.parquet")
    assert taken(tmp_path / "a.parquet")[:2] == ("ShareGPT", [EXCHANGE])
    (tmp_path / "a.csv").write_text("instruction,input,output\nWhat is rain?,,Water that falls.\n")
    assert taken(tmp_path / "a.csv")[:2] == ("Alpaca", [PAIR])


def test_a_conversation_is_a_dialogue_or_what_is_asked_for(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"conversations": [HUMAN, GPT]}, {"conversations": [HUMAN, GPT, HUMAN, GPT]})
    assert taken(file, Prompt)[1] == [Prompt(prompt="What is rain?")] * 2
    _, rows, bad, _ = taken(file, PromptCompletion)
    assert rows == [PAIR]
    told = "is a conversation of user, assistant, user, assistant, a question and its answer are wanted"
    assert bad == [("a.jsonl:2", f"{told}; import it with --as Dialogue")]


def test_a_pair_can_be_had_as_a_dialogue_and_a_preference_as_its_prompt(tmp_path: Path) -> None:
    own = lines(
        tmp_path / "own.jsonl", {"record_id": "0", "prompt": PAIR.prompt, "completion": PAIR.completion, "parents": []}
    )
    assert taken(own, Dialogue)[1] == [EXCHANGE]
    alpaca = lines(tmp_path / "a.jsonl", {"instruction": "Say hello.", "chosen": "Hello!", "rejected": "No."})
    assert taken(alpaca, Prompt)[1] == [Prompt(prompt="Say hello.")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"conversations": None}, "conversations is null, a list of turns is wanted"),
        ({"conversations": "Hi"}, "conversations is str, a list of turns is wanted"),
        ({"conversations": []}, "conversations has no turns"),
        ({"conversations": ["Hi"]}, "conversations has a turn that is str, an object is wanted"),
        ({"conversations": [{"from": "alien", "value": "Hi"}]}, "conversations has a turn of 'alien'"),
        ({"conversations": [{"value": "Hi"}]}, "conversations has a turn of None"),
        (
            {"conversations": [HUMAN, {"from": "gpt", "value": None}]},
            "conversations has a turn of the assistant that is null",
        ),
        ({"conversations": [HUMAN, {"from": "gpt", "value": " "}]}, "conversations has a blank turn of the assistant"),
        ({"conversations": [HUMAN, {"from": "gpt", "value": "a\0b"}]}, "messages holds a NUL"),
        ({"conversations": [HUMAN, {"from": "gpt", "value": "\ud800"}]}, "messages holds half a surrogate pair"),
        ({"conversations": [HUMAN, GPT], "label": False}, "is labelled as unwanted: half of a pair"),
        ({"conversations": [HUMAN], "chosen": GPT, "rejected": None}, "rejected is null"),
        ({"conversations": [HUMAN, GPT, HUMAN], "chosen": GPT, "rejected": GPT}, "what was asked has 3 turns"),
        ({"conversations": [HUMAN, {"from": "gpt", "value": [{"type": "image_url"}]}]}, "a part that is image_url"),
        ({"conversations": [HUMAN, {"from": "gpt", "value": "x" * 1_100_000}]}, "messages has more than 1048576 bytes"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_takes_no_other_along(
    tmp_path: Path, line: dict[str, Any], reason: str
) -> None:
    file = lines(tmp_path / "a.jsonl", {"conversations": [HUMAN, GPT]}, line, {"conversations": [HUMAN, GPT]})
    shape = Preference if "chosen" in line else Dialogue
    _, rows, bad, _ = taken(file, shape if shape is Dialogue else None)
    assert len(rows) == (2 if shape is Dialogue else 0)
    assert reason in dict(bad)["a.jsonl:2"]
    assert len(rows) + len(bad) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"generations": ["a", "b"], "ratings": [1, 1]}, "the ratings tell no better generation from a worse one"),
        ({"generations": ["a", "b"], "ratings": [1]}, "generations and ratings are not one for one"),
        ({"generations": ["a", None], "ratings": [1, None]}, "the ratings tell no better generation from a worse one"),
    ],
)
def test_generations_without_a_best_and_a_worst_are_no_preference(
    tmp_path: Path, line: dict[str, Any], reason: str
) -> None:
    assert taken(lines(tmp_path / "a.jsonl", {"instruction": "Say hello.", **line}))[2] == [("a.jsonl:1", reason)]


def test_answers_to_different_things_are_no_preference(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"chosen": [ASKED, BETTER], "rejected": [USER, WORSE]})
    assert taken(file)[2] == [("a.jsonl:1", "chosen and rejected answer different things")]


def test_unwanted_answers_are_told_and_not_learnt_from(tmp_path: Path) -> None:
    for wanted, unwanted in (([USER], [SAYS]), ("What is rain?", "Water that falls.")):
        rows = [{"prompt": wanted, "completion": unwanted, "label": label} for label in (True, False)]
        _, good, bad, _ = taken(lines(tmp_path / "a.jsonl", *rows))
        assert good == [PAIR]
        assert bad == [("a.jsonl:2", "is labelled as unwanted: half of a pair, and nothing to learn")]


# What is said, and what wins


def test_the_user_says_which_tool_it_was_or_that_it_was_none(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"messages": [USER, SAYS], "text": "Rivers flow."})
    assert taken(file)[0] == "TRL"
    assert taken(file, named="openai-ft")[:2] == ("OpenAI fine-tuning", [EXCHANGE])
    assert taken(file, named="datatrove")[:2] == ("datatrove", [Document(text="Rivers flow.")])
    assert taken(file, Document, named=PLAIN)[:2] == ("", [Document(text="Rivers flow.")])


def test_columns_that_the_user_maps_or_another_shape_are_read_without_a_bridge(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"instruction": "Add.", "input": "1 and 2", "output": "3", "text": "…"})
    source = open_source(str(file))
    mapped = reading(source, PromptCompletion, {"prompt": "instruction", "completion": "output"})
    assert [row.row for batch in mapped.batches() for row in batch] == [PromptCompletion(prompt="Add.", completion="3")]  # type: ignore[union-attr]
    assert (mapped.told, mapped.left_out) == ("", ["input", "text"])
    assert taken(file, Document)[:2] == ("", [Document(text="…")])
    with pytest.raises(Refusal, match="Document was asked for, and --from alpaca makes PromptCompletion or Dialogue"):
        taken(file, Document, named="alpaca")
    with pytest.raises(Refusal, match="--map names columns, and --from alpaca"):
        reading(open_source(str(file), named="alpaca"), PromptCompletion, {"prompt": "instruction"})


def test_a_tool_that_it_cannot_be_of_is_refused(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"text": "Rivers flow."})
    with pytest.raises(Refusal, match=r"a\.jsonl: its columns are none of ShareGPT .*; it has: text"):
        taken(file, named="sharegpt")
    with pytest.raises(Refusal, match="is none of Hugging Face, such a folder is wanted"):
        taken(file, named="hf")
    with pytest.raises(Refusal, match="did you mean: sharegpt"):
        taken(file, named="sharegtp")
    with pytest.raises(Refusal, match=r"--split test: .* is no folder that says which splits it has"):
        taken(file, split="test")


def test_every_bridge_says_what_it_is() -> None:
    wanted = {
        *("alpaca", "axolotl", "data-designer", "data-juicer", "datatrove", "distilabel", "everspring", "hf"),
        *("llama-factory", "openai-ft", "sharegpt", "trl"),
    }
    assert set(load_bridges()) == wanted
    assert all(each.summary and each.title for each in load_bridges().values())
    assert find_bridge("data-juicer").reads


# Folders


def test_a_data_set_that_datasets_saved_is_read_with_its_columns_known(tmp_path: Path) -> None:
    from datasets import Dataset

    rows = [{"conversations": [HUMAN, GPT], "id": str(n)} for n in range(7)]
    Dataset.from_list(rows).save_to_disk(str(tmp_path / "saved"), num_shards=2)
    told, good, bad, left = taken(tmp_path / "saved")
    assert (told, good, bad, left) == ("Hugging Face, ShareGPT", [EXCHANGE] * 7, [], ["id"])
    (file, *_) = sorted((tmp_path / "saved").glob("*.arrow"))
    assert len(taken(file)[1]) == 4


def test_one_of_several_splits_is_chosen_by_name(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    whole = DatasetDict({name: Dataset.from_dict({"prompt": [f"{name}?"]}) for name in ("train", "test")})
    whole.save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(
        Refusal, match=r"it holds several splits \(train, test\), one is wanted; choose with --split NAME"
    ):
        taken(tmp_path / "saved")
    with pytest.raises(Refusal, match="split 'tst': unknown; did you mean: test"):
        taken(tmp_path / "saved", split="tst")
    assert taken(tmp_path / "saved", split="test")[:2] == ("Hugging Face", [Prompt(prompt="test?")])
    assert open_source(str(tmp_path / "saved"), split="test").table.origin == "saved (test)"
    assert taken(tmp_path / "saved", split="all")[1] == [Prompt(prompt="train?"), Prompt(prompt="test?")]


def test_rows_that_stand_in_another_order_than_in_the_files_are_refused(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_dict({"prompt": ["a"]}).save_to_disk(str(tmp_path / "saved"))
    state = json.loads((tmp_path / "saved/state.json").read_text())
    (tmp_path / "saved/state.json").write_text(json.dumps({**state, "_indices_data_files": [{"filename": "i.arrow"}]}))
    with pytest.raises(Refusal, match="its rows stand in another order than in its files"):
        taken(tmp_path / "saved")


def test_a_folder_of_the_hub_has_the_splits_that_its_card_names(tmp_path: Path) -> None:
    for name in ("data/train-00000-of-00002", "data/train-00001-of-00002", "extra/only-00000-of-00001"):
        file = tmp_path / f"{name}.parquet"
        file.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"prompt": [name]}), file)
    card = (
        "---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n"
    )
    (tmp_path / "README.md").write_text(f"{card}---\n# A card\n")
    assert [row.prompt[:6] for row in taken(tmp_path)[1] if isinstance(row, Prompt)] == ["data/t", "data/t"]
    more = "- config_name: extra\n  data_files: extra/*.parquet\n"
    (tmp_path / "README.md").write_text(f"{card}{more}---\n# A card\n")
    with pytest.raises(Refusal, match=r"several splits \(default, extra\)"):
        taken(tmp_path)
    assert len(taken(tmp_path, split="extra")[1]) == 1


def test_a_folder_of_the_hub_without_a_card_has_the_splits_that_its_files_are_named_by(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(pa.table({"prompt": [split]}), tmp_path / f"data/{split}-00000-of-00001.parquet")
    assert taken(tmp_path, split="test")[:2] == ("Hugging Face", [Prompt(prompt="test")])


def test_a_folder_that_no_tool_laid_out_is_read_as_before(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lines(tmp_path / f"data/{name}.jsonl", {"prompt": name})
    assert taken(tmp_path)[:2] == ("", [Prompt(prompt="a"), Prompt(prompt="b")])
    lines(tmp_path / "shards/00000.jsonl.gz", {"text": "Rivers flow.", "id": "0", "metadata": {"a": 1}})
    assert taken(tmp_path / "shards")[:2] == ("datatrove", [Document(text="Rivers flow.")])


def test_a_distiset_is_read_leaf_by_leaf(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    made = Dataset.from_list(
        [{"instruction": "What is rain?", "generation": "Water that falls.", "distilabel_metadata": {"raw": "x"}}]
    )
    made.save_to_disk(str(tmp_path / "distiset/default"))
    (tmp_path / "distiset/distiset_configs").mkdir()
    (tmp_path / "distiset/distiset_configs/pipeline.yaml").write_text("pipeline: {}\n")
    assert taken(tmp_path / "distiset") == ("distilabel", [PAIR], [], ["distilabel_metadata"])
    DatasetDict({"train": made, "test": made}).save_to_disk(str(tmp_path / "distiset/judged"))
    with pytest.raises(Refusal, match=r"several splits \(default, judged/train, judged/test\)"):
        taken(tmp_path / "distiset")
    assert taken(tmp_path / "distiset", split="judged/test")[1] == [PAIR]


def test_what_data_designer_made_is_read_batch_by_batch(tmp_path: Path) -> None:
    made = tmp_path / "artifacts/dataset"
    (made / "parquet-files").mkdir(parents=True)
    (made / "tmp-partial-parquet-files").mkdir()
    (made / "metadata.json").write_text('{"target_num_records": 2}')
    for number in range(2):
        rows = pa.table({"prompt": [f"p{number}"], "completion": ["c"], "customer": [{"age": 3}]})
        pq.write_table(rows, made / f"parquet-files/batch_0000{number}.parquet")
    wanted = [PromptCompletion(prompt=f"p{number}", completion="c") for number in range(2)]
    assert taken(made) == ("Data Designer", wanted, [], ["customer"])
    assert taken(tmp_path / "artifacts") == ("Data Designer", wanted, [], ["customer"])
    lines(made / "processors-files/chat/batch_00000.jsonl", {"messages": [USER, SAYS]})
    assert taken(made, split="chat")[:2] == ("Data Designer, TRL", [EXCHANGE])


def test_llama_factory_s_data_sets_are_told_by_its_list(tmp_path: Path) -> None:
    lines(tmp_path / "one.jsonl", {"conversations": [HUMAN, GPT]})
    lines(tmp_path / "two.json", {"instruction": "What is rain?", "output": "Water that falls."})
    info = {"one": {"file_name": "one.jsonl"}, "two": {"file_name": "two.json"}, "hub": {"hf_hub_url": "x/y"}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    assert taken(tmp_path, split="two")[:2] == ("LLaMA-Factory, Alpaca", [PAIR])
    assert taken(tmp_path, split="one")[:2] == ("LLaMA-Factory, ShareGPT", [EXCHANGE])
