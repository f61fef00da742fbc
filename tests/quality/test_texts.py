"""The text in a row, and the words in a text."""

from catalog.records import Code, Labelled, Problem, PromptCompletion
from quality.texts import texts_in, texts_of, with_texts, words


def test_the_text_of_a_row_is_that_of_the_fields_its_shape_requires() -> None:
    assert texts_of([{"prompt": "p", "completion": "c"}], PromptCompletion) == ["p\nc"]
    assert texts_of([{"prompt": "p", "answer": "a", "topic": "sums"}], Problem) == ["p\na"]
    assert texts_of([{"code": "pass", "name": "f"}], Code) == ["pass"]


def test_a_column_can_be_left_out() -> None:
    assert texts_of([{"text": "t", "label": "l"}], Labelled, but="label") == ["t"]


def test_words_are_runs_of_letters_and_digits_in_one_case() -> None:
    assert words("Don't STOP_here, Straße\t4x2! ｎｏ") == ["don", "t", "stop", "here", "strasse", "4x2", "no"]


def test_every_text_that_is_found_can_be_replaced() -> None:
    value = ["a", {"role": "user", "content": "b"}, ["c"], {"role": "user", "content": None}, 3]
    assert list(texts_in(value)) == ["a", "b", "c"]
    assert with_texts(value, iter("xyz")) == [
        "x",
        {"role": "user", "content": "y"},
        ["z"],
        {"role": "user", "content": None},
        3,
    ]
