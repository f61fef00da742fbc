import pytest

from catalog.records import Document, Prompt
from tasks.ledger import Ledger, keep
from tasks.llm.embedder import Embedder, offline
from tasks.operators.retrieve import Found, retrieve

YEAST = Document(text="Bread rises because yeast makes gas.")
SEA = Document(text="The moon pulls at the sea, and the sea rises and falls.")
BOATS = Document(text="Boats lie in the harbour.")
POOL = [BOATS, SEA, YEAST]


def look(
    asked: str, pool: list[Document] = POOL, *, k: int = 5, embedder: Embedder | None = None, least: float = 0.0
) -> list[Found[Document]]:
    prompt = Prompt(prompt=asked)
    pairs = retrieve([prompt], pool, lambda p: p.prompt, lambda d: d.text, k=k, embedder=embedder, least=least)
    return [found for row, every in pairs for found in every if row is prompt]


def test_the_best_of_what_shares_a_word_by_its_stem_comes_first() -> None:
    found = look("How do breads rise?")
    assert [each.row for each in found] == [YEAST, SEA]
    assert found[0].score > found[1].score > 0


def test_at_most_k_are_found() -> None:
    assert [each.row for each in look("bread rises", k=1)] == [YEAST]


def test_with_an_embedder_meaning_is_compared_rather_than_words() -> None:
    assert look("baking a loaf") == []
    assert look("baking a loaf", k=1, embedder=offline())[0].row == YEAST


def test_a_row_that_does_not_fit_is_passed_over() -> None:
    others = retrieve(POOL, POOL, lambda d: d.text, lambda d: d.text, fits=lambda row, found: row is not found)
    assert {(row.text, every[0].row.text) for row, every in others} == {(SEA.text, YEAST.text), (YEAST.text, SEA.text)}


def test_a_row_for_which_nothing_is_found_is_dropped_with_what_it_asked() -> None:
    with keep(Ledger()) as ledger:
        assert look("quantum") == []
    assert [(drop.reason, drop.evidence) for drop in ledger.drops] == [("nothing near it was found", "quantum")]


def test_what_is_not_above_the_least_score_is_not_found() -> None:
    best = look("bread")[0].score
    assert look("bread", least=best - 0.01)
    assert not look("bread", least=best + 0.01)


@pytest.mark.parametrize("pool", [[], [Document(text="")], [Document(text="of the")]])
def test_a_pool_that_says_nothing_has_nothing(pool: list[Document]) -> None:
    assert look("bread", pool) == []


def test_of_equal_scores_the_first_of_the_pool_comes_first() -> None:
    twins = [Document(text="bread and salt", title=title) for title in ("first", "second")]
    assert [each.row.title for each in look("bread", [BOATS, *twins])] == ["first", "second"]
