"""The index of benchmark items, and what it finds in texts."""

import functools
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.records import BenchmarkItem, digest
from infra.errors import Refusal
from quality.contamination.code import Opening, functions, opening
from quality.contamination.commonplaces import commonplaces
from quality.contamination.formulas import formulas, templates
from quality.contamination.hits import (
    Candidate,
    Hit,
    Layer,
    Stretch,
    abstract_candidates,
    sealed_candidates,
    settled,
    text_candidates,
)
from quality.contamination.passages import (
    ANCHOR,
    Layers,
    Passage,
    Units,
    abstracted,
    build,
    grams,
    passages_of,
    windows,
)
from quality.contamination.sealed import Sealed, is_hashed, keyed_grams, unsealed
from quality.contamination.semantic import Encode, Judge, Statements
from quality.contamination.stream import Stream, batches, offsets, stream
from quality.contamination.stretches import Stretches, gather
from quality.texts import words

if TYPE_CHECKING:
    from quality.contamination.stream import Flags, Places

WEAK: Collection[Layer] = ("abstracted", "formula", "code", "semantic")
"""The layers that find items which were changed."""
FORMAT = 1
"""Counts the changes that make a saved index unreadable."""
TEXTS = 2000
"""Texts that `find_stream` takes together."""
ENOUGH = 200
"""Texts of a corpus from which on its common phrases are told."""
COMMON_SHARE = 0.001
"""Share of a corpus' texts, and `COMMON_TEXTS` at least, that have a phrase which is therefore boilerplate."""
COMMON_TEXTS = 10
_BY_CHARACTER: Collection[Layer] = ("code", "formula")
"""The layers that mark characters of the text itself, not its letters and digits."""
_COMPARED = 4000
"""Characters by which items that compete for one stretch are compared with it."""


@dataclass(frozen=True)
class Overlap:
    """What a document shares with a benchmark: `overlap` as the document has it, `n` words long."""

    benchmark: str
    item: str
    overlap: str
    n: int
    layer: str


class BenchmarkIndex:
    """The stretches of text that tell benchmark items apart from other text.

    Of an item, its text and its answer are indexed. Not evidence: stretches of little variety, those in three or more
    items of one benchmark, those of common texts (`commonplaces`, and what `learn` was shown), answers shorter than 13
    words, texts shorter than 6. Items that are too short to be told from others are counted in `skipped`.

    Args:
        items: of benchmarks, in clear or `hashed`.
        secret: with which hashed items were hashed.
        encode: texts → unit vectors (float32, n × d), for the semantic layer, which is off without it and a judge;
            `find_batch` may be given another.
        judge: whether a document has an item in other words; its word on hits of the semantic layer is final.
        weak: the layers that are used beside those of exact overlap; can be changed at any time.

    Raises:
        Refusal: for hashed items that cannot be read with this secret.
    """

    def __init__(
        self,
        items: Iterable[BenchmarkItem],
        *,
        secret: bytes = b"",
        encode: Encode | None = None,
        judge: Judge | None = None,
        weak: Collection[Layer] = WEAK,
    ) -> None:
        import numpy as np

        self._names: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._answers: list[str] = []
        passages: list[Passage] = []
        sealed: list[Sealed] = []
        for number, item in enumerate(items):
            self._names.append((item.benchmark, item.item))
            hidden = is_hashed(item.text)
            self._texts.append("" if hidden else item.text)
            self._answers.append("" if hidden else item.answer)
            if hidden:
                sealed += unsealed(number, item, secret)
            else:
                passages += passages_of(number, item.text, item.answer)
        self._secret, self.encode, self.judge, self.weak = secret, encode, judge, weak
        self._owner = np.array([passage.item for passage in passages], dtype=np.int64)
        benchmark = self._benchmarks()
        self._layers = build(passages, benchmark)
        self._sealed = _sealed_layers(sealed, benchmark)
        self._sealed_owner = np.array([one.item for one in sealed], dtype=np.int64)
        self._sealed_size = np.array([len(one.hashes) + one.size - 1 for one in sealed], dtype=np.int64)
        self._code, self._openings = _code_layer(self._texts, self._answers, benchmark)
        self.documents = 0
        self._mark_commonplaces()

    def __len__(self) -> int:
        """The number of items, those that were skipped among them."""
        return len(self._names)

    @functools.cached_property
    def skipped(self) -> int:
        """Items of which there is nothing to look for."""
        told = set(self._sealed_owner.tolist()) | set(self._code.passage.tolist())
        for layer in (self._layers.grams, self._layers.windows, self._layers.anchors):
            told |= set(self._owner[layer.passage].tolist())
        return len(self._names) - len(told)

    @functools.cached_property
    def items(self) -> dict[str, int]:
        """Benchmark → how many items it has."""
        return dict(Counter(benchmark for benchmark, _ in self._names))

    def find(self, text: str) -> Overlap | None:
        """The first contaminated stretch of a text."""
        return next((self.overlap(text, hit) for hit in self.find_all(text) if hit.verdict == "contaminated"), None)

    def overlap(self, text: str, hit: Hit) -> Overlap:
        """A hit with the words that it stands on."""
        shared = text[hit.start : hit.end]
        return Overlap(hit.benchmark, hit.item, shared, len(words(shared)), hit.layer)

    def find_all(self, text: str) -> list[Hit]:
        """Every hit in a text, in the order in which they begin."""
        return self.find_batch([text])[0]

    def find_batch(self, texts: Sequence[str], *, encode: Encode | None = None) -> list[list[Hit]]:
        """Every hit in each text. Phrases that many of these texts have do not count, as if they had been learned."""
        found: dict[int, list[tuple[str, int, Stretch]]] = defaultdict(list)
        candidates: dict[int, list[Candidate]] = defaultdict(list)
        encode = encode or self.encode
        done = 0
        for batch in batches(texts):
            s = stream(batch)
            for text, key, stretch in self._stretches(s):
                found[text + done].append((stretch.kind, key, stretch))
            for text, candidate in (*self._in_code(batch), *self._in_formulas(batch)):
                candidates[text + done].append(candidate)
            if (encode or self.judge) and "semantic" in self.weak:
                for text, candidate in self._statements.find(s, batch, encode, self.judge):
                    candidates[text + done].append(candidate)
            done += len(batch)
        common = _common_here(found, len(texts))
        for text, rows in found.items():
            candidates[text] += self._candidates(rows, common)
        return [self._hits(text, candidates.get(number, [])) for number, text in enumerate(texts)]

    def find_stream(self, texts: Iterable[str]) -> Iterator[list[Hit]]:
        """Every hit in each text, `TEXTS` at a time, so that memory does not grow with their number."""
        source = iter(texts)
        while part := list(itertools.islice(source, TEXTS)):
            yield from self.find_batch(part)

    def learn(self, texts: Iterable[str]) -> None:
        """Count in how many texts of a corpus each stretch stands: what many have is boilerplate from then on.

        An item that a text has most of is a hit all the same.
        """
        import numpy as np

        for batch in batches(texts):
            s = stream(batch)
            for _, layer, units in self._looked_up(s):
                place, key = layer.known(units.hashes)
                pairs = np.unique(np.stack((units.text(place), key)), axis=1)
                np.add.at(layer.seen, pairs[1], 1)
            self.documents += len(batch)

    def save(self, folder: Path) -> Path:
        """Write the index to a folder, which `load` reads without building anything; items in clear are in it."""
        import numpy as np

        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays().items():
            # An index that was loaded from this very folder still has the old files mapped.
            np.save(folder / f"{name}.part.npy", array)
            (folder / f"{name}.part.npy").replace(folder / f"{name}.npy")
        body = {
            "format": FORMAT,
            "documents": self.documents,
            "names": self._names,
            "texts": self._texts,
            "answers": self._answers,
            "openings": sorted(self._openings),
        }
        (folder / "items.json").write_text(json.dumps(body), encoding="utf-8")
        return folder

    @classmethod
    def load(
        cls, folder: Path, *, secret: bytes = b"", encode: Encode | None = None, judge: Judge | None = None
    ) -> "BenchmarkIndex":
        """The index that was saved in a folder; its arrays are mapped into memory, not read.

        Raises:
            Refusal: where there is none that can be read.
        """
        import numpy as np

        def stretches(layer: str) -> Stretches:
            return Stretches(
                **{
                    # Marks and counts change as the index learns, and so are copied.
                    name: np.load(folder / f"{layer}.{name}.npy", mmap_mode="c" if name in {"common", "seen"} else "r")
                    for name in Stretches.__dataclass_fields__
                }
            )

        self = cls.__new__(cls)
        try:
            body = json.loads((folder / "items.json").read_text(encoding="utf-8"))
            if body["format"] != FORMAT:
                raise Refusal(f"{folder}: is an index of format {body['format']}, {FORMAT} is wanted; build it anew")
            self._names = [(benchmark, item) for benchmark, item in body["names"]]
            self._texts, self._answers, self.documents = body["texts"], body["answers"], body["documents"]
            for name in ("owner", "sealed_owner", "sealed_size"):
                setattr(self, f"_{name}", np.load(folder / f"{name}.npy", mmap_mode="r"))
            self._layers = Layers(
                **{name: stretches(name) for name in ("grams", "windows", "anchors", "abstract")},
                **{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("size", "tokens", "whole")},
            )
            self._sealed = {
                int(file.name.split(".")[0].removeprefix("sealed")): stretches(file.name.split(".")[0])
                for file in folder.glob("sealed*.keys.npy")
            }
            self._code = stretches("code")
            self._openings = {tuple(opens) for opens in body["openings"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refusal(f"{folder}: no index can be read from it ({error}); build it anew") from None
        self._secret, self.encode, self.judge, self.weak = secret, encode, judge, WEAK
        return self

    @classmethod
    def kept(
        cls,
        items: Sequence[BenchmarkItem],
        folder: Path,
        *,
        secret: bytes = b"",
        encode: Encode | None = None,
        judge: Judge | None = None,
    ) -> "BenchmarkIndex":
        """The index of these items: read from under a folder where it was kept before, else built and kept there."""
        place = folder / content_key(items)
        if (place / "items.json").exists():
            return cls.load(place, secret=secret, encode=encode, judge=judge)
        built = cls(items, secret=secret, encode=encode, judge=judge)
        built.save(place.with_suffix(".part"))
        if not place.exists():  # another process may have been first
            place.with_suffix(".part").rename(place)
        return built

    def _arrays(self) -> dict[str, Any]:
        layers: dict[str, Stretches] = {
            "grams": self._layers.grams,
            "windows": self._layers.windows,
            "anchors": self._layers.anchors,
            "abstract": self._layers.abstract,
            "code": self._code,
            **{f"sealed{size}": layer for size, layer in self._sealed.items()},
        }
        return {
            "owner": self._owner,
            "sealed_owner": self._sealed_owner,
            "sealed_size": self._sealed_size,
            "size": self._layers.size,
            "tokens": self._layers.tokens,
            "whole": self._layers.whole,
            **{f"{name}.{part}": array for name, layer in layers.items() for part, array in layer.arrays().items()},
        }

    @functools.cached_property
    def _templates(self) -> Mapping[str, tuple[int, ...]]:
        return templates(self._texts)

    @functools.cached_property
    def _statements(self) -> Statements:
        return Statements(self._texts)

    def _benchmarks(self) -> "Places":
        import numpy as np

        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(name, len(numbers)) for name, _ in self._names], dtype=np.int64)

    def _mark_commonplaces(self) -> None:
        for batch in batches(commonplaces()):
            s = stream(batch)
            for _, layer, units in self._looked_up(s):
                _, key = layer.known(units.hashes)
                layer.common[key] = True
            _, rows = self._wholes(s)
            self._layers.anchors.common[rows] = True

    def _looked_up(self, s: Stream) -> "Iterator[tuple[str, Stretches, Units]]":
        """Each layer with what of a batch it is asked for."""
        yield "grams", self._layers.grams, grams(s)
        yield "windows", self._layers.windows, windows(s)
        if "abstracted" in self.weak:
            yield "abstract", self._layers.abstract, abstracted(s)[0]
        for size, layer in self._sealed.items():
            yield "sealed", layer, keyed_grams(s, size, self._secret)

    def _stretches(self, s: Stream) -> Iterator[tuple[int, int, Stretch]]:
        """Every stretch that texts and passages share: the number of the text, of the key, and the stretch."""
        base = 0
        for kind, layer, units in self._looked_up(s):
            yield from self._rows(s, layer, units, kind, base)
            base += len(layer.keys)
        yield from self._wholes(s)[0]

    def _rows(
        self, s: Stream, layer: Stretches, units: Units, kind: str, base: int
    ) -> Iterator[tuple[int, int, Stretch]]:
        import numpy as np

        found = layer.find(units.hashes)
        if not len(found.place):
            return
        text = units.text(found.place)
        inside = found.place + units.size <= units.first[text + 1]
        place, key, posting, text = found.place[inside], found.key[inside], found.posting[inside], text[inside]
        left, right = units.edges[place] - s.first[text], units.edges[place + units.size] - s.first[text]
        exact = kind in {"grams", "windows"}
        start = left if exact else place - units.first[text]
        end = right if exact else start + units.size
        common = layer.common[key] | self._learned(layer, key)
        columns = (text, key + base, layer.passage[posting], start, end, layer.start[posting], layer.end[posting])
        for number, name, passage, begin, stop, at, until, first, last, is_common in zip(
            *(np.asarray(column).tolist() for column in (*columns, left, right, common)), strict=True
        ):
            yield number, name, Stretch(passage, begin, stop, at, until, first, last, kind, is_common)

    def _learned(self, layer: Stretches, key: "Places") -> "Flags":
        enough = max(COMMON_TEXTS, self.documents * COMMON_SHARE)
        return (layer.seen[key] >= enough) & (self.documents >= ENOUGH)

    def _wholes(self, s: Stream) -> "tuple[list[tuple[int, int, Stretch]], list[int]]":
        """The passages that texts have as a whole, from the beginning of a word to the end of one, and their keys."""
        import numpy as np

        layer, units = self._layers.anchors, windows(s, ANCHOR)
        found = layer.find(units.hashes)
        if not len(found.place):
            return [], []
        passage = layer.passage[found.posting]
        start = found.place - layer.start[found.posting]
        end = start + self._layers.size[passage]
        text = units.text(found.place)
        inside = (start >= s.first[text]) & (end <= s.first[text + 1])
        start, end, passage, text, key = start[inside], end[inside], passage[inside], text[inside], found.key[inside]
        same = (s.hashes(start, end) == self._layers.whole[passage]) & np.isin(start, s.words) & np.isin(end, s.words)
        base = s.first[text[same]]
        columns = (text[same], passage[same], start[same] - base, end[same] - base, layer.common[key[same]])
        rows = [
            (number, -1, Stretch(which, first, last, 0, last - first, first, last, "anchors", is_common))
            for number, which, first, last, is_common in zip(*(c.tolist() for c in columns), strict=True)
        ]
        return rows, key[same].tolist()

    def _candidates(self, rows: "Sequence[tuple[str, int, Stretch]]", common: set[int]) -> Iterator[Candidate]:
        groups: dict[str, list[Stretch]] = defaultdict(list)
        for kind, key, stretch in rows:
            marked = stretch._replace(common=True) if key in common else stretch
            groups[kind if kind in {"abstract", "sealed"} else "text"].append(marked)
        owner, layers = self._owner, self._layers
        yield from text_candidates(groups["text"], lambda n: int(owner[n]), lambda n: int(layers.size[n]))
        yield from abstract_candidates(groups["abstract"], lambda n: int(owner[n]), lambda n: int(layers.tokens[n]))
        yield from sealed_candidates(
            groups["sealed"], lambda n: int(self._sealed_owner[n]), lambda n: int(self._sealed_size[n])
        )

    def _in_code(self, texts: Sequence[str]) -> Iterator[tuple[int, Candidate]]:
        """The functions of items that texts have under other names."""
        import numpy as np

        layer = self._code
        for number, text in enumerate(texts):
            for function in functions(text, self._openings) if self._openings and "code" in self.weak else []:
                found = layer.find(np.array([function.tree], dtype=np.uint64))
                if len(found.key):
                    verdict = "boilerplate" if layer.common[found.key[0]] else "contaminated"
                    for item in layer.passage[found.posting].tolist():
                        yield number, Candidate(item, function.start, function.end, "code", 1.0, verdict)

    def _in_formulas(self, texts: Sequence[str]) -> Iterator[tuple[int, Candidate]]:
        """The short problems made of formulas that texts have with other numbers."""
        for number, text in enumerate(texts if self._templates and "formula" in self.weak else ()):
            for (start, end), items in formulas(text, self._templates):
                for item in items:
                    yield number, Candidate(item, start, end, "formula", 1.0, "contaminated")

    def _hits(self, text: str, candidates: Sequence[Candidate]) -> list[Hit]:
        if not candidates:
            return []
        where = offsets(text)

        def in_characters(one: Candidate) -> Candidate:
            if one.layer in _BY_CHARACTER:
                return one
            if one.right > len(where):  # cannot be told for rare compatibility forms
                return one._replace(left=0, right=len(text))
            return one._replace(left=where[one.left][0], right=where[one.right - 1][1])

        placed = [in_characters(one) for one in candidates]
        if len(placed) > 1:
            placed = [
                one
                if one.layer == "semantic"
                else one._replace(alike=self._likeness(one.item, text[one.left : one.right]))
                for one in placed
            ]
        kept = settled(placed, lambda item: self._names[item][0])
        return [
            Hit(*self._names[one.item], one.left, one.right, one.layer, round(one.score, 4), one.verdict)
            for one in kept
        ]

    def _likeness(self, item: int, stretch: str) -> float:
        """How like an item's text or answer a stretch is, white space and case apart (0 to 1)."""
        from rapidfuzz import fuzz

        def bare(text: str) -> str:
            return "".join(text[:_COMPARED].lower().split())

        return max(fuzz.ratio(bare(stretch), bare(part)) / 100 for part in (self._texts[item], self._answers[item]))


def content_key(items: Sequence[BenchmarkItem]) -> str:
    """32 hex digits that stand for the items that an index is made of, and for the form in which it is saved."""
    return digest([FORMAT, *([item.benchmark, item.item, item.text, item.answer] for item in items)])


def _common_here(found: "dict[int, list[tuple[str, int, Stretch]]]", texts: int) -> set[int]:
    """The keys that so many of the texts have that they are boilerplate."""
    if texts < ENOUGH:
        return set()
    counts: dict[int, int] = defaultdict(int)
    for rows in found.values():
        for key in {key for _, key, _ in rows if key >= 0}:
            counts[key] += 1
    enough = max(COMMON_TEXTS, texts * COMMON_SHARE)
    return {key for key, count in counts.items() if count >= enough}


def _sealed_layers(sealed: Sequence[Sealed], benchmark: "Places") -> dict[int, Stretches]:
    """Words in a run → the layer of the hashes of such runs."""
    import numpy as np

    owner = np.array([one.item for one in sealed], dtype=np.int64)
    out: dict[int, Stretches] = {}
    for size in sorted({one.size for one in sealed}):
        rows = [
            (key, number, place, place + size)
            for number, one in enumerate(sealed)
            if one.size == size
            for place, key in enumerate(one.hashes)
        ]
        keys = np.array([row[0] for row in rows], dtype=np.uint64)
        passage, start, end = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 3).T
        out[size] = gather(keys, passage, start, end, owner, benchmark)
    return out


def _code_layer(texts: Sequence[str], answers: Sequence[str], benchmark: "Places") -> tuple[Stretches, set[Opening]]:
    """The functions in items, and how they open: in the text, the answer, and the text that the answer completes."""
    import numpy as np

    rows: set[tuple[int, int]] = set()
    openings: set[Opening] = set()
    for number, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        for part in {text, answer, text + answer} if "def " in text or "def " in answer else ():
            found = functions(part)
            rows |= {(function.tree, number) for function in found}
            openings |= {opening(part[function.start : function.end]) for function in found}
    keys = np.array([key for key, _ in sorted(rows)], dtype=np.uint64)
    items = np.array([item for _, item in sorted(rows)], dtype=np.int64)
    ones = np.ones(len(rows), dtype=np.int64)
    return gather(keys, items, 0 * ones, ones, np.arange(len(texts)), benchmark), openings
