"""Near duplicates among 26,000 real documents, beside datatrove's MinHash, and 1,000 rows against a million published.

The documents are pieces of the Python files that are installed here, some 200 words each; 2,000 of them are planted
again as they are and 4,000 with some of their words replaced. datatrove runs all its stages in two processes, with a
tokenizer that cuts at white space (its own for English is slower) and its own defaults, which look for less: it wants
no similarity, but any band in common. It runs where it is installed:

    uv venv /tmp/datatrove && uv pip install --python /tmp/datatrove/bin/python datatrove==0.10.1 orjson 'xxhash<4'
    python tests/benchmarks/duplicates.py --datatrove /tmp/datatrove/bin/python
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

import duckdb  # noqa: E402
from table import Line, show  # noqa: E402 - found by the line above

from quality.duplicates.minhash import STORED, THRESHOLD, near_duplicates, signatures  # noqa: E402
from quality.texts import words  # noqa: E402

DOCUMENTS, EXACT, NEAR = 20_000, 2_000, 4_000
PUBLISHED, NEW = 1_000_000, 1_000

DATATROVE = """
import sys, time
from pathlib import Path
import datatrove.pipeline.dedup.minhash as minhash
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

class Spaces:
    def word_tokenize(self, text):
        return text.split()

minhash.load_word_tokenizer = lambda language: Spaces()

if __name__ == "__main__":
    home = Path(sys.argv[1])
    config = minhash.MinhashConfig()
    at = lambda name: str(home / name)
    stages = [
        ([JsonlReader(at("in")), minhash.MinhashDedupSignature(at("sigs"), config)], 2, 2),
        ([minhash.MinhashDedupBuckets(at("sigs"), at("buckets"), config=config)], 14, 2),
        ([minhash.MinhashDedupCluster(at("buckets"), at("gone"), config=config)], 1, 1),
        (
            [JsonlReader(at("in")), minhash.MinhashDedupFilter(at("gone")), JsonlWriter(at("out"), compression=None)],
            2,
            2,
        ),
    ]
    began = time.perf_counter()
    for pipeline, tasks, workers in stages:
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=at(f"log{tasks}{time.time()}")).run()
    print(time.perf_counter() - began)
"""


def documents(number: int) -> Iterator[str]:
    """Pieces of installed Python files, none of them twice, in ASCII: there everybody's words are the same."""
    seen: set[str] = set()
    files = (
        file for folder in ("purelib", "stdlib") for file in sorted(Path(sysconfig.get_path(folder)).rglob("*.py"))
    )
    for file in files:
        found = file.read_text(errors="replace").split()
        for start in range(0, len(found) - 100, 200):
            if (text := " ".join(found[start : start + 200])) not in seen and text.isascii():
                seen.add(text)
                yield text
                if len(seen) == number:
                    return
    raise SystemExit(f"duplicates: {len(seen):,} documents are installed here, {number:,} are wanted")


def edited(text: str, pick: random.Random) -> str:
    """The text with 1 to 4 of its words replaced, dropped or put in."""
    found = text.split()
    for _ in range(pick.randint(1, 4)):
        place = pick.randrange(len(found))
        found[place : place + pick.randint(0, 1)] = pick.choice(["quince", "gondola", "plinth", ""]).split()
    return " ".join(found)


def jaccard(one: str, other: str) -> float:
    """By the definition, without anything that is measured here."""
    first, second = ({tuple(found[i : i + 5]) for i in range(len(found) - 4)} for found in (words(one), words(other)))
    return len(first & second) / len(first | second)


def planted(pick: random.Random) -> tuple[list[str], list[tuple[int, int]]]:
    """The documents with copies among them, and the places of each original and its near copy."""
    base = list(documents(DOCUMENTS))
    chosen = pick.sample(range(DOCUMENTS), EXACT + NEAR)
    texts = [(text, None) for text in base]
    texts += [(base[number], None) for number in chosen[:EXACT]]
    texts += [(edited(base[number], pick), number) for number in chosen[EXACT:]]
    order = list(range(len(texts)))
    pick.shuffle(order)
    place = {number: new for new, number in enumerate(order)}
    copies = [(place[of], place[number]) for number, (_, of) in enumerate(texts) if of is not None]
    return [texts[number][0] for number in order], copies


def datatrove(python: str, texts: Sequence[str]) -> tuple[float, set[int]]:
    """Seconds, and the places of the documents that it leaves out."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "in").mkdir()
        for half in (0, 1):
            with (home / "in" / f"{half}.jsonl").open("w") as file:
                file.writelines(
                    json.dumps({"text": text, "id": str(n)}) + "\n" for n, text in enumerate(texts) if n % 2 == half
                )
        (home / "stages.py").write_text(DATATROVE)
        done = subprocess.run([python, home / "stages.py", home], capture_output=True, text=True, check=True)
        stay = {int(json.loads(line)["id"]) for file in (home / "out").iterdir() for line in file.open()}
    return float(done.stdout.split()[-1]), set(range(len(texts))) - stay


def recall(above: Sequence[tuple[int, int]], gone: set[int]) -> float:
    """The share of planted pairs of which one row is gone."""
    return sum(not gone.isdisjoint(pair) for pair in above) / len(above)


def batch(python: str | None) -> Iterator[Line]:
    texts, copies = planted(random.Random(1))
    began, worked = time.perf_counter(), time.process_time()
    found = near_duplicates(signatures([str(n) for n in range(len(texts))], texts))
    ours, work = time.perf_counter() - began, time.process_time() - worked
    pairs = [(int(row), int(kept)) for row, kept in found.select("record_id", "kept_id").iter_rows()]
    gone = {row for row, _ in pairs}
    wrong = sum(kept in gone or jaccard(texts[row], texts[kept]) < THRESHOLD for row, kept in pairs)
    theirs, theirs_gone = datatrove(python, texts) if python else (None, set[int]())
    above = [pair for pair in copies if jaccard(texts[pair[0]], texts[pair[1]]) >= THRESHOLD]
    size = f"{len(texts):,} documents, {sum(map(len, texts)) / 1e6:.0f} MB"
    yield Line(size, ours, theirs, "s", "datatrove's MinHash")
    yield Line("processor time of that", work, None, "s")
    other = recall(above, theirs_gone) if python else None
    yield Line(f"of {len(above):,} near copies found", recall(above, gone), other, "")
    yield Line("rows left out", len(gone), len(theirs_gone) if python else None, "rows")
    yield Line("of them not like the row that stays", wrong, None, "rows")


def short(number: int, pick: random.Random) -> Iterator[str]:
    """Short documents of 30 to 60 words: passages of real ones, in which one word of four is another."""
    source = [word for text in documents(500) for word in text.split()]
    for _ in range(number):
        size = pick.randint(30, 60)
        at = pick.randrange(len(source) - size)
        yield " ".join(pick.choice(source) if pick.random() < 0.25 else word for word in source[at : at + size])


def million() -> Iterator[Line]:
    pick = random.Random(2)
    texts = list(short(PUBLISHED, pick))
    ids = [f"{n:032x}" for n in range(PUBLISHED)]
    began = time.perf_counter()
    frame = signatures(ids, texts)
    signed = time.perf_counter() - began
    found = near_duplicates(frame)
    yield Line(f"{PUBLISHED:,} short documents with each other", time.perf_counter() - began, None, "s")
    yield Line("of that the signatures", signed, None, "s")
    yield Line("rows left out", len(found), None, "rows")
    yield Line("most memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, None, "GB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signatures.parquet"
        frame.select(STORED).write_parquet(file)
        yield Line("kept of each row", file.stat().st_size / PUBLISHED, None, "bytes")
        yield Line("a text", sum(map(len, texts)) / PUBLISHED, None, "bytes")
        chosen = [pick.randrange(PUBLISHED) for _ in range(NEW)]
        new = [edited(texts[number], pick) for number in chosen]
        began = time.perf_counter()
        with duckdb.connect() as connection:
            stored = connection.sql(f"SELECT * FROM '{file}'")
            found = near_duplicates(signatures([f"new {n}" for n in range(NEW)], new), stored)
        yield Line(f"{NEW:,} rows against those published", time.perf_counter() - began, None, "s")
    kept = dict(found.select("record_id", "kept_id").iter_rows())
    above = [n for n, number in enumerate(chosen) if jaccard(new[n], texts[number]) >= THRESHOLD]
    told = sum(kept.get(f"new {n}") == ids[chosen[n]] for n in above)
    yield Line(f"of {len(above):,} near copies among them found", told / len(above), None, "")


def lines(python: str | None = None) -> list[Line]:
    return [*batch(python), *million()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datatrove", dest="python", help="the Python of an environment with datatrove")
    show(lines(**vars(parser.parse_args())))
