import json
import re
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.records import Prompt
from tasks.alignment.ultrafeedback import ASPECTS, PRINCIPLES, Rated, ultrafeedback
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

PROMPT = Prompt(prompt="Why is snow white?")
SYSTEMS = {text: name for name, texts in PRINCIPLES.items() for text in texts}


REPLIES = (
    "Thank you for asking. Let me take it in turn: {prompt} I would begin with what is known for certain.",
    "I am not sure that I can tell. {prompt} That depends on whom you ask, and on the day.",
    "{prompt} Good question! People have thought about this for a long time, and most agree on the main point.",
    "No idea.",
    "There are three parts to it, and the second matters most: who says so, when, and why. {prompt}",
)


def good(prompt: str, body: dict[str, Any]) -> str:
    """Answers in one of five ways, by the request's seed; rates a longer text higher."""
    if (schema := schema_of(body)) is None:
        return REPLIES[body["seed"] % len(REPLIES)].format(prompt=prompt)
    texts = re.split(r"\n\nText \d+:\n|\n\nIn JSON", prompt)[1 : len(schema["properties"]) + 1]
    ratings = [1 + min(4, len(text) // 30) for text in texts]
    return json.dumps({f"text_{n}": {"rationale": "By its length.", "rating": r} for n, r in enumerate(ratings, 1)})


def promised(row: Rated) -> bool:
    """The chosen answer has the highest mean of the four aspects, and the rejected one a lower."""
    aspects = (row.instruction_following, row.truthfulness, row.honesty, row.helpfulness)
    means = [sum(place) / 4 for place in zip(*aspects, strict=True)]
    chosen, rejected = (means[row.completions.index(text)] for text in (row.chosen, row.rejected))
    return list(row.scores) == means and chosen == max(means) > rejected and chosen - rejected == row.margin


def writer(prompt: str, body: dict[str, Any]) -> str:
    """Answers with a mark of quality from 1 to 5, by the request's seed."""
    return f"answer {body['seed']} of quality {body['seed'] % 5 + 1}"


def rater(rating: Callable[[str, int], int]) -> Callable[[str, dict[str, Any]], str]:
    """Rates each text by `rating(aspect, quality)`."""

    def reply(prompt: str, body: dict[str, Any]) -> str:
        aspect = next((name for name in ASPECTS if f"only: {name}." in prompt), "overall")
        qualities = [int(quality) for quality in re.findall(r"of quality (\d)", prompt)]
        assert len(qualities) == len((schema_of(body) or {})["properties"])
        return json.dumps(
            {
                f"text_{n}": {"rationale": f"{aspect}: quality {quality}", "rating": rating(aspect, quality)}
                for n, quality in enumerate(qualities, 1)
            }
        )

    return reply


def quality(text: str) -> int:
    return int(text[-1])


def test_four_answers_are_rated_together_and_the_best_is_chosen(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = ultrafeedback([PROMPT], scripted_llm(writer), scripted_llm(rater(lambda aspect, quality: quality)))
    assert len(row.completions) == len(row.models) == len(row.principles) == 4
    # The order that the judge saw is undone: the ratings stand where their answers do.
    qualities = tuple(quality(text) for text in row.completions)
    assert row.truthfulness == row.helpfulness == row.honesty == row.instruction_following == qualities
    assert row.scores == qualities
    assert row.critiques == tuple(f"overall: quality {q}" for q in qualities)
    assert quality(row.chosen) == max(qualities) > quality(row.rejected)
    assert row.margin == quality(row.chosen) - quality(row.rejected)


def test_the_mean_of_the_four_aspects_ranks(scripted_llm: Callable[..., LLM]) -> None:
    def rating(aspect: str, quality: int) -> int:
        return quality if aspect == "honesty" else 3

    (row,) = ultrafeedback([PROMPT], scripted_llm(writer), scripted_llm(rater(rating)))
    assert row.scores == tuple((9 + quality(text)) / 4 for text in row.completions)
    assert quality(row.chosen) == max(map(quality, row.completions))


def test_ties_make_no_pair(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        assert ultrafeedback([PROMPT], scripted_llm(writer), scripted_llm(rater(lambda aspect, quality: 3))) == []
    assert [drop.reason for drop in ledger.drops] == ["no answer is rated below the best"]


def test_most_candidates_are_to_be_helpful(scripted_llm: Callable[..., LLM]) -> None:
    prompts = [Prompt(prompt=f"Why {number}?") for number in range(40)]
    rows = ultrafeedback(prompts, scripted_llm(writer), scripted_llm(rater(lambda aspect, quality: quality)))
    names = [name for row in rows for name in row.principles]
    assert 0.5 < names.count("helpfulness") / len(names) < 0.7
    assert names.count("verbalised calibration") < names.count("honesty")


def test_an_aspect_that_the_judge_fails_makes_no_pair(scripted_llm: Callable[..., LLM]) -> None:
    rate = rater(lambda aspect, quality: quality)
    judge = scripted_llm(lambda prompt, body: "none" if "only: honesty." in prompt else rate(prompt, body))
    with keep(Ledger()) as ledger:
        assert ultrafeedback([PROMPT], scripted_llm(writer), judge) == []
    assert ledger.drops[-1].reason == "a judgement is missing"


def test_a_row_leads_back_to_its_prompt_and_to_every_call(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = ultrafeedback([PROMPT], scripted_llm(writer), scripted_llm(rater(lambda aspect, quality: quality)))
    slate = row.origin[0]
    asked = [made for made in slate.origin if hasattr(made, "parents")]  # type: ignore[union-attr]
    assert [made.parents for made in asked] == [(PROMPT.record_id,)] * 4
    assert len([made for made in (*row.origin, *slate.origin) if hasattr(made, "call")]) == 4 + 5  # type: ignore[union-attr]


def test_the_same_seed_makes_the_same_rows(scripted_llm: Callable[..., LLM]) -> None:
    judge = scripted_llm(rater(lambda aspect, quality: quality))
    first, second, other = (ultrafeedback([PROMPT], scripted_llm(writer), judge, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first[0].completions != other[0].completions
