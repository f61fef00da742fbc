"""What people talk with an assistant about: fields of the world, and kinds of text to be written, our own list."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source


@source(table="raw.chat_themes", licence="Apache-2.0", package=None, part="catalog.sources.chat_themes")
def chat_themes() -> Iterator[tuple[Labelled, str]]:
    """Thirty fields, labelled `world`, and twenty kinds of text, labelled `creation`, in turns."""
    listed = [(label, [text.strip() for text in texts.split(",")]) for label, texts in THEMES.items()]
    for place in range(max(len(texts) for _, texts in listed)):
        for label, texts in listed:
            if place < len(texts):
                yield Labelled(text=texts[place], label=label, dataset="chat themes"), f"{label}#{texts[place]}"


THEMES = {
    "world": """food and drink, animals, travel, health, music, weather, sports, school, family life, technology,
        plants and gardens, history, space, money, art, books, films, languages, clothes, houses and building,
        the human body, the sea, work and careers, transport, law, religion, psychology, farming, energy, games""",
    "creation": """a poem, a short story, a letter, a list of tips, a recipe, an advertisement, a speech, a diary entry,
        a news report, a review, an essay, a dialogue, a song, a joke, an invitation, a travel guide, a fairy tale,
        a product description, a lesson plan, an e-mail""",
}
