"""`refine`: have a text criticised by a principle and revised, round after round (operators.md 20)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from catalog.records import Answer, Record, content
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import generate, read_text
from tasks.operators.iterate import iterate
from tasks.operators.sample import dice

R = TypeVar("R", bound=Record)

About = dict[str, dict[str, Any]]
"""Of each draft, by id: what its prompts say."""
Answers = dict[str, Answer[str]]
"""Of each draft, by id: what the model answered."""


@dataclass(frozen=True, kw_only=True)
class Draft(Record):
    """A text after some rounds: what it was at first and after each, and each round's principle and critique."""

    texts: tuple[str, ...]
    principles: tuple[str, ...] = ()
    critiques: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self.texts[-1]

    @property
    def trace(self) -> tuple[str, ...]:
        """How it came about: the first text, then a critique and the next text for each round."""
        rounds = zip(self.critiques, self.texts[1:], strict=True)
        return (self.texts[0], *(said for both in rounds for said in both))


@operator
def refine(
    llm: LLM,
    rows: Rows[tuple[R, Answer[str]]],
    critique: str,
    revise: str,
    *,
    principles: Sequence[str] = ("",),
    rounds: int = 1,
    critique_turns: Sequence[tuple[str, str]] = (),
    revise_turns: Sequence[tuple[str, str]] = (),
    parse: Callable[[str], str] = read_text,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[R, Draft]]:
    """(row, draft) for each (row, answer): the answer after `rounds` rounds, with all that was said on the way.

    Args:
        llm: the model, which criticises and revises.
        rows: each row with the text to refine; a row may come with several.
        critique: what to ask for a critique, with `{field}` placeholders for the row's fields and `{text}`,
            `{principle}`.
        revise: what to ask for the next text, with `{critique}` too.
        principles: what to go by; one is drawn for each round, all with equal probability.
        rounds: how often.
        critique_turns: (asked, critique) pairs that show how, as earlier turns.
        revise_turns: (asked, next text) pairs that show how.
        parse: makes a critique, or the next text, of the model's answer; raises ValueError, saying why, to have it
            asked again.
        temperature: of the sampling.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest critique or text.
        seed: of the draws and the sampling.

    The draft's origin leads through those before it to the row and every answer.
    """

    def ask(question: str, turns: Sequence[tuple[str, str]], drafts: Rows[Draft], about: About) -> Answers:
        answers = generate(
            llm,
            drafts,
            lambda draft: question.format_map(about[draft.record_id]),
            turns=turns,
            parse=parse,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            seed=seed,
        )
        return {draft.record_id: answer for draft, answer in answers}

    def turn(state: list[tuple[R, Draft]], number: int) -> list[tuple[R, Draft]]:
        about: About = {}
        for row, draft in state:
            principle = dice(seed, "principle", number, draft.record_id).choice(principles)
            about[draft.record_id] = {**content(row), "text": draft.text, "principle": principle}
        said = ask(critique, critique_turns, [draft for _, draft in state], about)
        for record_id, answer in said.items():
            about[record_id]["critique"] = answer.value
        made = ask(revise, revise_turns, [draft for _, draft in state if draft.record_id in said], about)
        return [
            (row, _next(draft, about[draft.record_id]["principle"], said[draft.record_id], made[draft.record_id]))
            for row, draft in state
            if draft.record_id in made
        ]

    first = [(row, Draft(texts=(answer.value,), origin=(row, answer))) for row, answer in rows]
    return iterate(first, turn, rounds=rounds)


def _next(draft: Draft, principle: str, critique: Answer[str], revised: Answer[str]) -> Draft:
    return Draft(
        texts=(*draft.texts, revised.value),
        principles=(*draft.principles, principle),
        critiques=(*draft.critiques, critique.value),
        origin=(draft, critique, revised),
    )
