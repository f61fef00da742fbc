from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from catalog.records import Answer, Document
from catalog.sources import sources_of
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.extract import count_tokens, sentences
from tasks.pretraining.wrap import STYLES, Rephrased, wrap

DOCUMENTS = [
    Document(
        title=f"Town {i}",
        text=f"The town number {i} lies on a river with {i + 2} bridges. Its market opens every morning. "
        f"People sell fruit, fish and bread there, and some of them come from {i + 3} villages nearby.",
    )
    for i in range(120)
]


ASIDES = ("in fact,", "as a rule,", "in other words,", "of course,", "as it happens,", "by and large,")


@cache
def real() -> str:
    return "\n\n".join(row.text for source in sources_of("raw.documents") for row, _ in source.rows())


def good(prompt: str, body: dict[str, Any]) -> str:
    """The sentences of the text, each with an aside in the middle; as questions and answers where they are wanted."""
    told: list[str] = []
    for place, sentence in enumerate(sentences(prompt.partition("\n\n")[2])):
        words = sentence.split()
        middle = len(words) // 2
        told.append(" ".join([*words[:middle], ASIDES[place % len(ASIDES)], *words[middle:]]))
    if "questions" not in prompt:
        return " ".join(told)
    return "\n".join(f"Question: What about {' '.join(one.split()[:3])}? Answer: {one}" for one in told[::3])


def promised(row: Rephrased) -> bool:
    """Real text stands in a document, a rephrase does not, and one in questions and answers has both."""
    asks = row.style != "qa" or ("?" in row.text and "Answer:" in row.text)
    return asks and (row.text in real()) == (row.style == "real")


def _wrap(llm: LLM, seed: int = 0) -> list[Rephrased]:
    return list(wrap(DOCUMENTS, llm, seed=seed))


def test_real_chunks_stand_beside_rephrases_one_token_to_one(scripted_llm: Callable[..., LLM]) -> None:
    made = _wrap(scripted_llm(good))
    tokens = Counter[bool]()
    for row in made:
        tokens[row.style == "real"] += count_tokens(row.text)
    assert tokens[True] / tokens[False] == pytest.approx(1, rel=0.1)
    assert {row.style for row in made} == {"real", *STYLES}


def test_the_real_rows_are_the_words_of_the_documents(scripted_llm: Callable[..., LLM]) -> None:
    texts = {document.text for document in DOCUMENTS}
    for row in _wrap(scripted_llm(good)):
        assert (row.text in texts) == (row.style == "real")


def test_every_row_leads_to_its_document_and_a_rephrase_to_the_call_that_made_it(
    scripted_llm: Callable[..., LLM],
) -> None:
    for row in _wrap(scripted_llm(good)):
        chunk, *calls = row.origin
        assert isinstance(chunk, Document)
        assert chunk.parents[0] in {document.record_id for document in DOCUMENTS}
        assert [isinstance(call, Answer) for call in calls] == ([] if row.style == "real" else [True])


def test_long_documents_are_rephrased_in_chunks_of_at_most_300_tokens(scripted_llm: Callable[..., LLM]) -> None:
    seen: list[int] = []

    def answer(prompt: str, _body: object) -> str:
        seen.append(count_tokens(prompt.partition("\n\n")[2]))
        return "I cannot do that."

    wrap([Document(text="\n\n".join(document.text for document in DOCUMENTS))], scripted_llm(answer))
    assert len(set(seen)) > 1
    assert max(seen) <= 300


def test_copies_and_foreign_texts_are_dropped_and_no_real_text_stays_alone(scripted_llm: Callable[..., LLM]) -> None:
    copies = scripted_llm(lambda prompt, _body: prompt.partition("\n\n")[2])
    with keep(Ledger()) as ledger:
        assert _wrap(copies) == []
    reasons = Counter(drop.reason.partition(": ")[2] for drop in ledger.drops if ": " in drop.reason)
    assert reasons == {"a copy of its source": len(DOCUMENTS)}


def test_a_rephrase_as_questions_must_ask_and_answer(scripted_llm: Callable[..., LLM]) -> None:
    plain = scripted_llm(lambda prompt, body: good(prompt.replace("questions", ""), body))
    styles = Counter(row.style for row in _wrap(plain))
    assert styles["qa"] == 0
    assert styles["easy"] > 0


def test_the_seed_decides_the_style_of_a_chunk(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(good)
    assert _wrap(llm, seed=1) == _wrap(llm, seed=1)
    assert _wrap(llm, seed=1) != _wrap(llm, seed=2)


def test_a_chunk_can_be_rephrased_in_all_four_styles(scripted_llm: Callable[..., LLM]) -> None:
    made = wrap(DOCUMENTS[:2], scripted_llm(good), styles_each=4, synthetic_per_real=4.0)
    assert Counter(row.style for row in made if row.style != "real") == dict.fromkeys(STYLES, 2)
