import pytest

from catalog.records import Code, Document
from tasks.ledger import Ledger, keep
from tasks.operators.extract import chunk, count_tokens, sentences, snippet, whole

LONG = "\n\n".join(f"Paragraph {i} says one thing. Then it says another, with a few more words." for i in range(20))


def test_no_chunk_is_longer_than_the_limit_and_no_word_is_lost() -> None:
    chunks = chunk([Document(text=LONG)], max_tokens=50, min_tokens=1)
    assert max(count_tokens(c.text) for c in chunks) <= 50
    assert " ".join(c.text for c in chunks).split() == LONG.split()


def test_chunks_end_between_paragraphs_where_they_fit() -> None:
    text = "One two three four.\n\nFive six seven eight.\n\nNine ten."
    assert [c.text for c in chunk([Document(text=text)], max_tokens=10, min_tokens=1)] == [
        "One two three four.\n\nFive six seven eight.",
        "Nine ten.",
    ]


def test_a_paragraph_over_the_limit_is_cut_between_its_sentences() -> None:
    text = "One two three. Four five six. Seven eight nine."
    assert [c.text for c in chunk([Document(text=text)], max_tokens=8, min_tokens=1)] == [
        "One two three. Four five six.",
        "Seven eight nine.",
    ]


@pytest.mark.parametrize("text", [" ".join(f"w{i}" for i in range(99)), "x" * 401, "é" * 103, "日本語" * 51])
def test_text_without_sentences_is_cut_all_the_same(text: str) -> None:
    chunks = chunk([Document(text=text)], max_tokens=10, min_tokens=1)
    assert len(chunks) > 1
    assert max(count_tokens(c.text) for c in chunks) <= 10


def test_a_heading_stays_with_what_it_heads() -> None:
    text = "One two three four five.\n\nThe heading\n\nSix seven eight nine."
    assert [c.text for c in chunk([Document(text=text)], max_tokens=8, min_tokens=1)] == [
        "One two three four five.",
        "The heading\n\nSix seven eight nine.",
    ]


def test_a_chunk_knows_its_document_and_keeps_its_title() -> None:
    document = Document(text=LONG, title="Things")
    for made in chunk([document], max_tokens=50):
        assert made.parents == (document.record_id,)
        assert made.title == "Things"


def test_blank_documents_short_pieces_and_repeated_pieces_are_dropped_with_the_reason() -> None:
    with keep(Ledger()) as ledger:
        made = chunk(
            [Document(text=" \n"), Document(text="Too short."), Document(text="Twice the same text.\n\n" * 2)],
            max_tokens=6,
            min_tokens=5,
        )
    assert [c.text for c in made] == ["Twice the same text."]
    assert [d.reason for d in ledger.drops] == [
        "the document is blank",
        "the piece is shorter than 5 tokens",
        "the piece repeats another of its document",
    ]


def test_sentences_end_at_punctuation_but_not_inside_numbers_or_names() -> None:
    assert sentences("It is 3.14 today. Is it? Yes.\n\nA new one") == [
        "It is 3.14 today.",
        "Is it?",
        "Yes.",
        "A new one",
    ]


SOURCE = Code(code="\n".join(f"line_{i} = {i}" for i in range(40)), name="module.function")


def test_a_paragraph_without_its_cut_end_has_whole_sentences() -> None:
    assert whole('It was cold. "Come in!" said Tom. Then the') == 'It was cold. "Come in!" said Tom.'
    assert whole("It ran to a") == ""


def test_a_snippet_is_a_run_of_1_to_15_consecutive_lines_of_its_source() -> None:
    lengths: set[int] = set()
    for seed in range(200):
        (made,) = snippet([SOURCE], seed=seed)
        assert made.code in SOURCE.code
        assert made.parents == (SOURCE.record_id,)
        lengths.add(len(made.code.split("\n")))
    assert lengths == set(range(1, 16))


def test_the_snippet_depends_on_the_seed_and_not_on_the_other_rows() -> None:
    other = Code(code="a = 1\nb = 2")
    assert snippet([SOURCE], seed=3) == snippet([other, SOURCE], seed=3)[1:]
    assert len({snippet([SOURCE], seed=seed)[0].code for seed in range(20)}) > 10


def test_sources_with_too_few_lines_and_runs_without_code_are_dropped() -> None:
    with keep(Ledger()) as ledger:
        assert snippet([Code(code="a = 1"), Code(code=")\n)\n)\n)")], min_lines=2) == []
    assert [d.reason for d in ledger.drops] == [
        "the source has fewer than 2 lines",
        "the run of lines has no code in it",
    ]
