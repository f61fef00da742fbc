"""WordNet: what a word is a kind of, part of, the opposite of, and what it means, as triples.

Read from the files of the Debian package `wordnet-base`; the format is that of the manual page wndb(5).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from catalog.records import Triple
from catalog.sources import source

FOLDER = Path("/usr/share/wordnet")
_FILES = ("data.noun", "data.verb", "data.adj", "data.adv")
_RELATIONS = {
    "@": "is a kind of",
    "@i": "is an instance of",
    "#m": "is a member of",
    "#p": "is part of",
    "#s": "is a substance of",
    "=": "is an attribute of",
    "!": "is the opposite of",
    "*": "entails",
    ">": "causes",
    "&": "is similar to",
    ";c": "belongs to the field of",
    ";r": "is said in",
}
"""Pointers that are read. Those left are the same seen from the other side, or join spellings of one word."""

_LICENCE = "WordNet 3.0 licence (Princeton University)"


@source(
    table="raw.wordnet", licence=_LICENCE, package="wordnet-base", files=tuple(str(FOLDER / name) for name in _FILES)
)
def wordnet() -> Iterator[tuple[Triple, str]]:
    """Every synset under a name of its own; `means` leads to its gloss, without the examples."""
    yield from read_synsets(FOLDER)


def read_synsets(folder: Path) -> Iterator[tuple[Triple, str]]:
    """The triples of a folder with WordNet's data files."""
    lines = {name: list(_lines(folder / name)) for name in _FILES}
    names = _names({key: line for found in lines.values() for key, line in found})
    for file, found in lines.items():
        for key, line in found:
            data, _, gloss = line.partition(" | ")
            place = f"{file}#{key[1:]}"
            meaning = gloss.partition('; "')[0].strip()
            yield Triple(subject=names[key], relation="means", object=meaning, graph="wordnet"), f"{place} means"
            for sign, other in dict.fromkeys(_pointers(data)):
                if sign in _RELATIONS:
                    row = Triple(subject=names[key], relation=_RELATIONS[sign], object=names[other], graph="wordnet")
                    yield row, f"{place} {sign} {other}"


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """A synset's part of speech and offset, which name it, with its line; the licence stands before, indented."""
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            kind = line.split(" ", 3)[2]
            yield ("a" if kind == "s" else kind) + line[:8], line


def _names(synsets: Mapping[str, str]) -> dict[str, str]:
    """The first word of each synset; where others begin with it too, with the next word, or a number."""
    words = {key: _words(line) for key, line in synsets.items()}
    first = Counter(found[0] for found in words.values())
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for key, (word, *others) in words.items():
        name = f"{word} ({others[0]})" if first[word] > 1 and others else word
        taken[name] += 1
        names[key] = name if taken[name] == 1 else f"{name} [{taken[name]}]"
    return names


def _words(line: str) -> list[str]:
    parts = line.split(" ")
    found = parts[4 : 4 + 2 * int(parts[3], 16) : 2]
    return [word.partition("(")[0].replace("_", " ") for word in found]


def _pointers(data: str) -> Iterator[tuple[str, str]]:
    parts = data.split(" ")
    start = 4 + 2 * int(parts[3], 16)
    for place in range(start + 1, start + 1 + 4 * int(parts[start]), 4):
        sign, offset, kind = parts[place : place + 3]
        yield sign, kind + offset
