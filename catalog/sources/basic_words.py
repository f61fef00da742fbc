"""Basic English words by part of speech, each with the age at which most children know it, as we reckon it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources import source


@dataclass(frozen=True, kw_only=True)
class Word(Record):
    """A word, its part of speech (noun, verb, adjective), and the age in years at which most children know it.

    `forms` are those that do not follow from the word by rule.
    """

    word: str
    part: str
    age: int
    forms: tuple[str, ...] = ()

    def stands_in(self, text: str) -> bool:
        """Whether the text has the word, in any form."""
        word, last = self.word, self.word[-1]
        forms = [word + "(?:s|es|ed|ing|er|est|ly)?", *self.forms]
        if last == "e":
            forms.append(word[:-1] + "(?:ing|ed|er|est|y)")
        elif last == "y":
            forms.append(word[:-1] + "i(?:es|ed|er|est|ly)")
        elif last not in "aiou":
            forms.append(word + last + "(?:ed|ing|er|est|y)")
        return re.search(rf"\b(?:{'|'.join(forms)})\b", text, re.IGNORECASE) is not None


@source(table="raw.words", licence="Apache-2.0", package=None, part="catalog.sources.basic_words")
def basic_words() -> Iterator[tuple[Word, str]]:
    """Every word, parts of speech and ages in turns: the first rows are of every kind."""
    lists = [(part, age, text.split()) for part, ages in WORDS.items() for age, text in ages.items()]
    for place in range(max(len(words) for _, _, words in lists)):
        for part, age, words in lists:
            if place < len(words):
                word, *forms = words[place].split(":")
                yield Word(word=word, part=part, age=age, forms=tuple(forms)), f"{part}#{word}"


WORDS = {
    "noun": {
        2: """ball dog cat car book bed cup milk shoe hat tree bird fish duck bear baby door spoon apple egg bread
            water house truck train boat sock coat chair table flower moon sun star rain snow cow pig horse bee box
            bag toy doll block cake cookie banana soup nose hand foot:feet hair bath""",
        4: """garden kitchen bridge river forest farm castle rabbit mouse:mice frog lion tiger elephant butterfly
            spider turtle monkey blanket pillow window basket bucket ladder hammer candle mirror balloon kite drum
            bell picture letter puzzle wagon bicycle bus rocket island beach mountain cloud storm rainbow puddle
            leaf:leaves seed nest shadow party present friend neighbor doctor farmer king pirate""",
        9: """adventure museum library journey village market season planet engine magnet telescope volcano dinosaur
            continent recipe calendar compass treasure festival orchestra champion inventor detective sailor soldier
            experiment oxygen skeleton muscle habitat desert glacier harvest vegetable budget newspaper""",
        14: """economy democracy hypothesis molecule ecosystem revolution philosophy inflation literature algorithm
            climate evidence perspective dilemma scholarship internship portfolio prejudice ambition heritage
            citizenship biography psychology technology consequence""",
    },
    "verb": {
        2: """go:went:gone eat:ate sleep:slept run:ran sit:sat play jump walk drink:drank:drunk give:gave look see:saw
            find:found open close push throw:threw kick hug kiss cry laugh sing:sang:sung wash read draw:drew
            fall:fell help stop want""",
        4: """climb build:built paint dance swim:swam:swum fly:flew:flown hide:hid share pour carry catch:caught
            chase clean cook count cut dig:dug drop feed:fed fix follow grow:grew hop hurry knock listen mix pack
            plant pretend pull roll shout slide smile splash swing:swung taste tickle wait wave whisper wish wonder""",
        9: """borrow discover explore invent measure protect repair collect compare decide describe earn imagine
            improve practice predict recycle rescue solve travel trade vote warn wrestle""",
        14: """analyze negotiate persuade influence sacrifice contradict evaluate hesitate interpret investigate justify
            motivate participate postpone procrastinate summarize tolerate volunteer""",
    },
    "adjective": {
        2: """big little hot cold wet red blue yellow green happy sad good:better:best bad:worse:worst yucky dirty soft
            loud fast more tired""",
        4: """tall short round heavy light dark bright shiny fuzzy fluffy sticky slow quiet brave kind silly funny
            scary hungry thirsty sleepy angry gentle empty full broken new old pretty tiny warm sweet sour smooth
            rough strong lonely proud clever grumpy""",
        9: """ancient curious dangerous delicious enormous famous fragile generous honest invisible jealous mysterious
            nervous ordinary patient peaceful polite powerful precious reliable rusty stubborn transparent valuable""",
        14: """ambiguous anxious authentic cautious controversial cynical efficient ethical flexible hypocritical
            impulsive inevitable objective optimistic plausible resilient sarcastic skeptical superficial tedious""",
    },
}
