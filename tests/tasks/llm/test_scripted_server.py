"""The scripted server itself: what other tests stand on."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter
from scripted import instance_of, question

from infra.settings import load_settings
from tasks.llm import open_models

TESTS = Path(__file__).parents[2]


@dataclass
class Part:
    kind: Literal["big", "small"]
    size: Annotated[int, Field(ge=3, lt=9)]


@dataclass
class Whole:
    name: Annotated[str, Field(min_length=30, max_length=40)]
    share: Annotated[float, Field(gt=0, le=1)]
    parts: Annotated[list[Part], Field(min_length=2, max_length=3)]
    note: str | None
    flag: bool


@pytest.mark.parametrize("seed", range(20))
def test_an_instance_is_valid_under_its_schema(seed: int) -> None:
    adapter = TypeAdapter(Whole)
    made = instance_of(adapter.json_schema(), seed)

    adapter.validate_python(made)
    assert made == instance_of(adapter.json_schema(), seed)


def test_as_a_program_it_answers_by_schema_and_logs_what_it_answered(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, str(TESTS / "scripted.py"), "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with open_models(load_settings(home=tmp_path, base_url=url)) as models:
            schema = TypeAdapter(Part).json_schema()
            (answer,) = models.get("generator").ask([question("a", schema=schema)], TypeAdapter(Part).validate_json)

    assert answer.value.size in range(3, 9)
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert line["prompt"] == "a"
