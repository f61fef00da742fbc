"""Cards: what a version is, how it was made, from what, by which models, how good it is, and how to make it again.

A card is read from the catalogue alone, so that it says what was, not what a method would do today; only what a paper
is called and where the method departs from it comes from the method's file. `markdown` has the header that Hugging
Face reads (https://huggingface.co/docs/hub/datasets-cards), `croissant` is JSON-LD of Croissant 1.1
(https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).
"""

from tasks.cards.card import Card, card_of
from tasks.cards.croissant import Datum, croissant
from tasks.cards.markdown import markdown

__all__ = ["Card", "Datum", "card_of", "croissant", "markdown"]
