"""What is indexed of benchmark items: the stretches of their texts and answers, layer by layer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from quality.contamination.stream import Stream, batches, sequence_hashes, stream
from quality.contamination.stretches import Stretches, concatenated, gather, shared
from quality.texts import words

if TYPE_CHECKING:
    from quality.contamination.stream import Flags, Hashes, Places

GRAM = 8
"""Words in an n-gram; thirteen in a row are six of them."""
WINDOW = 50
"""Letters and digits in a window."""
STEP = 8
"""Windows are taken at every `STEP`th character of an item and at every one of a text, so that two meet in any common
stretch of WINDOW + STEP - 1 characters."""
ANCHOR = 12
"""Letters and digits by which a passage that is looked for as a whole is found."""
LONG = 400
"""Letters and digits above which a passage is not looked for as a whole, unless little else of it is evidence."""
FEW = 10
"""Stretches of a passage that are little evidence."""
ABSTRACT = 5
"""Tokens in an n-gram of the abstracted text, where each run of numbers and names is one token."""
LEAST_WORDS = 6
"""Words that a text needs to be looked for; an answer needs thirteen."""
VARIETY = 20
"""Different three-character pieces that a window needs to be evidence: rows of digits or repeated words have few."""
WHOLE_VARIETY = 9
"""Different six-character pieces that a text needs to be looked for as a whole."""


class Passage(NamedTuple):
    """A text or an answer of the item of that number."""

    item: int
    text: str


class Units(NamedTuple):
    """What a layer looks up in a batch of texts: `size` units in a row, from each unit on."""

    size: int
    edges: "Places"
    """Where in the stream each unit begins; one more entry holds the end of the last."""
    first: "Places"
    """Number of the unit with which each text begins; one more entry holds the number of units."""
    hashes: "Hashes"
    """Of each run of `size` units, those that run into the next text too."""

    def text(self, unit: "Places") -> "Places":
        """The number of the text that each unit is in."""
        import numpy as np

        return np.searchsorted(self.first, unit, side="right") - 1

    def inside(self) -> "Places":
        """The units from which a run stays within its text."""
        import numpy as np

        unit = np.arange(len(self.hashes))
        return unit[unit + self.size <= self.first[self.text(unit) + 1]]


@dataclass(frozen=True)
class Layers:
    """The stretches of all passages, and the passages' sizes."""

    grams: Stretches
    windows: Stretches
    anchors: Stretches
    abstract: Stretches
    size: "Places"
    """Passage → letters and digits."""
    tokens: "Places"
    """Passage → tokens of the abstracted text."""
    whole: "Hashes"
    """Passage → the hash of all of it."""


def passages_of(number: int, text: str, answer: str) -> Iterator[Passage]:
    """The text and the answer of an item, where they are long enough to be told from others."""
    for part, least in ((text, LEAST_WORDS), (answer, 13)):
        # A script without spaces has a phrase where others have a word.
        if len(words(part)) >= least or (not part.isascii() and len(part) >= 4 * least):
            yield Passage(number, part)


def grams(s: Stream, size: int = GRAM) -> Units:
    """Every run of `size` words."""
    return Units(size, s.words, s.first_word, s.hashes(s.words[:-size], s.words[size:]))


def windows(s: Stream, size: int = WINDOW) -> Units:
    """Every window of `size` letters and digits."""
    import numpy as np

    return Units(size, np.arange(len(s.prefix)), s.first, s.windows(size))


def abstracted(s: Stream) -> "tuple[Units, Hashes, Flags]":
    """Every n-gram of the abstracted text, with the tokens and which of them stand for numbers and names.

    Words with a digit and words that begin with a capital letter are numbers and names; a run of them is one token.
    """
    import numpy as np

    blank = s.numeric | s.capital
    begins = np.zeros(len(blank), dtype=np.bool_)
    begins[s.first_word[:-1][np.diff(s.first_word) > 0]] = True
    kept = np.flatnonzero(~blank | begins | ~np.concatenate(([False], blank[:-1]))[: len(blank)])
    tokens = np.where(blank[kept], np.uint64(7), s.hashes(s.words[kept], s.words[kept + 1]))
    edges = np.concatenate((s.words[kept], s.words[-1:]))
    first = np.searchsorted(kept, s.first_word)
    return Units(ABSTRACT, edges, first, sequence_hashes(tokens, ABSTRACT)), tokens, blank[kept]


def build(passages: Sequence[Passage], benchmark: "Places") -> Layers:
    """The layers of passages, given item → benchmark."""
    import numpy as np

    parts: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ("grams", "windows", "abstract")}
    sizes: list[tuple[Any, ...]] = []
    done = 0
    for texts in batches(passage.text for passage in passages):
        s = stream(texts)
        names, tokens, blank = abstracted(s)
        each = s.hashes(s.words[:-1], s.words[1:])
        chosen = {
            "grams": (units := grams(s), _told(each, s.numeric, units, 20)),
            "windows": (units := windows(s), _sampled(s, units)),
            "abstract": (names, _told(tokens, blank, names, ABSTRACT)),
        }
        for name, (units, unit) in chosen.items():
            text = units.text(unit)
            if name == "abstract":
                start = unit - units.first[text]
                end = start + units.size
            else:
                start, end = units.edges[unit] - s.first[text], units.edges[unit + units.size] - s.first[text]
            parts[name].append((units.hashes[unit], text + done, start, end))
        sizes.append((np.diff(s.first), np.diff(names.first), s.hashes(s.first[:-1], s.first[1:])))
        done += len(texts)
    size, token_count, whole = concatenated(sizes, [np.int64, np.int64, np.uint64])
    owner = np.array([passage.item for passage in passages], dtype=np.int64)
    made: dict[str, Stretches] = {}
    for name, rows in parts.items():
        hashes, passage, start, end = concatenated(rows, [np.uint64, np.int64, np.int64, np.int64])
        made[name] = gather(hashes, passage, start, end, owner, benchmark)
    _mark_shared_windows(made["windows"], passages, owner, benchmark)
    evidence = np.zeros(len(passages), dtype=np.int64)
    for layer in (made["grams"], made["windows"]):
        telling = layer.passage[~np.repeat(layer.common, np.diff(layer.first))]
        evidence += np.bincount(telling, minlength=len(passages))
    return Layers(
        **made,
        anchors=_anchors(passages, size, evidence, owner, benchmark),
        size=size,
        tokens=token_count,
        whole=whole,
    )


def _mark_shared_windows(layer: Stretches, passages: Sequence[Passage], owner: "Places", benchmark: "Places") -> None:
    """Mark the windows that several items share wherever they stand in them, not only where one was taken."""
    import numpy as np

    pairs: list[tuple[Places, Places]] = []
    done = 0
    for texts in batches(passage.text for passage in passages):
        s = stream(texts)
        units = windows(s)
        place, key = layer.known(units.hashes)
        text = units.text(place)
        inside = place + WINDOW <= s.first[text + 1]
        pairs.append((key[inside], owner[text[inside] + done]))
        done += len(texts)
    key, item = concatenated(pairs, [np.int64, np.int64])
    layer.common[shared(key, item, benchmark, len(layer.keys))] = True


def _anchors(
    passages: Sequence[Passage], size: "Places", evidence: "Places", owner: "Places", benchmark: "Places"
) -> Stretches:
    """For each passage that is looked for as a whole, the `ANCHOR` characters in it that fewest other passages have."""
    import numpy as np

    short = np.flatnonzero(((size <= LONG) | (evidence < FEW)) & (size >= ANCHOR))
    columns: list[tuple[Hashes, Places, Places]] = []
    done = 0
    for texts in batches(passages[number].text for number in short.tolist()):
        s = stream(texts)
        hashes = s.windows(ANCHOR)
        place = np.arange(len(hashes))
        text = np.searchsorted(s.first, place, side="right") - 1
        start = place - s.first[text]
        inside = s.first[text + 1] - place >= ANCHOR
        various = np.array([_various(s, number) for number in range(len(texts))], dtype=np.bool_)
        inside &= various[text]
        columns.append((hashes[inside], short[text[inside] + done], start[inside]))
        done += len(texts)
    hashes, passage, start = concatenated(columns, [np.uint64, np.int64, np.int64])
    _, key, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    order = np.lexsort((-start, counts[key], passage))
    chosen = order[np.diff(passage[order], prepend=-1) > 0]
    apart = np.arange(
        len(benchmark)
    )  # as if each item were a benchmark: an anchor is no evidence yet, and never common
    return gather(hashes[chosen], passage[chosen], start[chosen], start[chosen] + ANCHOR, owner, apart)


def _sampled(s: Stream, units: Units) -> "Places":
    """Every `STEP`th window of each text, where it has some variety."""
    import numpy as np

    unit = units.inside()
    unit = unit[(unit - s.first[units.text(unit)]) % STEP == 0]
    pieces = (s.windows(3) >> np.uint64(48)).astype(np.uint16)
    various = np.zeros(len(unit), dtype=np.bool_)
    for begin in range(0, len(unit), 1 << 16):  # in parts, because a window takes WINDOW entries
        part = unit[begin : begin + (1 << 16)]
        ordered = np.sort(pieces[part[:, None] + np.arange(WINDOW - 2)], axis=1)
        various[begin : begin + len(part)] = (np.diff(ordered, axis=1) != 0).sum(axis=1) + 1 >= VARIETY
    return unit[various]


def _various(s: Stream, text: int) -> bool:
    solid = s.solid(int(s.first[text]), int(s.first[text + 1]))
    pieces: set[str] = set()
    for place in range(len(solid) - 5):
        pieces.add(solid[place : place + 6])
        if len(pieces) == WHOLE_VARIETY:
            return True
    return False


def _told(tokens: "Hashes", empty: "Flags", units: Units, least: int) -> "Places":
    """The units from which a run says enough: three that are no numbers or names, few repeated, `least` characters."""
    import numpy as np

    size, unit = units.size, units.inside()
    filled = np.concatenate(([0], np.cumsum(~empty)))
    enough = filled[unit + size] - filled[unit] >= 3
    unit = unit[enough & (units.edges[unit + size] - units.edges[unit] >= least)]
    distinct = np.zeros(len(unit), dtype=np.int64)
    for place in range(size):  # a token is new if it is none of those before it in the run
        new = np.ones(len(unit), dtype=np.bool_)
        for before in range(place):
            new &= tokens[unit + place] != tokens[unit + before]
        distinct += new
    return unit[distinct >= size * 5 // 8]
