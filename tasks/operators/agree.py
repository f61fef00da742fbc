"""`agree`: take the answer that most solutions of a question state (operators.md 15, self-consistency)."""

from typing import TypeVar

from catalog.records import Answer, Problem
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.aggregate import gathered, vote
from tasks.operators.answers import final_answer, normal

P = TypeVar("P", bound=Problem)


@operator
def agree(rows: Rows[tuple[P, Answer[str]]], *, of: int, above: float = 0.5) -> list[tuple[Problem, Answer[str]]]:
    """(problem, solution) pairs of the questions where more than the share `above` of the solutions state one answer.

    The problem has that answer; a pair for each solution that states it, and all of them are the problem's origin. A
    question with fewer than `of` solutions, or without such an answer, is dropped. Answers are the same where they are
    written in the same way.
    """
    stated = [(row, (_stated(answer), answer)) for row, answer in rows]
    said = {row.record_id: its for row, its in gathered(stated)}
    pairs: list[tuple[Problem, Answer[str]]] = []
    for row, found in vote([(row, its) for row, (its, _) in stated], of=of):
        if not found.value or found.share <= above:
            drop(row, f"no answer is stated by more than {above:g} of the solutions", ", ".join(found.votes)[:500])
            continue
        own = [answer for its, answer in said[row.record_id] if its == found.value]
        made = Problem(prompt=row.prompt, answer=found.value, topic=row.topic, origin=(row, *own))
        pairs += [(made, answer) for answer in own]
    return pairs


def _stated(answer: Answer[str]) -> str:
    return normal(final_answer(answer.value)).casefold()
