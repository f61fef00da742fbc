"""Templates: what rows have in common is found, slots and all."""

from quality.measures import Sample
from quality.measures.templates import template_rate, templates
from quality.texts import words


def rows(share: float) -> list[str]:
    filled = round(100 * share)
    return [
        *(f"Write a poem about item{n} in the style of person{n} now" for n in range(filled)),
        *(f"row{n} has{n} other{n} words{n} only{n} in{n} it{n}" for n in range(100 - filled)),
    ]


def test_rows_that_fill_one_template_are_counted() -> None:
    assert template_rate([words(text) for text in rows(0.3)]) == 0.3


def test_a_template_of_few_rows_is_not_one() -> None:
    assert template_rate([words(text) for text in rows(0.04)]) == 0


def test_the_commonest_opening_and_closing_have_their_shares() -> None:
    found = templates(Sample(texts=[*rows(0)[:75], *(f"Once upon a time w{n} the end of it" for n in range(25))]))
    assert found["top_opening_share"] == found["top_closing_share"] == 0.25


def test_fewer_than_100_rows_are_left_out() -> None:
    assert templates(Sample(texts=rows(1)[:99])) == {}
    assert templates(Sample(texts=[*rows(1)[:99], "..."])) == {}
