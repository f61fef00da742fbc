"""Symbol tuning: in-context classification whose labels are arbitrary symbols, so that only the examples explain them.

Wei et al., 2023, https://arxiv.org/abs/2305.08298

Departs from the paper:
- The datasets are those of `raw.labelled_texts`; the paper takes 22 public ones.
- The unrelated words are made of two everyday words each. There are as many symbols for tuning (about 30,000) but fewer
  for tests, told apart by a hash.
- A prompt shows at most `max_classes` classes, so that a dataset of many fits a context.
- The formats that show an example are our own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from string import ascii_lowercase

from catalog.records import Labelled, PromptCompletion, digest
from quality.expectations import differ, not_blank, unique
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.program import program
from tasks.operators.sample import dice, sample


@dataclass(frozen=True, kw_only=True)
class SymbolPrompt(PromptCompletion):
    """Examples with symbols for labels, then a text without; `label` is what the completion, a symbol, stands for."""

    label: str
    dataset: str


Classes = Mapping[str, Sequence[Labelled]]
"""Rows of one dataset, by label."""


@method(
    paper=Paper(
        "Symbol tuning improves in-context learning in language models", "Wei et al.", 2023, arxiv="2305.08298"
    ),
    categories=["data-augmentation:reformation", "data-augmentation:non-llm"],
    reads={"labelled": "raw.labelled_texts"},
    expects=[unique("prompt"), not_blank("completion"), differ("completion", "label")],
    # Prompts are examples in a row, each in the same form; two may share most of theirs.
    screens={"repetition": "off", "fluency": "off", "near_duplicate": "off"},
)
def symbol_tuning(
    labelled: Rows[Labelled],
    *,
    rows: int = 1000,
    min_shots: int = 2,
    max_shots: int = 10,
    max_classes: int = 4,
    held_out: bool = False,
    seed: int = 0,
) -> Rows[SymbolPrompt]:
    """`rows` prompts, the datasets in turn; `held_out` takes the symbols that tuning never shows, for tests."""
    distinct = dedup(labelled, by=lambda row: (row.dataset, row.text))
    classes = _by_class(distinct)
    usable = keep(distinct, lambda row: _fault(row, classes[row.dataset], min_shots))
    known = symbols(held_out=held_out)

    def episode(query: Labelled, draw: Random) -> tuple[list[Labelled], str, str]:
        examples = _examples(query, classes[query.dataset], draw, (min_shots, max_shots), max_classes)
        labels = sorted({example.label for example in examples})
        symbol = dict(zip(labels, draw.sample(known, len(labels)), strict=True))
        return examples, _verbalise(examples, query, symbol, draw.choice(FORMATS)), symbol[query.label]

    made: list[SymbolPrompt] = []
    rounds, rest = divmod(rows, max(1, len(usable)))
    for turn in range(rounds + 1):  # in every full round each text is the query once
        queries = sample(usable, len(usable) if turn < rounds else rest, by=lambda row: row.dataset, seed=seed)
        for query, (examples, prompt, completion) in program(queries, episode, seed=seed + turn * 1_000_003):
            origin = (*examples, query)
            made.append(
                SymbolPrompt(
                    prompt=prompt, completion=completion, label=query.label, dataset=query.dataset, origin=origin
                )
            )
    return made


def symbols(*, held_out: bool = False) -> Sequence[str]:
    """The arbitrary labels: about 10,000 integers, 10,000 strings of letters and 10,000 words; or those held out."""
    return _all_symbols()[held_out]


@cache
def _all_symbols() -> tuple[Sequence[str], Sequence[str]]:
    letters = (dice(0, "letters", i) for i in range(10_700))
    every = dict.fromkeys(
        [
            *(str(number) for number in range(10_700)),
            *("".join(draw.choices(ascii_lowercase, k=draw.randint(3, 6))) for draw in letters),
            *(first + second for first, second in product(FIRST.split(), SECOND.split())),
        ]
    )
    held = {symbol for symbol in every if digest(symbol).startswith("0")}
    return [symbol for symbol in every if symbol not in held], [symbol for symbol in every if symbol in held]


def _by_class(labelled: Sequence[Labelled]) -> Mapping[str, Classes]:
    classes: dict[str, dict[str, list[Labelled]]] = {}
    for row in labelled:
        classes.setdefault(row.dataset, {}).setdefault(row.label, []).append(row)
    return classes


def _fault(row: Labelled, classes: Classes, shots: int) -> str:
    """Why a row cannot be the query: its class and one other must show `shots` other texts."""
    if len(_others(row, classes[row.label])) < shots:
        return f"its class has fewer than {shots} other texts"
    if not any(len(rows) >= shots for label, rows in classes.items() if label != row.label):
        return f"its dataset has no other class with {shots} texts"
    return ""


def _examples(query: Labelled, classes: Classes, draw: Random, shots: tuple[int, int], most: int) -> list[Labelled]:
    """As many examples of the query's class as of others; each text but the query's may be one."""
    found = {label: _others(query, rows) for label, rows in classes.items()}
    rivals = sorted(label for label, rows in found.items() if label != query.label and len(rows) >= shots[0])
    chosen = [query.label, *draw.sample(rivals, min(len(rivals), most - 1))]
    count = min(draw.randint(*shots), *(len(found[label]) for label in chosen))
    examples = [row for label in chosen for row in draw.sample(found[label], count)]
    draw.shuffle(examples)
    return examples


def _others(query: Labelled, rows: Sequence[Labelled]) -> list[Labelled]:
    return [row for row in rows if row.text != query.text]


def _verbalise(examples: Sequence[Labelled], query: Labelled, symbol: Mapping[str, str], names: tuple[str, str]) -> str:
    shown = [f"{names[0]}: {_line(row.text)}\n{names[1]}: {symbol[row.label]}\n\n" for row in examples]
    return "".join(shown) + f"{names[0]}: {_line(query.text)}\n{names[1]}:"


def _line(text: str) -> str:
    return " ".join(text.split())


FORMATS = (
    ("Input", "Output"),
    ("Input", "Symbol"),
    ("Text", "Label"),
    ("Text", "Class"),
    ("Sentence", "Answer"),
    ("Example", "Tag"),
    ("Q", "A"),
    ("X", "Y"),
)

FIRST = """
    acorn amber anchor apple apron arrow attic autumn bacon badger bamboo banjo barley barrel basket beacon beaver
    birch blanket bottle branch brass bread breeze brick bronze brook broom bucket butter button cactus camel candle
    canoe carpet carrot cattle cedar cherry chimney cider cinder circle clay clover cobalt coffee comet copper coral
    cotton cradle crayon cricket crystal cushion daisy desert dolphin donkey dragon eagle elbow ember falcon feather
    fennel ferry fiddle finger flannel flint forest fossil fountain garlic garnet ginger glacier goblet granite gravel
    hammer harbor harvest hazel helmet heron honey indigo island ivory jacket jasmine jelly jungle kettle kitten ladder
    lantern lemon"""
SECOND = """
    alley anvil arch ash atlas axle bank bark barn bay beam bell bench bird blade bloom boat bolt bone boot bow box
    bridge brush bulb cap card cart case cave chain chalk chart chest cliff cloak clock cloth cloud coat coin cone cord
    crane crest crown cup dale deck dish dock door dove drum dune fan fern field fig fish flag flame flute foam fork
    frame frost gate gem glass globe glove grain grove gull hall harp hat hedge hill hive hook horn house jar jug keel
    key kite knot lace lake lamp lane latch leaf ledge lens lid loaf lock loom mast mat maze mill mint moss mug nest"""
