"""`chunk` and `snippet`: cut sources into the pieces that methods work on (operators.md 9)."""

import re
from collections.abc import Iterator

from catalog.records import Code, Document
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.sample import dice

_TOKEN = re.compile(r"[A-Za-z]{1,8}|[^\sA-Za-z]")
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"')\]\u201d\u2019]))\s+(?=[\"'(\[\u201c\u2018*]*[A-Z0-9])")
_HEADING = re.compile(r"[A-Z#][^\n]{0,79}[^\s.,;:!?]")


@operator
def chunk(rows: Rows[Document], max_tokens: int = 300, min_tokens: int = 20) -> list[Document]:
    """The documents in pieces of at most `max_tokens`, cut between paragraphs, else sentences, else words.

    Blank documents, and pieces that are under `min_tokens` or repeat, are dropped. `count_tokens` estimates tokens.
    """
    chunks: list[Document] = []
    for row in rows:
        if not row.text.strip():
            drop(row, "the document is blank")
        seen: set[str] = set()
        for piece in _pack(row.text, max_tokens):
            made = Document(text=piece, title=row.title, origin=(row,))
            if (size := count_tokens(piece)) < min_tokens:
                drop(made, f"the piece is shorter than {min_tokens} tokens", f"{size} tokens")
            elif piece in seen:
                drop(made, "the piece repeats another of its document")
            else:
                seen.add(piece)
                chunks.append(made)
    return chunks


@operator
def snippet(rows: Rows[Code], min_lines: int = 1, max_lines: int = 15, *, seed: int = 0) -> list[Code]:
    """From each source, one random run of `min_lines` to `max_lines` consecutive lines.

    The length is drawn first, then the place. Runs without a letter, and sources with too few lines, are dropped.
    """
    snippets: list[Code] = []
    for row in rows:
        lines = row.code.rstrip().split("\n")
        if len(lines) < min_lines:
            drop(row, f"the source has fewer than {min_lines} lines")
            continue
        draw = dice(seed, row.record_id)
        length = draw.randint(min_lines, min(max_lines, len(lines)))
        start = draw.randrange(len(lines) - length + 1)
        made = Code(code="\n".join(lines[start : start + length]), name=row.name, language=row.language, origin=(row,))
        if re.search(r"[^\W\d_]", made.code):
            snippets.append(made)
        else:
            drop(made, "the run of lines has no code in it")
    return snippets


def count_tokens(text: str) -> int:
    """About how many tokens a model makes of a text, without its tokenizer.

    Runs of up to eight letters and single other characters: within 20 % of SmolLM2's count on English technical prose,
    mostly above it.
    """
    return len(_TOKEN.findall(text))


def sentences(text: str) -> list[str]:
    """The sentences of a text, by punctuation; a blank line also ends one."""
    return [
        sentence
        for paragraph in re.split(r"\n\s*\n", text)
        for part in _SENTENCE_END.split(paragraph)
        if (sentence := " ".join(part.split()))
    ]


def whole(paragraph: str) -> str:
    """A paragraph without a sentence at its end that was cut."""
    return " ".join(sentence for sentence in sentences(paragraph) if sentence.rstrip("\"'”’")[-1:] in ".!?")


def _pack(text: str, limit: int) -> Iterator[str]:
    """Greedy: the running piece takes in the next part while it fits."""
    piece, size = "", 0
    for glue, part in _parts(text, limit):
        length = count_tokens(part)
        if piece and size + length > limit:
            yield piece
            piece, size = "", 0
        piece, size = (piece + glue + part if piece else part), size + length
    if piece:
        yield piece


def _parts(text: str, limit: int) -> Iterator[tuple[str, str]]:
    """The parts to pack, none over the limit, each with what joins it to the one before."""
    heading = ""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        whole = heading + paragraph.strip("\n").rstrip()
        heading = ""
        if not whole:
            continue
        if count_tokens(whole) > limit:
            glue = "\n\n"
            for sentence in _SENTENCE_END.split(whole):
                for part in _cut(sentence, limit):
                    yield glue, part
                    glue = " "
        elif _HEADING.fullmatch(whole):
            heading = whole + "\n\n"  # stays with what it heads
        else:
            yield "\n\n", whole
    if heading:
        yield "\n\n", heading.rstrip()


def _cut(sentence: str, limit: int) -> Iterator[str]:
    """The sentence whole, or in runs of words, or the words themselves in runs of characters."""
    if count_tokens(sentence) <= limit:
        yield sentence
        return
    run = ""
    for word in re.findall(r"\s*\S+", sentence):
        if run and count_tokens(run + word) > limit:
            yield run.strip()
            run = ""
        run += word
        while count_tokens(run) > limit:
            yield run[:limit].strip()
            run = run[limit:]
    if run.strip():
        yield run.strip()
