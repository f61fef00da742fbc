# ruff: noqa: E501 - a pattern reads best on its own line
"""Toxicity: abuse of a person, hate against a group, threats, calls to hurt oneself, and foul language.

Each sentence is weighed: slurs, obscenities, insults, whom they are said to, threats, and groups called vermin. A word
alone seldom weighs enough, so that medicine, law, news and the names of Scunthorpe and Moby Dick pass. Spellings such
as `f*ck` and `sh1t` are read as what they stand for. A text that has an obscenity or a slur but no such sentence is
judged as a whole by alt-profanity-check (https://github.com/dimitrismistriotis/alt-profanity-check), a linear model over
single words, which alone takes "Will you die?" and red balls for foul.
"""

import functools
import hashlib
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.errors import Refusal
from quality.screens import Fault, Span, text_screen
from quality.screens._suspects import look_closely

# Stems; what follows in brackets may vary. The words are here to be found, and for nothing else.
_SLURS = (
    r"nigg(?:er|a|ah|uh)s?|fag(?:got)?s?|faggy|kikes?|spics?|wetbacks?|chinks(?! in)|gooks?|tranny|trannies|shemales?|towel ?heads?|rag ?heads?"
    r"|sand ?nigg\w+|dykes?(?= (?:bitch|whore|cunt))|coons?(?= (?:are|should|bitch))|retards?(?! (?:the|its|their|his|growth|progress|flame|fire|combustion|development|a\b|or\b|by\b))"
    r"|retarded(?= (?:bitch|idiot|ass|fuck|piece|people|kid|little|moron))|pakis?(?= (?:scum|bastard|are|go))|gypp(?:o|y)s?|muzzies?|libtards?|fucktards?|cocksuck\w+"
)
_OBSCENE = (
    r"(?:mother ?)?fuck(?:s|ass|boys?|boi|en|ed|er|ers|ing|in|in'|face|faces|head|heads|wit|wits|off|up)?|mofos?|cunts?|cunty|bullshit\w*|shit(?:s|ty|ter|head|heads|bag|bags|hole|stain|face|faced|show)?"
    r"|ass ?holes?|arse ?holes?|bitch(?:es|y|ing|ass)?|dick ?heads?|dumb ?ass(?:es)?|jack ?ass(?:es)?|pricks?(?! up| of| his| her| my)|twats?|wank(?:er|ers|ing)|bastards?|whores?|sluts?|slutty|skanks?|douche ?bags?"
    r"|son of a bitch|piss(?:ed)? off|suck(?:ing)? (?:my|his|a|your) (?:dick|cock|balls)|dick sucker|pussy|pussies|cock(?:s)?(?= suck)|crap(?:py)?|damn(?:ed)?|hell(?= is wrong| with (?:you|u)\b)|ass(?= (?:off|out|kicked|up|beat))|your ass(?:es)?|fat ass(?:es)?|tits"
)
_INSULT = (
    r"idiots?|idiotic|morons?|moronic|imbeciles?|cretins?|stupid|dumb(?:er|est)?|pathetic|worthless|useless|disgusting|ugly|losers?|scum(?:bags?)?|trash|garbage|filth(?:y)?|pigs?|vermin|parasites?|cockroach(?:es)?|maggots?"
    r"|subhuman|sub-human|brain ?dead|brainless|imbecilic|scumbag|low ?lifes?|degenerates?|creeps?|freaks?|retarded|fat|dirty|nasty|repulsive|vile|waste of (?:space|oxygen|air|life|skin|time)|piece of (?:shit|crap|garbage|trash|filth|work)|clowns?|fools?|foolish|lazy|cowards?|psychos?|animals?(?= *(?:[.!]|$))|nobody (?:likes|loves|cares about|will ever (?:love|like|want)|would miss) (?:you|u)\b"
)
_NAMED = (
    r"(?:immigrants?|migrants?|foreigners?|refugees?|aliens|muslims?|islam|jews?|jewish people|christians?|hindus?|sikhs?|arabs?|blacks?|black people|whites?|white people|asians?|mexicans?|latinos?|hispanics?|africans?|indians?|chinese(?: people)?"
    r"|gays?|gay people|lesbians?|homosexuals?|transgenders?|trans(?:gender)? people|queers?|women|females?|girls|feminists?|disabled people|cripples|gypsies|roma|liberals|conservatives|democrats|republicans|these people|those people|all of them)"
)
_GROUP = rf"(?:{_NAMED}|they)"
_HATE = (
    rf"(?<!not all )(?<!not every )\b{_NAMED}\b[^.!?\n\"“”]{{0,60}}\b(?:are|is|were)(?! not\b)\b[^.!?\n]{{0,40}}\b(?:animals|vermin|subhuman|sub-human|parasites?|cockroaches|rats|savages|scum|filth|filthy|trash|garbage|a (?:disease|plague|cancer|virus|pest)|inferior|apes|monkeys|pigs|dogs|worthless|disgusting|terrorists|rapists|criminals|stupid|too (?:stupid|dumb))\b"
    rf"|\b{_GROUP}\b[^.!?\n]{{0,40}}\b(?:should|must|need to|deserve to|have to|ought to)\b (?:all )?(?:be )?(?:killed|exterminated|eradicated|wiped out|shot|hanged|hung|gassed|deported or killed|die|burned|eliminated|purged|sterili[sz]ed|enslaved|put down|raped|beaten)\b"
    rf"|\b(?:kill|gas|exterminate|hang|shoot|burn|lynch|eradicate|deport) (?:all|every|each) (?:of )?(?:the |those |these |last )?(?:\w+ )?{_GROUP}\b"
    rf"|\bI (?:really |fucking |just |absolutely )*(?:hate|despise|loathe|can'?t stand) (?:all |the |those |these |every |fucking )+{_GROUP}\b"
    rf"|\b{_GROUP} (?:belong|should stay|should be) in (?:the kitchen|cages?|chains|ovens?|the zoo|camps?)|\b(?:get|go) (?:the (?:fuck|hell) )?out of (?:our|my|this) (?:country|land|town|neighbou?rhood)\b[^.!?\n]{{0,40}}\b{_GROUP}\b|\bgo back to (?:your|where you|ur|africa|mexico|china|india)\b[^.!?\n]{{0,30}}(?:country|came from|jungle|belong|[!.])"
    r"|\b(?:vermin|subhuman|sub-human|parasites)\b[^.!?\n]{0,60}\b(?:wiped out|exterminated|eradicated|deserve to die|killed|must die|should die)"
)
_YOU = r"(?:you|u|ya|yourself|urself|yourselves)"
_THREAT = (
    rf"\b(?:go (?:and )?|please |just |should |why don'?t {_YOU} )+(?:kill|hang|shoot|off|drown|end) (?:yo)?urself|(?:^|[.!?\n])\W*(?:kill|hang) (?:yo)?urself|\bkys\b|(?:^|[.!?\"] ?)die,? (?:you\b|u\b|all of you|\w+ scum)"
    rf"|\b(?:go|please|hope (?:that )?(?:{_YOU}|he|she|they)(?: all)?|hope (?:your|ur) (?:\w+ )?(?:family|mother|kids|children)|wish {_YOU} (?:would|were)|{_YOU} (?:should|deserve to|need to|ought to)|eat shit and) (?:\w+ (?:on \w+ \w+ )?and )?(?:die|dead|burn in hell|rot in hell|get (?:cancer|raped|killed|shot|aids|hit by)|suffer|choke)\b"
    rf"|\b(?:I'?m|I am|I|we|we'?re|imma|ima)(?: going to| gonna|'?ll| will| swear I(?:'?ll| will)?| want to| would love to)+ (?:find (?:{_YOU} and )?|come (?:over )?(?:and )?|fucking |personally |find out where {_YOU} live and |hunt {_YOU} down and )*(?:kill|murder|beat|rape|stab|shoot|slit|strangle|hurt|destroy|break|smash|burn|cut|gut|bash|choke|bury)(?: the (?:crap|shit|hell) out of)? (?:{_YOU}|your (?:\w+ )?(?:family|throat|house|face|neck|legs|bones|skull|kids|children|mother|wife|ass|teeth|head))\b"
    rf"|\b{_YOU}(?:'?re| are|'?ll be| will be)? (?:a )?(?:going to |gonna |dead meat|will )(?:die|pay for this with|regret being born|bleed|suffer)\b|\b{_YOU}(?:'?re| are) dead (?:meat|to)\b|\bI know where {_YOU} live\b|\bwatch (?:yo)?ur back\b"
    rf"|\b(?:nobody|no one) (?:would|will) (?:miss|mourn) {_YOU}\b|\bthe world (?:would|will) be (?:a )?better (?:place )?(?:off )?without {_YOU}\b|\b{_YOU} should never have been born\b|\bdo (?:us|everyone|the world) a favou?r and (?:die|kill|jump|disappear)\b"
    rf"|\b(?:eat shit|burn in hell|rot in hell|drop dead|go to hell|fuck off|fuck (?:{_YOU}|off|them all|him|her|them|all)|screw {_YOU}|shut (?:the (?:fuck|hell) up|your (?:\w+ )?(?:mouth|trap|face|hole))|get lost,? {_YOU}\b|suck my (?:dick|cock|balls))\b"
)
_TO_SOMEONE = re.compile(
    rf"\b(?:{_YOU}(?:'?re|'?ll)?|ur|your|yours|he(?:'s)?|she(?:'s)?|him|his|her|they(?:'re)?|them|their|those|these|this|that|what an?|such an?)\b",
    re.IGNORECASE,
)
_TO_YOU = re.compile(
    rf"\b(?:{_YOU}|you'?re|ur) (?:are |is |all |people |guys |lot |of |such |so |really |just |nothing but |look like |sound like |must be |absolute(?:ly)? |complete(?:ly)? |total(?:ly)? |utter(?:ly)? |fucking |are a bunch of |an? |the |most |such an? |fat |little |old |dirty |dumb |stupid |ugly |lying |pathetic |worthless |disgusting |ignorant |piece of |bunch of ){{0,5}}"
    rf"(?:{_OBSCENE}|{_INSULT}|{_SLURS})\b",
    re.IGNORECASE,
)
_WORDS = re.compile(rf"\b(?:(?P<slur>{_SLURS})|(?P<obscene>{_OBSCENE})|(?P<insult>{_INSULT}))\b", re.IGNORECASE)
_MILD = re.compile(r"(?:crap|damn|hell|piss|tits|bastard|jack ?ass|ass|your ass)", re.IGNORECASE)
_GRAVE = re.compile(rf"(?P<threat>{_THREAT})|(?P<hate>{_HATE})", re.IGNORECASE)
_QUOTED = re.compile('["“‘«][^"”’»]{0,40}$')
_KNOWN = {
    "vectorizer.joblib": "19c5200dc6a41f026e0558e2f164f5fe8d8f58e502b46b37e4385037fcfa4831",
    "model.joblib": "aeafc04849d4d93db4721cf30a86ebf22085595294b8a07d51918e7fa98f538b",
}
"""The files of alt-profanity-check 1.9.1 and their SHA-256."""
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+|\n|$)")
_MASKED = re.compile(
    r"(?<![\w*])(?=[a-z@$!*#0-9]*[a-z])(?=[a-z@$!*#]*[@$!*#013])[a-z@$!*#013]{3,14}(?![\w*])", re.IGNORECASE
)
_DASHED = re.compile(r"\bf[-–—*]{2,4}(?:k(?=ing|e|s|\b))?(?=ing|er|ed|\b|\W)", re.IGNORECASE)
_LEET = str.maketrans("@$!013", "asioie")
_SPELLED = (
    (re.compile(r"^f[*#u]?[*#c]{1,2}[*#k](ing|er|ers|ed|s|in|off)?$"), "fuck"),
    (re.compile(r"^m\w*f[*#]+k?(er|ers)?$"), "fucker"),
    (re.compile(r"^sh?[*#i]{1,2}t?(ty|head|s)?$"), "shit"),
    (re.compile(r"^b[*#i]{1,4}t?c?h(es)?$"), "bitch"),
    (re.compile(r"^c[*#u][*#n]t(s)?$"), "cunt"),
    (re.compile(r"^a[*#s]{1,2}[*#h]ole(s)?$|^a\*+e(s)?$"), "asshole"),
    (re.compile(r"^n[*#i][*#g]{2}[*#ea]?[*#r]?(s)?$"), "nigger"),
)  # fmt: skip
# What a sentence at fault has at least, so that few texts are weighed.
_ANY = (
    r"(?i)\b(?:nigg|fag|kike|spic|wetback|chink|gook|trann|shemale|towel ?head|rag ?head|sand ?nig|dyke|coons?\b|retard|pakis?\b|gypp|muzzie|libtard|fucktard|cocksuck|mother ?fuck|fuck|mofo|cunt|bullshit|shit"
    r"|ass(?:es)?\b|ass ?hole|arse|jack ?ass|bitch|dick|dumb|prick|twat|wank|bastard|whore|slut|skank|douche|son of a b|piss|suck|puss|cocks?\b|crap|damn|hell\b|fat ass|tits|idiot|moron|imbecile|cretin|stupid"
    r"|pathetic|worthless|useless|disgusting|ugly|losers?\b|scum|trash|garbage|filth|pigs?\b|vermin|parasite|maggot|subhuman|sub-human|brain ?dead|brainless|low ?life|degenerate|creep|freak|repulsive|vile\b|waste of|piece of|clowns?\b|cowards?\b|psycho)"
    r"|\b[a-z]{1,6}[*#@$!]{1,4}[a-z]{1,8}\b|\bf[-–—*]{2}|\b(?:sh1t|b1tch|fuk|fck|a55)"
    r"|\b(?:kill|hang|murder|beat|rape|stab|shoot|strangle|slit|break|smash|burn|gut|bash|choke|destroy|hurt|cut|off|drown|end|bury) (?:[a-z']+ ){0,4}(?:you|u|ur|your|yourself|urself|all|every|each)\b"
    r"|\bdie\b|\bdead\b|exterminat|wiped out|eradicat|\bhate\b|despise|loathe|can'?t stand|out of (?:our|my|this) |go back to|\bkys\b|in the kitchen|cages?\b|(?:you|u) live\b|watch (?:yo)?ur back|miss (?:you|u)\b"
    r"|without (?:you|u)\b|in hell|shut your|been born|\b(?:animals|rats|apes|monkeys|plague|savages|inferior|terrorists|rapists|criminals)\b|(?:likes|loves|cares about) (?:you|u)\b"
    r"|\bbe (?:killed|shot|hanged|hung|gassed|deported|burned|eliminated|purged|sterili|enslaved|put down|raped|beaten)|deserve to|belong in|\b(?:gas|lynch|deport) (?:all|every|each)|pay for this|regret being"
)


@text_screen(policy="drop", axis="security")
def toxicity(texts: Sequence[str], *, threshold: float = 5.0, probability: float = 0.6) -> list[Fault | None]:
    """Fault the texts of which a sentence weighs the threshold or more, and those that are foul as a whole.

    Args:
        texts: what to look at.
        threshold: weight from which a sentence is at fault. A slur weighs 4, an obscenity 2, an insult 1; a threat or
            hate against a group 5; "you are" before an insult adds 3, a person in the sentence 1.
        probability: that a text with an obscenity or a slur is foul, from which it is at fault.

    Raises:
        Refusal: where the installed classifier is not the one that was looked at.
    """
    return look_closely(texts, _ANY, lambda text: _fault(text, threshold, probability))


def _fault(text: str, threshold: float, probability: float) -> Fault | None:
    plain = _MASKED.sub(lambda match: _unmasked(match[0]), _DASHED.sub("fuck", text)).replace("’", "'")
    worst, what, place = 0.0, "", (0, 0)
    foul = [match.end() - 1 for match in _WORDS.finditer(plain)]
    places = foul + [match.end() - 1 for match in _GRAVE.finditer(plain)]
    for sentence in _SENTENCE.finditer(plain) if places else ():
        if not any(sentence.start() <= last < sentence.end() for last in places):
            continue
        weight, kind = _weigh(sentence[0])
        if weight > worst:
            worst, what, place = weight, kind, sentence.span()
    if worst >= threshold:
        spans = (Span(*place, "TOXIC"),) if len(plain) == len(text) else ()
        return Fault(what, f"weight {worst:.0f}: {plain[slice(*place)].strip()[:120]}", spans)
    if foul and any(match.lastgroup != "insult" and not _MILD.fullmatch(match[0]) for match in _WORDS.finditer(plain)):
        share = _classifier()(plain)
        if share >= probability:
            return Fault("is foul", f"probability {share:.2f}: {plain[slice(*place)].strip()[:120]}")
    return None


@functools.cache
def _classifier() -> Callable[[str], float]:
    """The probability that a text is foul, by alt-profanity-check.

    Its two files are pickles, which run code when they are read: they are read only where they are the known ones.
    """
    import importlib.util

    spec = importlib.util.find_spec("profanity_check")
    if spec is None or not spec.submodule_search_locations:
        raise Refusal("toxicity: alt-profanity-check is not installed; pip install alt-profanity-check==1.9.1")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    vectorizer, model = (_unpickled(folder / name, digest) for name, digest in _KNOWN.items())
    return lambda text: float(model.predict_proba(vectorizer.transform([text]))[0][1])


def _unpickled(file: Path, digest: str) -> Any:
    import joblib

    if (found := hashlib.sha256(file.read_bytes()).hexdigest()) != digest:
        raise Refusal(
            f"toxicity: {file} has the hash {found[:12]}, {digest[:12]} is wanted; pip install alt-profanity-check==1.9.1"
        )
    with warnings.catch_warnings():
        # The linear model was pickled by an earlier scikit-learn, and gives the same probabilities in this one.
        warnings.simplefilter("ignore")
        return joblib.load(file)


def _weigh(sentence: str) -> tuple[float, str]:
    """How much a sentence weighs, and what it is most of all."""
    slurs = obscene = mild = insults = 0
    for match in _WORDS.finditer(sentence):
        kind = match.lastgroup
        slurs += kind == "slur"
        insults += kind == "insult"
        mild += kind == "obscene" and _MILD.fullmatch(match[0]) is not None
        obscene += kind == "obscene" and _MILD.fullmatch(match[0]) is None
    grave = _GRAVE.search(sentence)
    if not (slurs or obscene or mild or insults or grave):
        return 0, ""
    weight = 4.0 * slurs + 2 * obscene + 0.5 * mild + insults
    if weight >= 1 and _TO_YOU.search(sentence):
        weight += 3
    if (slurs or obscene) and _TO_SOMEONE.search(sentence):
        weight += 1
    if grave and not _QUOTED.search(sentence, 0, grave.start()):
        weight += 5
    # Long sentences name insults and obscenities in passing.
    weight *= min(1.0, 25 / (len(sentence.split()) + 1))
    kinds = {"threatens": grave and grave["threat"], "hates a group": grave and grave["hate"], "uses slurs": slurs}
    return weight, next((kind for kind, there in kinds.items() if there), "is abusive")


def _unmasked(word: str) -> str:
    """A word whose letters are partly hidden, as what it stands for; of the same length where that is possible."""
    lower = word.lower()
    for form in (lower, lower.translate(_LEET)):
        for pattern, stands_for in _SPELLED:
            if pattern.match(form):
                return stands_for
    translated = lower.translate(_LEET)
    return translated if _WORDS.fullmatch(translated) else word
