import pytest
from scripted import BindLLM

from catalog.records import Document
from tasks.llm.embedder import offline
from tasks.operators.persona import Person, distinct_persons, persons, read_person

PAGE = Document(text="Tides are highest at new moon.")
FISHER = "A fisher who reads the tide table before breakfast."


def test_of_an_answer_the_sentence_that_says_who_it_is_is_taken(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda *_: f"Here is a person: {FISHER} Many people fish.")
    (person,) = persons(llm, [PAGE], "Who reads this? {text}", round=2)
    assert (person.persona, person.round) == (FISHER, 2)
    assert person.origin[0] is PAGE


def test_what_is_no_person_is_asked_for_again(scripted_llm: BindLLM) -> None:
    said = iter(["A table of tides for this year.", FISHER])
    (person,) = persons(scripted_llm(lambda *_: next(said)), [PAGE], "Who reads this? {text}")
    assert person.persona == FISHER
    with pytest.raises(ValueError, match="does not say who somebody is"):
        read_person("A table of tides.")


def test_persons_alike_in_words_or_meaning_are_one() -> None:
    told = [
        "A fisher in the north who watches the sea and fears the autumn storms.",
        "In the north, a fisher who fears the autumn storms and watches the sea.",
        "A fisherman in the north who keeps watching the sea, fearing the storms of autumn.",
        "A baker who sells rye bread.",
    ]
    rows = [Person(persona=each, round=0) for each in told]
    assert distinct_persons(offline(), rows) == [rows[0], rows[3]]
