"""Benchmark items planted in 20,000 real documents: what is found of each kind, how surely, how fast, beside datatrove.

The documents are pieces of the Python files that are installed here; the items are those of HumanEval and CHAMP. Decoys
are licences, phrases of examinations and quotations. datatrove's n-gram decontamination runs in one process, as ours
does, as it comes and also with a tokenizer that only cuts at white space, where it is installed:

    uv venv /tmp/datatrove
    uv pip install --python /tmp/datatrove/bin/python datatrove==0.10.1 orjson regex spacy 'xxhash<4'
    python tests/benchmarks/contamination.py --datatrove /tmp/datatrove/bin/python
"""

import argparse
import json
import random
import re
import resource
import string
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.records import BenchmarkItem  # noqa: E402
from catalog.sources.champ import champ  # noqa: E402
from catalog.sources.human_eval import human_eval  # noqa: E402
from quality.contamination import BenchmarkIndex, Hit  # noqa: E402
from quality.contamination.commonplaces import commonplaces  # noqa: E402
from quality.encoder import default_encoder  # noqa: E402
from tests.quality.contamination.items import PARAPHRASES  # noqa: E402
from tests.quality.contamination.test_changed import renamed, renumbered  # noqa: E402

DOCUMENTS, PLANTED, DECOYS = 20_000, 150, 300
SIZE = 1300
"""Characters of a document, about 200 words of English."""

DATATROVE = """
import json, sys, time
import numpy as np
import datatrove.pipeline.decont.n_grams as decont
from datatrove.data import Document
from datatrove.utils.hashing import create_hash_func
from datatrove.utils.text import ngrams, simplify_text

class Spaces:
    def word_tokenize(self, text):
        return text.split()

home, own = sys.argv[1], sys.argv[2] == "own"
if not own:
    decont.load_word_tokenizer = lambda language: Spaces()
config = decont.NGramsDecontConfig()
hashed = create_hash_func(config.hash_config)
items, texts = json.load(open(home + "/in.json"))
words = decont.load_word_tokenizer(decont.Languages.english).word_tokenize
of_item = (ngrams(words(simplify_text(text, config.norm_config)), config.n_grams) for text in items)
grams = {hashed(" ".join(gram)) for found in of_item for gram in found}
np.array(sorted(grams), dtype=config.hash_config.np_descr).tofile(home + "/items.index.hashes")
step = decont.NGramsDecontFilter(home, config)
step.filter(Document(text="warm", id=""))
began = time.process_time()
for number, text in enumerate(texts):
    step.filter(Document(text=text, id=str(number)))
print(time.process_time() - began)
"""


class Planted(NamedTuple):
    """A document, what kind of change its item has, and the item; both empty where none was planted."""

    text: str
    kind: str = ""
    item: str = ""


def documents(number: int) -> Iterator[str]:
    """Pieces of installed Python files, none of them twice."""
    seen: set[str] = set()
    files = (
        file for folder in ("purelib", "stdlib") for file in sorted(Path(sysconfig.get_path(folder)).rglob("*.py"))
    )
    for file in files:
        found = file.read_text(errors="replace")
        for start in range(0, len(found) - SIZE // 2, SIZE):
            if (text := found[start : start + SIZE]) not in seen:
                seen.add(text)
                yield text
                if len(seen) == number:
                    return
    raise SystemExit(f"contamination: {len(seen):,} documents are installed here, {number:,} are wanted")


def kinds(pick: random.Random) -> dict[str, Callable[[BenchmarkItem], str]]:
    return {
        "verbatim": lambda item: item.text,
        "re-cased": lambda item: item.text.swapcase(),
        "re-spaced": lambda item: re.sub(r"\s+", lambda _: pick.choice(["  ", "\t", " \n"]), item.text),
        "without punctuation": lambda item: "".join(c for c in item.text if c not in string.punctuation),
        "over a line break": lambda item: item.text[: len(item.text) // 2] + "\n" + item.text[len(item.text) // 2 :],
        "other numbers": lambda item: renumbered(item.text, pick),
        "code renamed": lambda item: renamed(item.text + item.answer),
    }


def planted(pick: random.Random) -> list[Planted]:
    """The documents, with changed items in the middle of copies of some of them, and decoys."""
    base = list(documents(DOCUMENTS))
    rows = [Planted(text) for text in base]

    def within(text: str) -> str:
        around = pick.choice(base)
        cut = around.find("\n", pick.randrange(len(around)))
        return f"{around[:cut]}\n{text}\n{around[cut + 1 :]}"

    code, sums = [row for row, _ in human_eval()], [row for row, _ in champ()]
    for kind, change in kinds(pick).items():
        fit = {"code renamed": code, "other numbers": [i for i in sums + code if re.search(r"\d", i.text)]}
        sample = pick.sample(fit.get(kind, sums + code), PLANTED)
        rows += [Planted(within(change(item)), kind, item.item) for item in sample]
    rows += [Planted(within(pick.choice(commonplaces())[:SIZE]), "decoy") for _ in range(DECOYS)]
    pick.shuffle(rows)
    return rows


def right(found: Sequence[list[Hit]], rows: Sequence[Planted]) -> tuple[dict[str, list[bool]], int, int]:
    """Whether each planted item was found, by kind; hits that count, and those of them that are right."""
    by_kind: dict[str, list[bool]] = {}
    counted = true = 0
    for hits, row in zip(found, rows, strict=True):
        sure = {hit.item for hit in hits if hit.verdict == "contaminated"}
        counted += len(sure)
        true += row.item in sure
        if row.item:
            by_kind.setdefault(row.kind, []).append(row.item in sure)
    return by_kind, counted, true


def datatrove(python: str, items: Sequence[BenchmarkItem], texts: Sequence[str], *, tokenizer: str) -> float:
    """Seconds of CPU, with its `own` tokenizer or `spaces`: beside other work, a clock on the wall measures that."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.json").write_text(json.dumps([[item.text for item in items], texts]))
        Path(folder, "run.py").write_text(DATATROVE)
        done = subprocess.run(
            [python, "run.py", folder, tokenizer], cwd=folder, capture_output=True, text=True, check=True
        )
    return float(done.stdout.split()[-1])


def peak() -> float:
    """Megabytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def lines(python: str | None = None) -> list[Line]:
    pick = random.Random(0)
    rows = planted(pick)
    items = [row for source in (human_eval, champ) for row, _ in source()]
    texts = [row.text for row in rows]
    began = time.process_time()
    index = BenchmarkIndex(items)
    out = [Line(f"build an index of {len(items)} items", time.process_time() - began, None, "s of CPU")]
    index.find_batch(texts[:500])
    began = time.process_time()
    found: list[list[Hit]] = []
    early = 0.0
    for hits in index.find_stream(texts):
        found.append(hits)
        if len(found) == len(texts) // 4:
            early = peak()
    seconds = time.process_time() - began
    others = {name: datatrove(python, items, texts, tokenizer=name) if python else None for name in ("own", "spaces")}
    by_kind, counted, true = right(found, rows)
    out += [Line(f"recall, {kind}", sum(ok) / len(ok), None, "share") for kind, ok in by_kind.items()]
    out.append(Line("precision, decoys among the texts", true / counted, None, "share"))
    out.append(Line("all layers but semantic", len(texts) / seconds, None, "documents/s of CPU"))
    weak, index.weak = index.weak, ()
    began = time.process_time()
    for _ in index.find_stream(texts):
        pass
    alone = time.process_time() - began
    index.weak = weak
    for name, other in others.items():
        instead = "datatrove's 12-grams" + (", words cut at white space" if name == "spaces" else "")
        rate = len(texts) / other if other else None
        out.append(Line("n-grams, windows and whole items", len(texts) / alone, rate, "documents/s of CPU", instead))
    out.append(Line("memory that the last three quarters of the texts add", peak() - early, None, "MB"))

    index.encode = default_encoder()
    around = [row for row in rows if not row.item]
    said = [Planted(f"{pick.choice(around).text}\n{each['text']}", "paraphrase", each["item"]) for each in PARAPHRASES]
    rows += said
    began = time.process_time()
    by_kind, counted, true = right(list(index.find_stream(row.text for row in rows)), rows)
    seconds = time.process_time() - began
    ok = by_kind["paraphrase"]
    out.append(Line("recall, paraphrase (semantic layer)", sum(ok) / len(ok), None, "share"))
    out.append(Line("precision, semantic layer too", true / counted, None, "share"))
    out.append(Line("all layers", len(rows) / seconds, None, "documents/s of CPU"))
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datatrove", dest="python", help="the Python of an environment with datatrove")
    show(lines(**vars(parser.parse_args())))
