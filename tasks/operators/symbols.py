"""`symbols`: labels without a meaning of their own, to put in the place of those that have one (operators.md 19)."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from string import ascii_lowercase

from catalog.records import digest
from tasks.operators.sample import dice


def symbols(*, held_out: bool = False) -> Sequence[str]:
    """About 10,000 integers, 10,000 strings of letters and 10,000 words of two; or those held out for tests."""
    return _all_symbols()[held_out]


@cache
def _all_symbols() -> tuple[Sequence[str], Sequence[str]]:
    letters = (dice(0, "letters", i) for i in range(10_700))
    every = dict.fromkeys(
        [
            *(str(number) for number in range(10_700)),
            *("".join(draw.choices(ascii_lowercase, k=draw.randint(3, 6))) for draw in letters),
            *(first + second for first, second in product(_FIRST.split(), _SECOND.split())),
        ]
    )
    held = {symbol for symbol in every if digest(symbol).startswith("0")}
    return [symbol for symbol in every if symbol not in held], [symbol for symbol in every if symbol in held]


_FIRST = """
    acorn amber anchor apple apron arrow attic autumn bacon badger bamboo banjo barley barrel basket beacon beaver
    birch blanket bottle branch brass bread breeze brick bronze brook broom bucket butter button cactus camel candle
    canoe carpet carrot cattle cedar cherry chimney cider cinder circle clay clover cobalt coffee comet copper coral
    cotton cradle crayon cricket crystal cushion daisy desert dolphin donkey dragon eagle elbow ember falcon feather
    fennel ferry fiddle finger flannel flint forest fossil fountain garlic garnet ginger glacier goblet granite gravel
    hammer harbor harvest hazel helmet heron honey indigo island ivory jacket jasmine jelly jungle kettle kitten ladder
    lantern lemon"""
_SECOND = """
    alley anvil arch ash atlas axle bank bark barn bay beam bell bench bird blade bloom boat bolt bone boot bow box
    bridge brush bulb cap card cart case cave chain chalk chart chest cliff cloak clock cloth cloud coat coin cone cord
    crane crest crown cup dale deck dish dock door dove drum dune fan fern field fig fish flag flame flute foam fork
    frame frost gate gem glass globe glove grain grove gull hall harp hat hedge hill hive hook horn house jar jug keel
    key kite knot lace lake lamp lane latch leaf ledge lens lid loaf lock loom mast mat maze mill mint moss mug nest"""
