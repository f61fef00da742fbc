from collections.abc import Callable
from math import log
from typing import Any

import pytest
from scripted import Reply
from scripted.weighed import weighed

from catalog.records import Prompt, Token
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.prefer import prefer
from tasks.operators.weigh import weigh, weights_of


def token(text: str, **others: float) -> Token:
    """A token with the probabilities of others in its place; `_1` is the text `1`, `_and` the text ` and`."""
    its = {name.replace("_", " "): log(p) for name, p in others.items()}
    return Token(text=text, logprob=its.get(text, log(0.5)), others=its)


def test_the_options_share_what_the_model_gave_them_and_the_rest_is_told(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: weighed({"1": 0.6, " 2": 0.15, "Neither": 0.25}))
    ((row, answer),) = weigh(llm, [Prompt(prompt="a or b?")], "{prompt}", ("1", "2"))
    assert row.prompt == "a or b?"
    assert answer.value.of == pytest.approx({"1": 0.8, "2": 0.2})
    assert answer.value.elsewhere == pytest.approx(0.25)
    assert answer.value.best == "1"
    assert answer.call


def test_a_raw_text_is_gone_on_from(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        assert body["prompt"] == "great (mood:"
        return weighed({" good": 0.9, " bad": 0.1}, chat=False)

    ((_, found),) = weigh(scripted_llm(answer), [Prompt(prompt="great")], "{prompt} (mood:", ("good", "bad"), raw=True)
    assert found.value.of == pytest.approx({"good": 0.9, "bad": 0.1})


def test_an_option_is_read_where_the_answer_states_it() -> None:
    said = (token("The", The=0.6, _1=0.4), token(" answer"), token(" is"), token(" 2", _2=0.7, _1=0.3))
    found = weights_of(said, ("1", "2"))
    assert found is not None
    assert found.of == pytest.approx({"1": 0.3, "2": 0.7})


def test_a_word_in_several_tokens_is_known_by_its_beginning_and_a_shared_beginning_is_for_neither() -> None:
    found = weights_of(
        (token(" pos", _pos=0.5, _neg=0.2, _p=0.2), token("itive")), ("positive", "negative", "politics")
    )
    assert found is not None
    assert found.of == pytest.approx({"positive": 5 / 7, "negative": 2 / 7, "politics": 0})
    assert found.elsewhere == pytest.approx(0.3)


def test_one_option_is_not_read_in_the_middle_of_another_or_of_a_word() -> None:
    found = weights_of((token("10", **{"10": 0.9, "1": 0.1}),), ("1", "10"))
    assert found is not None
    assert found.best == "10"
    assert weights_of((token("b", b=0.9), token("1", **{"1": 1.0}), token("7")), ("1",)) is not None
    assert weights_of((token("x", x=1.0), token("17", **{"17": 1.0})), ("1", "2")) is None


def test_an_answer_that_is_none_of_the_options_is_read_by_what_it_might_have_been() -> None:
    found = weights_of((token("Well", Well=0.9, _1=0.06, _2=0.04),), ("1", "2"))
    assert found is not None
    assert found.of == pytest.approx({"1": 0.6, "2": 0.4})


def test_a_row_without_any_of_the_options_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: weighed({"Both": 0.9, "None": 0.1}))
    with keep(Ledger()) as ledger:
        assert weigh(llm, [Prompt(prompt="a")], "{prompt}", ("1", "2")) == []
    assert [(drop.reason, drop.evidence) for drop in ledger.drops] == [("the answer is none of the options", "Both")]


def test_a_preference_is_the_mean_of_both_orders_and_a_verdict_that_turns_is_none(
    scripted_llm: Callable[..., LLM],
) -> None:
    def judge(prompt: str, body: dict[str, Any]) -> Reply:
        if "dull" in prompt:  # likes whatever stands first
            return weighed({"1": 0.9, "2": 0.1})
        first = 0.9 if prompt.startswith("good") else 0.3
        return weighed({"1": first, "2": 1 - first})

    rows = [Prompt(prompt="good bad"), Prompt(prompt="dull dim")]
    with keep(Ledger()) as ledger:
        ((row, p, heard),) = prefer(
            scripted_llm(judge),
            rows,
            lambda row, one, two: f"{one} or {two}?",
            lambda row: (row.prompt.split()[0], row.prompt.split()[1]),
        )
    assert (row, len(heard)) == (rows[0], 2)
    assert p == pytest.approx((0.9 + 0.7) / 2)
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [(rows[1], "the verdict turns with the order")]
