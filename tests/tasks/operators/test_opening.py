from collections.abc import Callable

from catalog.records import Document, Labelled
from tasks.llm import LLM
from tasks.operators.opening import opening

MILL = Document(text="The mill was built in 1894.")


def test_a_text_at_hand_stands_before_what_is_asked_about_it(scripted_llm: Callable[..., LLM]) -> None:
    (made,) = opening(scripted_llm(lambda prompt, body: "When was it built?"), [MILL], "Ask: {text}", "material")
    assert made.prompt == "The mill was built in 1894.\n\nWhen was it built?"
    assert (made.sector, made.topic) == ("material", MILL.text)


def test_a_topic_is_put_in_words_and_an_opening_is_said_again(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: f"{prompt}!")
    (first,) = opening(llm, [Labelled(text="a poem", label="creation")], "Write {text}", "creation")
    (again,) = opening(llm, [first], "{prompt} In four lines", "creation")
    assert (first.prompt, first.topic) == ("Write a poem!", "a poem")
    assert (again.prompt, again.topic) == ("Write a poem! In four lines!", "a poem")
    assert again.parents == (first.record_id,)
