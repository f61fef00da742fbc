"""Real benchmark items and real documents for the tests of contamination."""

import json
from pathlib import Path
from pydoc_data.topics import topics

from catalog.records import BenchmarkItem
from catalog.sources.arc_agi import arc_agi
from catalog.sources.champ import champ
from catalog.sources.human_eval import human_eval

HUMAN_EVAL = [row for row, _ in human_eval()]
CHAMP = [row for row, _ in champ()]
ARC = [row for row, _ in arc_agi()][-40:]
REAL = [*HUMAN_EVAL, *CHAMP, *ARC]
DOCUMENTS = [part for text in topics.values() for part in text.split("\n\n") if len(part) > 200]

PARAPHRASES: list[dict[str, str]] = json.loads((Path(__file__).parent / "paraphrases.json").read_text("utf-8"))
"""Items of HumanEval and CHAMP in our own words: `item` and `text`."""

TEXT = "A ferry with nine lorries leaves the harbour at dawn; how many tyres cross the wide river by noon?"


def quiz(*texts: str) -> list[BenchmarkItem]:
    return [BenchmarkItem(benchmark="quiz", item=str(number), text=text) for number, text in enumerate(texts, 1)]
