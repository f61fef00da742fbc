"""`list_and_pick`: a model lists many options, one of them is drawn (operators.md 2, list-then-pick mode)."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, create_model

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, generate
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)


@operator
def list_and_pick(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    options: int = 40,
    shots: Sequence[tuple[str, Sequence[str]]] = (),
    by: Literal["dice", "model"] = "dice",
    longest: int = 40,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, item) pairs: for each row the model lists `options` items, and one of the distinct ones is drawn.

    Args:
        llm: the model.
        rows: what to list for.
        prompt: asks for the items, in JSON as "options"; for a pick by the model also for one of them as "picked".
        options: how many items.
        shots: (prompt, items) pairs that show how, as earlier turns.
        by: `dice` draws each with the same chance; the `model` picks, and a pick that is not on the list is dropped.
        longest: characters of an item.
        temperature: of the sampling.
        seed: of the sampling and of the dice.
    """
    item = Annotated[str, Field(min_length=2, max_length=longest)]
    items: Any = Annotated[list[item], Field(min_length=options, max_length=options)]
    picked: dict[str, Any] = {"picked": (item, ...)} if by == "model" else {}
    wanted: Any = create_model("Listed", options=(items, ...), **picked)
    turns = [
        (asked, json.dumps({"options": list(its)} | dict.fromkeys(picked, next(iter(its), "")))) for asked, its in shots
    ]
    most = (options + 1) * (longest // 3 + 4)  # a token is three characters or more, in English
    answers: list[tuple[R, Answer[Any]]] = generate(
        llm, rows, prompt, turns=turns, schema=wanted, temperature=temperature, max_tokens=most, seed=seed
    )
    pairs: list[tuple[R, Answer[str]]] = []
    for row, answer in answers:
        distinct = list(dict.fromkeys(text for each in answer.value.options if (text := each.strip(" .,;:*-"))))
        chosen = answer.value.picked.strip(" .,;:*-") if by == "model" else ""
        if not distinct:
            drop(row, "the list is empty")
        elif by == "model" and chosen not in distinct:
            drop(row, "the pick is not on the list", chosen)
        else:
            pairs.append((row, Answer(chosen or dice(seed, "item", row.record_id).choice(distinct), answer.call)))
    return pairs
