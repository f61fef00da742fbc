import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply, schema_of

from catalog.records import Prompt
from tasks.instruction_tuning.self_instruct import ANOTHER, Shown, self_instruct, unfit
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

SEEDS = [Prompt(prompt=f"human task number {number}") for number in range(20)]
NEW = [
    "Explain why bread rises in the oven.",
    "List five rivers of northern Europe.",
    "Tell whether the message is friendly or rude.",
    "Translate my sentence into plain English words.",
    "Which of these animals can swim underwater?",
    "Describe an old harbour at sunrise.",
    "Give me advice about a noisy neighbour.",
    "Count how many vowels stand here.",
]


class Teacher:
    """Thinks of the next task each time; tasks with "whether" are classification; one instance each by default."""

    def __init__(self, instances: Callable[[str], list[dict[str, str]]] | None = None, tasks: list[str] = NEW) -> None:
        self.tasks = tasks
        self.instances = instances or (lambda task: [{"input": "", "output": f"done: {task}"}])
        self.asked: list[dict[str, Any]] = []

    def __call__(self, prompt: str, body: dict[str, Any]) -> str | Reply:
        self.asked.append(body)
        if prompt == ANOTHER:
            # By the seed, not by arrival: requests of a batch come in any order.
            return self.tasks[body["seed"] % len(self.tasks)]
        if "label" in json.dumps(schema_of(body)):
            return json.dumps({"label": "yes" if "whether" in prompt.split("\n", maxsplit=1)[0] else "no"})
        return json.dumps({"instances": self.instances(prompt.split("\n", maxsplit=1)[0].removeprefix("Task: "))})

    @property
    def shown(self) -> list[list[str]]:
        """The tasks shown in each request for a new one."""
        wanted = [body["messages"] for body in self.asked if body["messages"][-1]["content"] == ANOTHER]
        return [[turn["content"] for turn in turns if turn["role"] == "assistant"] for turns in wanted]


def test_new_tasks_are_thought_of_beside_six_human_and_two_model_made_ones(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher()
    rows = self_instruct(SEEDS, scripted_llm(teacher), rows=5, batch=2, patience=30)
    assert len({row.instruction for row in rows}) == 5
    assert {row.instruction for row in rows} <= set(NEW)
    made = [sum(task in NEW for task in shown) for shown in teacher.shown]
    assert all(len(shown) == 8 for shown in teacher.shown)
    assert (made[0], made[-1]) == (0, 2)


def test_an_instruction_near_to_one_of_the_pool_is_not_kept(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher(tasks=["human task number 99", "List five rivers of northern Europe."])
    with keep(Ledger()) as ledger:
        rows = self_instruct(SEEDS, scripted_llm(teacher), rows=2, patience=4)
    assert [row.instruction for row in rows] == ["List five rivers of northern Europe."]
    assert {drop.reason for drop in ledger.drops} == {"its ROUGE-L to another is 0.7 or more"}


def test_a_loop_that_finds_nothing_new_ends(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher(tasks=["human task number 3"])
    assert self_instruct(SEEDS, scripted_llm(teacher), rows=50, batch=2, patience=3) == []
    assert len(teacher.shown) == 6


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("Explain bread now.", "the instruction is too short"),
        ("word " * 151, "the instruction is too long"),
        ("Describe what the Picture below shows.", "a model cannot do it with text alone: picture"),
        ("Draw me a small house.", "a model cannot do it with text alone: draw"),
        ("Write a program that sorts a list.", "it asks for a program"),
        ("(Tell me of the sea)", "it starts with no letter or digit"),
        ("Explain what a paragraph is about.", ""),
    ],
)
def test_an_instruction_that_a_language_model_cannot_follow_is_left_out(instruction: str, reason: str) -> None:
    assert unfit(Prompt(prompt=instruction)) == reason


def test_classification_tasks_get_their_answers_first(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher()
    rows = self_instruct(SEEDS, scripted_llm(teacher), rows=8, patience=40)
    assert {row.instruction for row in rows if row.is_classification} == {NEW[2]}
    orders = {
        body["messages"][-1]["content"].split("\n")[0]: list(schema_of(body)["$defs"]["Instance"]["properties"])  # type: ignore[index]
        for body in teacher.asked
        if "instances" in json.dumps(schema_of(body))
    }
    assert orders[f"Task: {NEW[2]}"] == ["output", "input"]
    assert orders[f"Task: {NEW[0]}"] == ["input", "output"]


def test_the_prompt_is_the_instruction_and_its_input(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher(lambda task: [{"input": "I go.", "output": "Off I go."}, {"input": "None", "output": "Where?"}])
    with_input, without = self_instruct(SEEDS, scripted_llm(teacher), rows=1)
    assert (with_input.prompt, with_input.completion) == (f"{with_input.instruction}\n\nI go.", "Off I go.")
    assert (without.prompt, without.input) == (without.instruction, "")


@pytest.mark.parametrize(
    ("instances", "reasons"),
    [
        ([{"input": "a", "output": "b"}, {"input": "a", "output": "c"}], ["its input has another output too"] * 2),
        ([{"input": "a", "output": "a"}], ["the output repeats what was asked"]),
        ([{"input": "a", "output": "As follows:"}], ["the instance breaks off"]),
        ([{"input": "a", "output": "again and again it is " * 9}], ["the instance repeats itself"]),
        ([{"input": "a", "output": " "}], ["the output is blank"]),
    ],
)
def test_an_instance_that_teaches_nothing_is_dropped(
    scripted_llm: Callable[..., LLM], instances: list[dict[str, str]], reasons: list[str]
) -> None:
    with keep(Ledger()) as ledger:
        assert self_instruct(SEEDS, scripted_llm(Teacher(lambda task: instances)), rows=1) == []
    assert [drop.reason for drop in ledger.drops] == reasons


def test_the_same_instance_twice_is_kept_once(scripted_llm: Callable[..., LLM]) -> None:
    teacher = Teacher(lambda task: [{"input": "a", "output": "b"}] * 2)
    assert len(self_instruct(SEEDS, scripted_llm(teacher), rows=1)) == 1


def test_a_row_leads_back_to_the_human_tasks_that_were_shown(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = self_instruct(SEEDS, scripted_llm(Teacher()), rows=1)
    task = row.origin[0]
    shown = task.origin[0].origin[0]  # type: ignore[union-attr]
    assert isinstance(shown, Shown)
    assert len(set(shown.parents) & {seed.record_id for seed in SEEDS}) == 8


def test_the_same_seed_makes_the_same_rows_and_another_does_not(scripted_llm: Callable[..., LLM]) -> None:
    first, second, other = (
        [row.record_id for row in self_instruct(SEEDS, scripted_llm(Teacher()), rows=3, seed=seed, patience=20)]
        for seed in (1, 1, 2)
    )
    assert first == second
    assert set(first).isdisjoint(other)
