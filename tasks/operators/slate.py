"""`slate`: several answers to each prompt, by the models of a pool, under system messages (operators.md 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.records import Answer, Prompt
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.sample import dice
from tasks.operators.solve import solve


@dataclass(frozen=True, kw_only=True)
class Asked(Prompt):
    """A prompt for one model under one principle; `place` is that of its answer among the prompt's."""

    model: str
    principle: str
    system: str
    place: int


@dataclass(frozen=True, kw_only=True)
class Slate(Prompt):
    """A prompt with its answers, and for each the model and the principle that it was given under."""

    completions: tuple[str, ...]
    models: tuple[str, ...]
    principles: tuple[str, ...]


@operator
def slate(
    llm: LLM,
    rows: Rows[Prompt],
    principles: Mapping[str, Sequence[str]],
    share: Mapping[str, float],
    *,
    n: int = 4,
    temperature: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[Slate]:
    """Each prompt with n answers, at most; one with fewer than two is dropped.

    Args:
        llm: the role's models. Each prompt takes n of them at random, or all again and again where there are fewer.
        rows: the prompts.
        principles: name → system messages to draw from; of a prompt's answers no two have the same, while there are
            enough.
        share: how often an answer is put under each principle.
        n: answers for each prompt.
        temperature: of the sampling.
        max_tokens: the longest answer.
        seed: of the draws and the sampling.
    """
    names = [model.model for model in llm.pool]
    asked = [each for row in rows for each in _assign(row, names, principles, share, n, seed)]
    answers: dict[str, list[tuple[Asked, Answer[str]]]] = {row.record_id: [] for row in rows}
    for model in llm.pool:
        mine = [row for row in asked if row.model == model.model]
        for row, answer in solve(
            model, mine, system="{system}", temperature=temperature, max_tokens=max_tokens, seed=seed
        ):
            answers[row.parents[0]].append((row, answer))
    slates: list[Slate] = []
    for row in rows:
        own = sorted(answers[row.record_id], key=lambda pair: pair[0].place)
        if len(own) < 2:
            drop(row, "fewer than two models answered", f"{len(own)} of {n}")
            continue
        made = Slate(
            prompt=row.prompt,
            completions=tuple(answer.value for _, answer in own),
            models=tuple(asked.model for asked, _ in own),
            principles=tuple(asked.principle for asked, _ in own),
            origin=[made for pair in own for made in pair],
        )
        slates.append(made)
    return slates


def _assign(
    row: Prompt,
    models: Sequence[str],
    principles: Mapping[str, Sequence[str]],
    share: Mapping[str, float],
    n: int,
    seed: int,
) -> list[Asked]:
    draw = dice(seed, "candidates", row.record_id)
    order = draw.sample(models, len(models))
    asked: list[Asked] = []
    for place, principle in enumerate(draw.choices(list(share), list(share.values()), k=n)):
        used = {each.system for each in asked}
        system = draw.choice([text for text in principles[principle] if text not in used] or principles[principle])
        model = order[place % len(order)]
        asked.append(
            Asked(prompt=row.prompt, model=model, principle=principle, system=system, place=place, origin=(row,))
        )
    return asked
