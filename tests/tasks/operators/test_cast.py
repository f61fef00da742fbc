from catalog.sources.basic_words import Word
from tasks.operators.cast import Slot, cast

WORDS = [Word(word=f"word{age}{number}", part="noun", age=age) for age in (2, 9) for number in range(4)]


def choices(slot: Slot, age: int) -> list[str]:
    return [f"{slot} {number} at {age}" for number in range(2)]


def test_a_scene_is_drawn_for_each_age_from_what_there_is_at_that_age() -> None:
    scenes = cast(WORDS, [2] * 30 + [9] * 30, choices)
    assert [scene.age for scene in scenes] == [2] * 30 + [9] * 30
    assert {scene.partner for scene in scenes[30:]} == {"partners 0 at 9", "partners 1 at 9"}
    assert {(scene.kind, scene.setting) for scene in scenes[:30]} == {
        (f"kinds {kind} at 2", f"settings {setting} at 2") for kind in range(2) for setting in range(2)
    }
    assert {scene.turns for scene in scenes} == {5, 10}


def test_a_child_is_given_words_that_it_knows() -> None:
    scenes = cast(WORDS, [2, 9, 9, 9], choices, count=2)
    known = {word.word: word for word in WORDS}
    assert all(known[word].age == 2 for word in scenes[0].words)
    assert any(known[word].age == 9 for scene in scenes[1:] for word in scene.words)
    assert [len(set(scene.words)) for scene in scenes] == [2] * 4
    assert all(scene.parents == tuple(known[word].record_id for word in scene.words) for scene in scenes)
    assert cast(WORDS, [9] * 5, choices, seed=1) != cast(WORDS, [9] * 5, choices, seed=2)
