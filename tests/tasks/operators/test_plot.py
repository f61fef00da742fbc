from catalog.sources.basic_words import Word
from tasks.operators.plot import plot

WORDS = [
    Word(word=word, part=part, age=2)
    for part, words in {"noun": "cat dog", "verb": "run nap", "adjective": "big red"}.items()
    for word in words.split()
]


def test_a_plan_has_a_word_of_each_kind_and_is_made_of_these() -> None:
    plans = plot(WORDS, 40)
    assert len(plans) == 40
    assert {(plan.noun, plan.verb, plan.adjective) for plan in plans} == {
        (noun, verb, adjective) for noun in ("cat", "dog") for verb in ("run", "nap") for adjective in ("big", "red")
    }
    assert plans[0].parents == tuple(
        word.record_id
        for name in (plans[0].noun, plans[0].verb, plans[0].adjective)
        for word in WORDS
        if word.word == name
    )
    assert plot(WORDS, 5, seed=1) != plot(WORDS, 5, seed=2)


def test_each_feature_joins_by_chance() -> None:
    plans = plot(WORDS, 200, features=("plot twist", "conflict"), chance=0.25)
    assert 30 < sum("conflict" in plan.features for plan in plans) < 70
    assert {plan.features for plan in plans} == {(), ("plot twist",), ("conflict",), ("plot twist", "conflict")}
    assert plot(WORDS, 1, features=("conflict",), chance=0)[0].features == ()
