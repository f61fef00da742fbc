"""Bad batches, each of another kind, of which the standing expectations and the screens let none through."""

import random
from collections.abc import Callable, Sequence
from pydoc_data.topics import topics
from typing import Any

import polars as pl
import pytest

from catalog.records import Labelled, Preference, Problem, PromptCompletion, Record, required
from quality.expectations import (
    Expectation,
    between,
    length_between,
    matches,
    measured,
    one_of,
    promises,
    rejected_share,
    rows_at_least,
    stable_mean,
    stable_rows,
    stable_share,
    unique,
)
from quality.gate import audit
from quality.screening import screen

ROWS = 40
SENTENCES = [line.strip() for topic in topics.values() for line in topic.split("\n\n") if 80 < len(line) < 400]

Rows = list[dict[str, Any]]
Spoil = Callable[[Rows], Rows]


def good(seed: int) -> Rows:
    """Real sentences of Python's reference, in the columns of every shape at once."""
    drawn = random.Random(seed)
    texts = drawn.sample(SENTENCES, 5 * ROWS)
    return [
        {
            "record_id": f"{seed}-{number}",
            "prompt": texts[number],
            "completion": texts[ROWS + number],
            "chosen": texts[2 * ROWS + number],
            "rejected": texts[3 * ROWS + number],
            "text": texts[4 * ROWS + number],
            "label": drawn.choice(["spam", "ham"]),
            "answer": str(drawn.randrange(1000)),
            "solution": "",
            "topic": drawn.choice(["algebra", "geometry"]),
            "dataset": "",
            "score": drawn.uniform(1, 5),
        }
        for number in range(ROWS)
    ]


def each(**changes: Callable[[dict[str, Any]], Any]) -> Spoil:
    """Change columns of every row."""
    return lambda rows: [{**row, **{name: change(row) for name, change in changes.items()}} for row in rows]


def one(**changes: Any) -> Spoil:
    """Change columns of the tenth row only."""
    return lambda rows: [*rows[:10], {**rows[10], **changes}, *rows[11:]]


def always(value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: value


def numbered(template: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: template.format(n=row["record_id"].partition("-")[2], word=row["completion"].split()[0])


STABLE = [stable_mean("score", 0.2), stable_share("label", ["spam"], 0.2), stable_rows(0.5)]
SIMILAR = [measured("self_bleu", high=0.6), measured("distinct_2", low=0.3)]

BAD: dict[str, tuple[type[Record], Spoil, Sequence[Expectation]]] = {
    "no rows": (PromptCompletion, lambda rows: [], []),
    "too few rows": (PromptCompletion, lambda rows: rows[:3], [rows_at_least(10)]),
    "an empty completion": (PromptCompletion, one(completion=""), []),
    "a blank prompt": (PromptCompletion, one(prompt=" \n\t"), []),
    "a no-break space": (PromptCompletion, one(prompt="\u00a0"), []),
    "a wide space": (PromptCompletion, one(prompt="\u3000\u2003"), []),
    "a control character that is space": (PromptCompletion, one(prompt="\x1c"), []),
    "a missing completion": (PromptCompletion, one(completion=None), []),
    "no completion at all": (PromptCompletion, each(completion=always(None)), []),
    "all completions empty": (PromptCompletion, each(completion=always("")), []),
    "a missing id": (PromptCompletion, one(record_id=None), []),
    "a blank id": (PromptCompletion, one(record_id=" "), []),
    "one id twice": (PromptCompletion, one(record_id="0-0"), []),
    "one id for all": (PromptCompletion, each(record_id=always("x")), []),
    "a row twice": (PromptCompletion, lambda rows: [*rows, rows[0]], []),
    "a prompt twice": (PromptCompletion, lambda rows: [*rows[1:], {**rows[1], "record_id": "z"}], [unique("prompt")]),
    "the batch twice": (PromptCompletion, lambda rows: rows + rows, []),
    "a prompt in another composition": (
        PromptCompletion,
        lambda rows: [
            {**rows[0], "prompt": "caf\u00e9"},
            {**rows[0], "prompt": "cafe\u0301", "record_id": "z"},
        ],
        [],
    ),
    "numbers for text": (PromptCompletion, each(completion=always(7)), []),
    "a list for text": (PromptCompletion, each(completion=always(["a"])), []),
    "bytes for text": (PromptCompletion, each(completion=always(b"a")), []),
    "half a character": (PromptCompletion, one(completion="\ud800 and so on"), []),
    "a NUL": (PromptCompletion, one(completion="a\0b"), []),
    "a text of two mebibytes": (PromptCompletion, one(completion="word " * (1 << 19)), []),
    "a completion that is its prompt, everywhere": (PromptCompletion, each(completion=lambda row: row["prompt"]), []),
    "one completion for all": (PromptCompletion, each(completion=always("As a language model I cannot say.")), []),
    "one short completion for all": (PromptCompletion, each(completion=always("No.")), []),
    "one template with numbers": (PromptCompletion, each(completion=numbered("Step {n} of the plan is to go on")), []),
    "one template with words": (
        PromptCompletion,
        each(completion=numbered("The capital city of the land {word} is known to all")),
        [],
    ),
    "one ending": (PromptCompletion, each(completion=numbered("{word}: I hope this answer was of help!")), []),
    "one template of prompts": (PromptCompletion, each(prompt=numbered("What is the capital city of {word}?")), []),
    "completions of one word": (PromptCompletion, each(completion=lambda row: row["completion"].split()[0]), []),
    "completions ten times as long": (PromptCompletion, each(completion=lambda row: row["completion"] * 10), []),
    "completions half as long again": (PromptCompletion, each(completion=lambda row: row["completion"] * 2), []),
    "prompts cut short": (PromptCompletion, each(prompt=lambda row: row["prompt"][:12]), []),
    "too short": (PromptCompletion, one(completion="ok"), [length_between("completion", 10)]),
    "too long": (PromptCompletion, one(completion="word " * 999), [length_between("completion", 1, 2000)]),
    "no boxed answer": (PromptCompletion, each(), [matches("completion", r"The answer is: \S")]),
    "a refusal": (
        PromptCompletion,
        one(completion="I'm sorry, I can't."),
        [matches("completion", r"(?s)^(?!I'm sorry).*")],
    ),
    "chosen that is rejected": (Preference, one(chosen="the same", rejected="the same"), []),
    "chosen that is rejected, everywhere": (Preference, each(chosen=lambda row: row["rejected"]), []),
    "a blank rejected": (Preference, one(rejected=" "), []),
    "chosen all of one template": (Preference, each(chosen=numbered("Sure, here is the answer: {word}")), []),
    "rejected ten times as long": (Preference, each(rejected=lambda row: row["rejected"] * 10), []),
    "a wrong label": (Labelled, one(label="sapm"), [one_of("label", ["spam", "ham"])]),
    "a missing label": (Labelled, one(label=None), []),
    "one label for all": (Labelled, each(label=always("spam")), STABLE),
    "labels that moved": (Labelled, lambda rows: [{**row, "label": "spam"} for row in rows[:36]] + rows[36:], STABLE),
    "a score out of range": (Labelled, one(score=9.5), [between("score", 1, 5)]),
    "a score that is no number": (Labelled, one(score=float("nan")), [between("score", 1, 5)]),
    "a missing score": (Labelled, one(score=None), [between("score", 1, 5)]),
    "scores that moved": (Labelled, each(score=always(4.9)), STABLE),
    "a tenth of the rows": (Labelled, lambda rows: rows[:4], STABLE),
    "a problem without an answer": (Problem, one(answer=""), []),
    "rows alike": (PromptCompletion, each(), SIMILAR),
    "most rows contaminated": (PromptCompletion, each(), [rejected_share("contaminated", 0.5)]),
    "a figure that was not measured": (PromptCompletion, each(), [measured("vendi", low=5)]),
}
FIGURES = {"self_bleu": 0.9, "distinct_2": 0.1, "rejected.contaminated": 0.8}


def caught(shape: type[Record], rows: Rows, declared: Sequence[Expectation], figures: dict[str, float]) -> list[str]:
    """The rejections of the screens and the broken expectations; all columns stay, as in a table of a wider shape."""
    records = [shape(record_id=row["record_id"], **{name: row[name] for name in required(shape)}) for row in rows]
    rejected = screen(records, published={}, benchmarks=None).rejected
    if rejected:
        return [rejection.reason for rejection in rejected]
    frame = pl.DataFrame(rows, schema=None if rows else dict.fromkeys(good(0)[0], pl.String), strict=False)
    checks = audit(frame, promises(shape, declared), "sft.toy", previous=pl.DataFrame(good(1)), figures=figures)
    return [check.error or f"{check.expectation}: {check.observed}" for check in checks if not check.passed]


@pytest.mark.parametrize("kind", BAD)
def test_no_bad_batch_gets_through(kind: str) -> None:
    shape, spoil, declared = BAD[kind]
    assert caught(shape, spoil(good(0)), declared, FIGURES)


@pytest.mark.parametrize("shape", [PromptCompletion, Preference, Labelled, Problem])
def test_a_good_batch_gets_through(shape: type[Record]) -> None:
    figures = {"self_bleu": 0.2, "distinct_2": 0.8, "rejected.contaminated": 0.0}
    declared = [*STABLE, *SIMILAR, rejected_share("contaminated", 0.5)]
    assert caught(shape, good(2), declared, figures) == []
