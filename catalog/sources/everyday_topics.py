"""Topics for textbooks: science, daily life, what people think and feel, work and money, body and health, language."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source


@source(table="raw.topics", licence="Apache-2.0", package=None, part="catalog.sources.everyday_topics")
def everyday_topics() -> Iterator[tuple[Labelled, str]]:
    """Written for this repository: a topic with its area, the areas in turn."""
    lines = " ".join(_TOPICS.split()).strip(". ").split(". ")
    listed = [(area, topics.split("; ")) for area, _, topics in (line.partition(": ") for line in lines)]
    for number in range(max(len(topics) for _, topics in listed)):
        for area, topics in listed:
            if number < len(topics):
                yield Labelled(text=topics[number], label=area, dataset="topics"), f"{area}#{topics[number]}"


_TOPICS = """
nature: why the sky is blue; how clouds form and when it rains; the tides of the sea; why leaves turn yellow in
    autumn; how honeybees find flowers; why ice floats on water; how plants drink water; how earthquakes happen; how a
    volcano erupts; why birds are counted in winter; how rivers shape the land; why the moon changes its shape; how
    seeds travel; what soil is made of; how animals sleep through the winter.
things at home: how bread rises; how a refrigerator cools; how soap cleans hands; why metals rust; fixing a dripping
    tap; how solar panels make power; how boats stay on the water; keeping a bicycle chain clean; restoring an old
    chair; mending clothes; sorting rubbish and paper; cooking soup for many guests; growing tomatoes in a pot; how a
    lock opens; why a kettle whistles.
people and feelings: saying sorry to a friend; listening to someone who is sad; telling a white lie; teaching a child
    to share a toy; keeping a promise; fear of speaking in front of an audience; quarrels between neighbours; guessing
    what another person wants; making a fair choice between two; why people feel lonely; what makes a joke funny; how
    trust is built; why two witnesses remember different accidents; being patient while waiting; feeling proud of a
    friend.
work and money: the first week in a new job; reading a bank statement; how compound interest grows; what a budget is
    for; bargaining for a used car; how money began; what a nurse does at night; what a referee decides; how a market
    sells fruit; running a library; driving a bus in town; planning a wedding with few guests; why prices rise;
    working in a team; what taxes pay for.
body and health: how the heart beats; how muscles grow after rest; how vaccines protect the body; why antibiotics stop
    working; sleeping better at night; why we dream; training for a first race; how memory works; washing hands to
    keep germs away; how the eye sees colours; why we need water; how the lungs take in air; what food gives energy;
    how a broken bone heals; why we yawn.
language and ideas: the shape of a story; sending a secret message; choosing a good password; moving to another city;
    people who speak two languages; learning the violin late in life; what makes an argument fair; how maps are made;
    how numbers were invented; writing a letter; how a library sorts books; looking at galaxies in the night sky;
    rules of a game; what a question is; how calendars count days.
"""
