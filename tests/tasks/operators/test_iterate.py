import pytest

from tasks.operators.iterate import iterate


def doubled(state: list[int], number: int) -> list[int]:
    return [*state, *([number] * number)]


def test_the_state_goes_from_round_to_round() -> None:
    assert iterate([0], doubled, rounds=3) == [0, 1, 2, 2, 3, 3, 3]


def test_it_ends_at_its_target() -> None:
    assert iterate([], doubled, rounds=9, size=len, target=3) == [1, 2, 2]
    assert iterate([7, 7, 7], doubled, rounds=9, size=len, target=3) == [7, 7, 7]


def test_it_ends_when_nothing_new_comes_for_a_while() -> None:
    rounds: list[int] = []

    def step(state: list[int], number: int) -> list[int]:
        rounds.append(number)
        return [*state, number] if number in {1, 3} else state

    assert iterate([], step, size=len, target=5, patience=2) == [1, 3]
    assert rounds == [1, 2, 3, 4, 5]


def test_it_must_have_an_end() -> None:
    with pytest.raises(ValueError, match="rounds or patience"):
        iterate(0, lambda state, _: state, target=4)
