"""KMLM: say facts of a knowledge graph in one or two languages, with an entity, or a relation of a cycle, masked.

Liu et al., 2021, https://arxiv.org/abs/2111.10962

Departs from the paper:
- The graph is `raw.triples`, not Wikidata5M. Names in other languages stand there too, as facts of the relation
  `label@xx`, one in a language and no further aliases; what has none is said in English.
- The masks that link the parts, on which there is no loss, are written "|": "[mask]" is only what has to be told.
- A run says a fact, and a cycle, at most once; another seed says it in other languages with another mask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.records import PromptCompletion, Record, Triple
from quality.expectations import distinct_together, matches
from tasks.method import Paper, Rows, method
from tasks.operators.cycles import cycles
from tasks.operators.dedup import dedup
from tasks.operators.sample import dice, sample
from tasks.operators.translate import code_switch

LABEL, MASK, KNOWLEDGE, REASONING = "label@", "[mask]", "knowledge", "reasoning"
TITLE = "Enhancing Multilingual Language Model with Massive Multilingual Knowledge Triples"
Names = Mapping[tuple[str, str], Triple]


@dataclass(frozen=True, kw_only=True)
class Path(Record):
    """Facts that belong together: `parts` are subject, relation and object of each."""

    task: str
    graph: str
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Masked(PromptCompletion):
    """Facts with one part masked, and that part; `languages` are those of the words, such as `en, vi`."""

    task: str
    languages: str


@method(
    paper=Paper(TITLE, "Liu et al.", 2021, arxiv="2111.10962"),
    categories=["data-augmentation:non-llm"],
    reads={"triples": "raw.triples"},
    expects=[matches("prompt", r"\[mask\]"), distinct_together("prompt", "completion")],
    # Names in ten languages between bars are no prose, and facts of one relation are alike.
    screens={"fluency": "off", "language": "off", "repetition": "off", "near_duplicate": "off"},
)
def kmlm(
    triples: Rows[Triple], *, rows: int = 10_000, reasoning: float = 0.5, switched: float = 0.5, seed: int = 0
) -> Rows[Masked]:
    """Facts, each part in one of two languages at random; and a share of `reasoning`, cycles in one language."""
    facts = [triple for triple in triples if not triple.relation.startswith(LABEL)]
    names: dict[str, dict[tuple[str, str], Triple]] = {}
    for label in triples:
        if label.relation.startswith(LABEL):
            names.setdefault(label.relation, {})[label.graph, label.subject] = label
    single = sample(facts, rows - round(rows * reasoning), by=lambda fact: fact.graph, seed=seed)
    rings = cycles(facts, round(rows * reasoning), seed=seed)
    paths = [*(_path(KNOWLEDGE, fact) for fact in single), *(_path(REASONING, *ring) for ring in rings)]
    words = {path.record_id: _words(path, names.values(), seed) for path in paths}
    said = code_switch(
        paths,
        parts=lambda path: path.parts,
        dictionary=lambda path: {name: label.object for name, label in words[path.record_id].items()},
        ratio=lambda path: 1.0 if path.task == REASONING else switched,
        seed=seed,
    )
    masked = [_masked(path, parts, words[path.record_id], seed) for path, parts in said]
    return dedup(masked, by=lambda row: (row.prompt, row.completion))


def _path(task: str, *facts: Triple) -> Path:
    parts = tuple(part for fact in facts for part in (fact.subject, fact.relation, fact.object))
    return Path(task=task, graph=facts[0].graph, parts=parts, origin=facts)


def _words(path: Path, names: Iterable[Names], seed: int) -> Mapping[str, Triple]:
    """The parts in a language drawn from English and those that name some of them, for a cycle all."""
    spoken: list[dict[str, Triple]] = [{}]
    for known in names:
        words = {part: known[path.graph, part] for part in path.parts if (path.graph, part) in known}
        if words and (path.task == KNOWLEDGE or words.keys() == set(path.parts)):
            spoken.append(words)
    return dice(seed, "language", path.record_id).choice(spoken)


def _masked(path: Path, parts: Sequence[str], words: Mapping[str, Triple], seed: int) -> Masked:
    draw = dice(seed, "mask", path.record_id)
    place = 3 * draw.randrange(len(parts) // 3) + (1 if path.task == REASONING else draw.choice((0, 2)))
    shown = [*parts[:place], MASK, *parts[place + 1 :]]
    prompt = " ".join(f"{' | '.join(shown[start : start + 3])}." for start in range(0, len(shown), 3))
    used = [words[n] for n, part in zip(path.parts, parts, strict=True) if n in words and part == words[n].object]
    languages = {label.relation.removeprefix(LABEL) for label in used} | ({"en"} if len(used) < len(parts) else set())
    spoken = ", ".join(sorted(languages))
    return Masked(prompt=prompt, completion=parts[place], task=path.task, languages=spoken, origin=(path, *used))
