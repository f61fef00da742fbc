"""What expectations say of themselves, and which of them stand for every table."""

from dataclasses import dataclass

import pytest

from catalog.records import Labelled, Message, Preference, Problem, PromptCompletion, Record
from quality.expectations import (
    Figure,
    between,
    measured,
    not_blank,
    promises,
    rejected_share,
    stable_length,
    stable_mean,
    stable_share,
    standing,
    varied,
)


@dataclass(frozen=True, kw_only=True)
class Rated(Record):
    messages: tuple[Message, ...]
    score: float
    note: str = ""


def named(shape: type[Record]) -> set[str]:
    return {expectation.name for expectation in standing(shape)}


def test_every_table_has_rows_with_an_id_each() -> None:
    assert {"rows_at_least(1)", "unique(record_id)", "not_blank(record_id)"} <= named(Rated)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (PromptCompletion, {"not_blank(prompt)", "not_blank(completion)", "mostly(differ(prompt, completion), 0.9)"}),
        (Preference, {"not_blank(chosen)", "not_blank(rejected)", "differ(chosen, rejected)"}),
        (Labelled, {"not_blank(text)", "not_blank(label)", "varied(text, 0.9)"}),
        (Rated, {"length_between(messages, 3, None)", "present(score)"}),
    ],
)
def test_what_stands_for_a_shape(shape: type[Record], expected: set[str]) -> None:
    assert expected <= named(shape)


@pytest.mark.parametrize("name", ["not_blank(solution)", "varied(answer, 0.9)", "not_blank(topic)"])
def test_optional_columns_and_short_answers_are_left_alone(name: str) -> None:
    assert name not in named(Problem)


def test_prompts_of_one_template_are_a_warning_only() -> None:
    severities = {each.name: each.severity for each in standing(PromptCompletion)}
    assert (severities["varied(prompt, 0.9)"], severities["varied(completion, 0.9)"]) == ("warn", "block")


def test_a_method_s_own_promise_takes_the_place_of_the_standing_one() -> None:
    own = varied("completion", 1.0)
    found = [each for each in promises(PromptCompletion, [own]) if each.name.startswith("varied(completion")]
    assert found == [own]


def test_a_promise_made_twice_is_kept_once() -> None:
    names = [each.name for each in promises(PromptCompletion, [not_blank("completion")])]
    assert names.count("not_blank(completion)") == 1


def test_a_share_of_rejected_rows_is_a_figure_by_the_screen_s_name() -> None:
    assert rejected_share("pii", 0.1).figure == measured("rejected.pii", None, 0.1).figure


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure(of="rows", within=1.0), (50, 200)),
        (Figure(of="length", within=0.25), (80, 125)),
        (Figure(of="mean", within=0.25), (75, 125)),
        (Figure(of="share", within=0.25), (99.75, 100.25)),
    ],
)
def test_how_far_a_figure_may_move(figure: Figure, expected: tuple[float, float]) -> None:
    assert figure.bounds(100) == expected


def test_a_negative_mean_may_move_both_ways() -> None:
    assert Figure(of="mean", within=0.5).bounds(-2) == (-3, -1)


def test_drift_is_that_of_the_new_rows() -> None:
    assert all(each.of_new_rows for each in (stable_mean("a"), stable_length("a"), stable_share("a", [1]), varied("a")))


def test_mostly_is_said_in_the_name() -> None:
    found = between("score", 0, 1).mostly(0.9)
    assert (found.name, found.arguments["mostly"]) == ("mostly(between(score, 0, 1), 0.9)", 0.9)
