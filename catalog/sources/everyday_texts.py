"""Short texts about everyday things, such as stand on web pages: science at home, work, feelings, health, crafts."""

from collections.abc import Iterator

from catalog.records import Document
from catalog.sources import source


@source(table="raw.passages", licence="Apache-2.0", package=None, part="catalog.sources.everyday_texts")
def everyday_texts() -> Iterator[tuple[Document, str]]:
    """Written for this repository; the words before the colon are the title."""
    for number, paragraph in enumerate(_TEXTS.strip().split("\n\n"), start=1):
        title, _, text = " ".join(paragraph.split()).partition(": ")
        yield Document(text=text, title=title), f"everyday_texts#{number}"


_TEXTS = """
Why bread rises: Yeast is a living thing that eats the sugar in dough and gives off gas. The gas makes small bubbles,
and the dough holds them because flour and water form an elastic net. In the oven the bubbles grow once more, then the
crumb sets around them.

How tides work: The moon pulls on the sea, and the water under it bulges a little. As the earth turns, a coast passes
through the bulge and the water climbs the beach. The sun helps or hinders, so that tides are highest at new moon and
full moon.

Keeping a bicycle chain clean: A dirty chain wears out twice as fast. Wipe it with a rag, turn the pedals backwards
through a little degreaser, rinse, and dry it. Put one drop of oil on each link, wait ten minutes, and wipe off what
stands outside: oil there only catches dust.

Night shift on a ward: At three in the morning the ward is quiet. I check the drips, write down the temperatures and
listen for the man in room six, who does not ring when he hurts. New nurses fear the emergencies; what wears you down
is deciding whom to wake.

Saying sorry: An apology that explains too much sounds like a defence. Say what you did, say that you see what it did
to the other person, and say what you will do now. Then stop, and let them be angry for as long as they need.

Why leaves turn yellow: In summer a leaf is full of chlorophyll, which is green and catches light. In autumn the tree
takes it back to save what it is made of. Yellow pigments that were there all along can then be seen, and some trees
make red ones besides.

Reading a bank statement: Look first at what leaves your account every month without your doing anything. Most people
find one subscription that they had forgotten. Then compare the balance at the end of each month: one bad month says
little, a slope says much.

Growing tomatoes on a balcony: Tomatoes want six hours of sun, a deep pot and water at the roots, not on the leaves.
Pinch out the shoots that grow between stem and leaf, or you will have a bush with little fruit. A cracked tomato was
dry and then drowned.

How vaccines work: A vaccine shows the body a harmless part of a germ. Some cells learn to make antibodies against it
and remember how for years. When the real germ comes, they are many and quick before it can spread.

The first week in a new job: Nobody expects you to know things in the first week, and everybody expects you to ask.
Write down names, and who decides what. A question that seems stupid on Monday is embarrassing only in June.

Why the sky is blue: Sunlight holds all colours. The air scatters short waves, which we see as blue, far more than
long ones, so blue light comes to us from every side. In the evening the light crosses more air, and mostly red is
left.

Teaching a child to share: A child of two thinks that a toy is hers because she wants it. At four she can guess that
another child wants it too, though she may not like the thought. Take turns with a timer: it is fairer than a parent.

Fixing a dripping tap: Close the valve under the sink and open the tap until nothing comes. Unscrew the handle, pull
out the cartridge and look at the rubber ring: if it is flat or torn, that was the drip. Take the old one to the shop,
since rings come in a hundred sizes.

How honeybees find food: A bee that has found flowers dances on the comb. The angle of her run shows the direction
from the sun, its length how far it is. The others follow her in the dark with their feelers, then fly straight there.

Sleeping better: The body keeps a clock that light sets. Bright light in the morning and dim light at night move it
the right way; a phone in bed moves it back. Get up at the same hour even after a bad night, and the next one will be
better.

A letter from a lighthouse keeper: Since the lamp went electric there is little to do but write down the weather and
paint what the salt has eaten. People ask whether I am lonely. I know forty ships by their lights, and they know mine.

Compound interest: Money that earns interest earns interest on that interest too. At seven percent a year a sum
doubles in about ten years, and again in the next ten. The same rule works against you when the debt is yours.

Training for a first race: Run slowly enough to talk, three times a week, and add a tenth more each week at most.
Lungs improve in a month, tendons need a season. Most people who stop did not lack will; they went too fast.

Why ice floats: Nearly everything shrinks when it freezes. Water does not: its molecules lock into an open lattice
that takes more room. Ice is therefore lighter than water and floats, and fish live through the winter under it.

Listening to a friend: When a friend is sad, advice often comes too early. Ask what happened and then what it was
like. Many people find out what they think while someone listens, and need no advice after that.

How a refrigerator cools: A liquid in the pipes boils inside the cold box and takes heat from the food to do it. A
pump squeezes the vapour until it is hot, and the grid at the back gives that heat to the kitchen. An open fridge
warms the room.

Restoring an old chair: Strip the varnish with a scraper and patience. Loose joints must come apart before they are
glued again; glue on old glue does not hold. Two thin coats of oil show the grain better than one thick one.

The library at closing time: In the last hour come those who have nowhere to hurry to: students, a man who reads every
newspaper, a girl who waits for her mother. I have learned to put the lights out one row at a time.

What a budget is for: A budget does not forbid anything. It says beforehand what the money is for, so that the
decision is made by the person who is calm and not by the one in front of the shelf.

How plants drink: Water evaporates from the leaves and pulls the water behind it up through thin tubes, as through a
straw. On a hot day a birch lifts hundreds of litres. When the soil is dry, the leaves close their pores and growth
stops.

Crossing a language border: On this side of the river the baker says good morning in one language, on the other side
in another, and both count change in a third that only markets know. Children here switch in the middle of a sentence.

Washing hands: Soap has molecules with one end that likes water and one that likes fat. They pull the fatty coat of
germs apart and carry the pieces off. Twenty seconds are needed because it is rubbing that brings the soap between the
fingers.

A referee explains: I see the foul, but I also see what the foul was for. If the attacker keeps the ball, whistling
helps the one who broke the rule. So I stretch out both arms and let it run, and half the stadium shouts at me.

Why we dream: Nobody knows for sure. In sleep the brain repeats the day and seems to sort what should stay. Dreams may
be what this work looks like from inside, with fears and wishes as the loudest voices.

Mending clothes: A hole in wool is best darned before it grows. Weave the thread over and under across the hole,
loosely, so that it can stretch. A patch on a knee lasts longest if it is a size larger than the damage.

How earthquakes happen: The plates of the earth's crust push against each other and stick. Strain builds for years
until the rock breaks, and the ground jumps within seconds. The wave that does the damage comes after one that only
rattles windows.

Telling a white lie: She asked whether I liked the scarf, and I said yes. She knew, I think, and was pleased that I
wished to please her. A lie that both understand is almost a kind of politeness.

The market gardener: I cut the lettuce at five, when it is crisp, and sell it at seven. By ten the customers ask for
discounts and by eleven they are right. What is left goes to my neighbour's goats, who do not haggle.

Sending a secret message: Two friends can agree on a number and shift every letter by it. Anyone who guesses the
method needs only twenty-five tries. A good cipher is one that stays safe even when the enemy knows how it works.

Moving to another city: For half a year everything takes twice as long, because you do not know where anything is.
Then one day someone asks you the way, and you know it. That is the day on which you live there.

How muscles grow: Lifting something heavy damages the fibres of a muscle slightly. The body repairs them a little
thicker than before, given protein and rest. Without rest there is only damage.

Bargaining for a used car: Know the price before you look at the car, and look at it in daylight. Cold engines tell
the truth; a seller who has warmed it up has a reason. Be ready to walk away, and mean it.

How clouds form: Warm air rises, grows cold and can hold less water. The water settles on specks of dust as droplets
so small that they float. When they meet and merge they become too heavy, and it rains.

A grandmother on the telephone: My grandson calls on Sundays and says that school is fine. I ask what he ate, because
then he forgets to be careful and tells me everything. It is the pauses that I listen to.

Why antibiotics stop working: A drug kills most bacteria, but one may be able to survive it, and it has children. If
the treatment is broken off early, or taken without need, the survivors spread. It is not the patient who becomes
resistant but the germ.

The shape of a story: Someone wants something and cannot have it. What they try makes it worse. In the end they get
it, or learn that they wanted something else. Nearly every tale around a fire has gone this way.

Planning a small wedding: Decide on the number of guests before anything else, because everything costs by the head.
Feed people early, keep speeches under five minutes, and give the shy ones something to do.

How solar panels work: Light knocks electrons loose in a thin slice of silicon, and a built-in field makes them flow
one way. More light means more current, but heat makes the panel worse. A cool clear day in spring beats a hot one in
summer.

Learning the violin at sixty: My teacher is twenty-three and never says that it is late. The left hand learned in a
year; the right arm, which makes the tone, will need the rest of my life. My neighbours have bought me a mute.

Making a fair choice: One child cuts the cake and the other chooses. The cutter makes the pieces equal, since the
larger one would go to the other. Nobody has to trust anybody for it to work.

How a volcano erupts: Melted rock is lighter than the solid rock around it and creeps upwards. Gas is dissolved in it
as in a closed bottle. Near the surface the pressure falls, the gas froths, and the mountain opens like a shaken
bottle.

Fear of speaking: The heart beats as it would before a fall, though only faces are waiting. Breathing out slowly tells
the body that there is no fall. The audience sees a tenth of what you feel.

Sorting rubbish: Glass can be melted again for ever, paper about six times, until its fibres are too short. A pizza
box with grease on it spoils a whole bale. What is mixed at home is hard to part in the plant.

How money began: People who exchange grain for shoes must each want what the other has. Shells, salt and silver ended
that: everyone took them because everyone else did. A banknote is the same promise on paper.

The bus driver: I know who is late by how they run. I wait for those who wave and not for those who hammer on the
door; my mirror has made me a judge of character. On Christmas Eve a boy gave me half of his orange.

How memory works: A memory is not a film that is kept and played. It is built anew each time from pieces, and the gaps
are filled with what is likely. So two honest witnesses may remember two different accidents.

Cooking for many: Choose a dish that waits: stew, soup, rice from the oven. Twice the amount needs longer to boil but
not twice as long to cook. Season at the end, because salt that was right for the first litre is not for the tenth.

Why metals rust: Iron and oxygen join in the presence of water to form a brown crust that flakes off and lays bare new
iron. Salt makes it quicker. Paint keeps the water out, and zinc rusts in place of the iron.

Keeping a promise: A promise made to be kind is often broken out of kindness too. Promise less, and say by when.
Someone who hears early that you cannot come can still ask another.

How the heart beats: A small knot of cells gives a signal about once a second. It runs over the upper chambers, waits
a moment while they empty, and then over the lower ones. No thought is needed, which is why it goes on in sleep.

A night at the observatory: We opened the dome at dusk and waited for the air to settle. The galaxy was a smudge on
the screen whose light had left before there were people. My student asked if she might go outside and look up
instead.

Choosing a password: Length beats strangeness. Four words that do not belong together are easy to remember and hard to
guess. Never use one twice: thieves try what they stole in one place everywhere else.

How boats stay up: A boat pushes water aside until that water weighs as much as the boat. A lump of steel cannot push
aside enough, a steel bowl can. Load it too much, and the bowl must sink deeper to find its balance.

Quarrels between neighbours: The hedge is seldom about the hedge. Speak before writing, and write before calling
anyone official. Ask what they see from their window; it is a different hedge from there.

Counting birds in winter: For one hour each January we write down every bird in the garden. Alone the list says
nothing. With ten thousand other gardens it shows that sparrows are fewer and that magpies have moved to town.
"""
