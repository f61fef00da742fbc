"""Sentiment of reviews: sentences about films, meals, things and places, written here, each plainly good or bad."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source


@source(table="raw.sentiments", licence="Apache-2.0", package=None)
def review_sentiments() -> Iterator[tuple[Labelled, str]]:
    """Two classes of the same size, in turns."""
    for number, pair in enumerate(zip(_POSITIVE, _NEGATIVE, strict=True)):
        for label, text in zip(("positive", "negative"), pair, strict=True):
            yield Labelled(text=text, label=label, dataset="review sentiment"), f"{label}#{number}"


_POSITIVE = (
    "A warm and funny film that I would gladly see again.",
    "The soup was rich, the bread fresh, and the waiter kind.",
    "These boots kept my feet dry through a whole winter.",
    "Our room had a lovely view and the softest bed.",
    "The actors are a delight from the first scene to the last.",
    "It arrived a day early and works perfectly.",
    "Best pancakes in town, and the coffee is superb.",
    "The guide knew every stone and made the tour a joy.",
    "I could not put this novel down; what a clever ending.",
    "The battery easily lasts two days, which is brilliant.",
    "A charming little hotel with friendly, helpful staff.",
    "The songs are beautiful and the sound is crystal clear.",
    "My daughter adores this puzzle and so do I.",
    "Quick, tidy repair at a fair price; I am very happy.",
    "The lake is wonderful for a swim on a hot day.",
    "Every dish we tried was full of flavour.",
    "A gripping story told with great care.",
    "This lamp looks elegant and fills the room with gentle light.",
    "The dentist was patient, gentle and reassuring.",
    "What a splendid concert, I left with a smile.",
    "The instructions are clear and the shelf was up in minutes.",
    "Fresh fish, generous portions and a cheerful host.",
    "An honest and moving portrait of a family.",
    "The new keyboard feels great and is pleasantly quiet.",
    "We loved the garden and the homemade cakes.",
    "Excellent service, they answered all my questions at once.",
    "The museum is a treasure and well worth the trip.",
    "Comfortable seats, a smooth ride and on time.",
    "The jacket fits perfectly and the colour is gorgeous.",
    "A witty play with a first-rate cast.",
)
_NEGATIVE = (
    "A dull and clumsy film that I wanted to walk out of.",
    "The soup was cold, the bread stale, and the waiter rude.",
    "These boots leaked on the first rainy day.",
    "Our room smelled of smoke and the bed was broken.",
    "The actors seem bored and the jokes fall flat.",
    "It came a month late and does not even switch on.",
    "The worst pancakes I have had, and the coffee was bitter.",
    "The guide mumbled, hurried and knew nothing.",
    "I gave up on this novel after forty tedious pages.",
    "The battery dies within an hour, which is useless.",
    "A filthy little hotel with rude, careless staff.",
    "The songs are bland and the sound is awful.",
    "Half of the puzzle's pieces were missing; very annoying.",
    "They botched the repair and overcharged me; I am furious.",
    "The lake was dirty and stank of rotten weed.",
    "Every dish we tried was greasy and tasteless.",
    "A muddled story that makes no sense at all.",
    "This lamp is ugly and it broke within a week.",
    "The dentist was rough, impatient and late.",
    "What a dreadful concert, I left with a headache.",
    "The instructions are a mess and the shelf fell down.",
    "Old fish, tiny portions and a grumpy host.",
    "A fake and tiresome portrait of a family.",
    "The new keyboard sticks and is horribly loud.",
    "We hated the noise and the dry, tasteless cakes.",
    "Terrible service, they never answered a single question.",
    "The museum is a disappointment and a waste of money.",
    "Hard seats, a bumpy ride and two hours late.",
    "The jacket tore at once and the colour is hideous.",
    "A lifeless play with a wooden cast.",
)
