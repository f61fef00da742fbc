import pytest

from catalog.records import PromptCompletion
from tasks.operators.score import score, stems, support

SOURCE = (
    "Lighthouses warn ships of rocks. Before electricity, keepers burned wood or coal and tended the flame all night. "
    "Today most lights are automatic. Augustin Fresnel built a better lens in 1823. The old lamps were not bright."
)


@pytest.mark.parametrize(
    "claim",
    [
        "Keepers burned wood or coal before electricity.",
        "A lighthouse warns ships of rocks. Most of the lights are automatic today.",
        "Fresnel built the better lens in 1823.",
    ],
)
def test_what_the_source_says_is_supported(claim: str) -> None:
    assert support(claim, SOURCE) >= 0.8


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("Keepers burned wood or coal before 1750.", "a number that the source lacks"),
        ("Thomas Edison built a better lens.", "a name that the source lacks"),
        ("The painter sold her garden to a circus.", "words that the source lacks"),
        ("", "nothing is said"),
        ("It is so.", "nothing is said of anything"),
    ],
)
def test_what_the_source_does_not_say_is_not_supported(claim: str, why: str) -> None:
    assert support(claim, SOURCE) < 0.5, why


def test_a_claim_with_the_opposite_polarity_is_worth_half() -> None:
    assert support("The old lamps were bright.", SOURCE) == pytest.approx(0.5)
    assert support("The old lamps were not bright.", SOURCE) == pytest.approx(1.0)


def test_words_from_far_apart_are_worth_less_than_words_that_stand_together() -> None:
    assert support("Ships burned the better lens.", SOURCE) < support("Keepers burned the better wood.", SOURCE)


def test_one_invented_sentence_lowers_the_support_of_the_rest() -> None:
    true = "Keepers burned wood or coal."
    assert support(f"{true} Pirates stole every second lamp in Norway.", SOURCE) < support(true, SOURCE) / 1.5


def test_stems_join_the_forms_of_a_word_and_leave_out_function_words() -> None:
    assert stems("The keeper burned it") & stems("Keepers are burning") == stems("keeper burn")
    assert stems("the of and it") == set()


def test_score_pairs_each_row_with_its_support() -> None:
    rows = [PromptCompletion(prompt=SOURCE, completion=text) for text in ("Keepers burned wood.", "Cats like 12 fish.")]
    scored = score(rows, claim=lambda row: row.completion, source=lambda row: row.prompt)
    assert [(row, value > 0.5) for row, value in scored] == [(rows[0], True), (rows[1], False)]
