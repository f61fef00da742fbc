"""`weigh`: how likely a model finds each of a few answers, by its tokens' log-probabilities (operators.md 13)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Answer, Record, Token
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.complete import complete
from tasks.operators.generate import Prompting, Turns, generate

R = TypeVar("R", bound=Record)

_AROUND = " \t\n\"'`([{*"
"""What may stand before an option in its token."""


@dataclass(frozen=True)
class Weights:
    """Probabilities of the options, which sum to 1, and the share that fell `elsewhere` before they were made to."""

    of: Mapping[str, float]
    elsewhere: float

    @property
    def best(self) -> str:
        """The likeliest option, the first of several."""
        return max(self.of, key=lambda option: self.of[option])


@operator
def weigh(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    options: Sequence[str],
    *,
    system: "Prompting[R]" = "",
    turns: "Turns[R]" = (),
    raw: bool = False,
    logprobs: int = 20,
    seed: int = 0,
) -> list[tuple[R, Answer[Weights]]]:
    """(row, weights) pairs: the model answers with one of `options`, and what it might have said is read beside it.

    Args:
        llm: the model; its endpoint must give log-probabilities.
        rows: what to ask about.
        prompt: the question, which says what the options are.
        options: the answers, such as `1` and `2`, or the words for labels; upper and lower case are one.
        system: the system's message.
        turns: (question, option) pairs that show how, as earlier turns.
        raw: go on from the prompt as a raw text, without system and turns.
        logprobs: tokens of which the probability is asked for; many endpoints have a limit of 20, or 5.
        seed: of the sampling.

    Read is the token with which the answer begins to state an option, else the first in whose place one could have
    stood. A token that begins two options is for neither. A row for which no option is found is dropped.
    """
    longest = 3 + max(map(len, options), default=0)  # a token is at least a character
    if raw:
        answers = complete(
            llm, rows, prompt, parse=str, temperature=0.0, max_tokens=longest, logprobs=logprobs, seed=seed
        )
    else:
        answers = generate(
            llm,
            rows,
            prompt,
            system=system,
            turns=turns,
            parse=str,
            temperature=0.0,
            max_tokens=longest,
            logprobs=logprobs,
            seed=seed,
        )
    pairs: list[tuple[R, Answer[Weights]]] = []
    for row, answer in answers:
        weights = weights_of(answer.tokens, options)
        if weights is not None:
            pairs.append((row, Answer(weights, answer.call, answer.finish_reason, answer.tokens)))
        elif not answer.tokens:
            drop(row, "the endpoint gave no log-probabilities", answer.value)
        else:
            drop(row, "the answer is none of the options", answer.value)
    return pairs


def weights_of(tokens: Sequence[Token], options: Sequence[str]) -> Weights | None:
    """The weights of the options where an answer states one, or could have; None where it does neither."""
    places = range(len(tokens))
    stated = next(((place, option) for place in places if (option := _stated(tokens, place, options))), (-1, ""))
    for place in places if stated[0] < 0 else (stated[0],):
        token = tokens[place]
        mass = dict.fromkeys(options, 0.0)
        for text, logprob in {**token.others, token.text: token.logprob}.items():
            option = stated[1] if text == token.text and stated[1] else _begun(text, options)
            if option:
                mass[option] += math.exp(logprob)
        if total := sum(mass.values()):
            return Weights({option: share / total for option, share in mass.items()}, max(0.0, 1 - total))
    return None


def _stated(tokens: Sequence[Token], place: int, options: Sequence[str]) -> str:
    """The option that the answer states from this token on; of several, the longest."""
    if not tokens[place].text.strip(_AROUND):
        return ""
    before, rest = tokens[place - 1].text if place else "", "".join(token.text for token in tokens[place:])
    said = rest.lstrip(_AROUND)
    if said == rest and before[-1:].isalnum():  # in the middle of a word
        return ""
    found = [o for o in options if said.casefold().startswith(o.casefold()) and not said[len(o) :][:1].isalnum()]
    return max(found, key=len, default="")


def _begun(text: str, options: Sequence[str]) -> str:
    """The one option that a token is, or begins."""
    said = text.strip(_AROUND).casefold()
    found = [option for option in options if said and option.casefold().startswith(said)]
    return found[0] if len(found) == 1 else ""
