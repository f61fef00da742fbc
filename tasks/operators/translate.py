"""`translate` and `code_switch`: say a text, or parts of it, in another language (operators.md 8)."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.extract import count_tokens
from tasks.operators.generate import Prompting, fill, generate
from tasks.operators.rewrite import read
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)


@operator
def translate(
    llm: LLM,
    rows: Rows[R],
    text: "Prompting[R]",
    into: str,
    *,
    out_of: str = "English",
    shots: Sequence[tuple[str, str]] = (),
    longest: float = 4.0,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[tuple[R, Answer[str]]]:
    """(row, translation) pairs for the rows whose text the model says in the language `into`.

    Args:
        llm: the model.
        rows: what to translate.
        text: what of a row is translated, with `{field}` placeholders, or a function of the row.
        into: the language, by its English name.
        out_of: the language of the texts, also "Lean" or "Python": whatever a model can read.
        shots: (text, translation) pairs that show how, as earlier turns.
        longest: greatest length of a translation, as a share of its text's tokens, with room for 32 more.
        temperature: of the sampling; 0 takes the likeliest.
        seed: of the sampling.

    A blank text, and an answer that is its text again, is dropped. Back and pivot translation are two calls of this.
    """
    full = [row for row in rows if fill(text, row).strip()]
    for row in rows:
        if not fill(text, row).strip():
            drop(row, "there is no text to translate")

    def ask(shown: str) -> str:
        return ASK.format(out_of=out_of, into=into, text=shown)

    answers = generate(
        llm,
        full,
        lambda row: ask(fill(text, row)),
        turns=[(ask(shown), said) for shown, said in shots],
        parse=read,
        temperature=temperature,
        max_tokens=32 + int(longest * max((count_tokens(fill(text, row)) for row in full), default=0)),
        seed=seed,
    )
    made: list[tuple[R, Answer[str]]] = []
    for row, answer in answers:
        if answer.value == fill(text, row).strip():
            drop(row, "the translation is the text itself", answer.value[:200])
        else:
            made.append((row, answer))
    return made


@operator
def code_switch(
    rows: Rows[R],
    parts: Callable[[R], Sequence[str]],
    dictionary: Callable[[R], Mapping[str, str]],
    *,
    ratio: Callable[[R], float],
    seed: int = 0,
) -> list[tuple[R, tuple[str, ...]]]:
    """(row, parts) pairs: each part of a row that its dictionary holds is, with the chance `ratio`, said as it says.

    A ratio of 1 says all that the dictionary holds in its language, of 0 nothing. The draws are the row's own.
    """
    pairs: list[tuple[R, tuple[str, ...]]] = []
    for row in rows:
        words, draw = dictionary(row), dice(seed, "switch", row.record_id)
        drawn = [(part, draw.random() < ratio(row)) for part in parts(row)]
        pairs.append((row, tuple(words.get(part, part) if switched else part for part, switched in drawn)))
    return pairs


ASK = "Translate this from {out_of} into {into}. Write only the translation.\n\n{text}"
