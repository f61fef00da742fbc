"""`couple`: two texts made of one prompt, with a principle to choose between them by (operators.md 23)."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Prompt
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.aggregate import gathered
from tasks.operators.refine import Draft
from tasks.operators.sample import dice


@dataclass(frozen=True, kw_only=True)
class Couple(Prompt):
    """Two answers in the order in which they are shown, how each came about, and the principle to choose by."""

    texts: tuple[str, ...]
    traces: tuple[tuple[str, ...], ...]
    principle: str


@operator
def couple(
    rows: Rows[Prompt], revised: Rows[tuple[Prompt, Draft]], principles: Sequence[str], *, seed: int = 0
) -> list[Couple]:
    """The two drafts of each prompt in an order that is drawn, and a principle that is.

    Args:
        rows: the prompts.
        revised: the drafts, each with its prompt.
        principles: drawn from with equal probability.
        seed: of the draws.

    A prompt with another number of drafts is dropped.
    """
    drafts_of = {row.record_id: drafts for row, drafts in gathered(revised)}
    made: list[Couple] = []
    for row in rows:
        draw = dice(seed, "couple", row.record_id)
        drafts = drafts_of.get(row.record_id, [])
        shown = draw.sample(drafts, len(drafts))
        both = Couple(
            prompt=row.prompt,
            texts=tuple(draft.text for draft in shown),
            traces=tuple(draft.trace for draft in shown),
            principle=draw.choice(principles),
            origin=(row, *shown),
        )
        if len(shown) == 2:
            made.append(both)
        else:
            drop(both, "fewer than two answers were revised")
    return made
