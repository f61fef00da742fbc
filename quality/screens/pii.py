# ruff: noqa: E501 - a pattern reads best on its own line
"""PII: personal data that a text gives away, each kind by its own form and, where it has one, its checksum.

Found: e-mail and postal (US) addresses, telephone numbers, payment cards (Luhn), IBANs (ISO 13616 mod 97), US social
security numbers, IP addresses, crypto wallets, dates of birth and numbers of identity papers where the text names them
so. Names of people are not looked for: that needs a model. Evidence counts the kinds and never shows a datum.

The patterns are our own, since presidio-analyzer 2.2.366 takes numbers in maths and code for telephone numbers;
tests/benchmarks/screens.py compares the two. Telephone numbers are judged by phonenumbers
(https://github.com/daviddrysdale/python-phonenumbers), as presidio does.
"""

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from quality.screens import Fault, Span, text_screen
from quality.screens._suspects import look_closely

_EMAIL = re.compile(
    r"(?<![\w.+%/:@=-])[A-Za-z0-9][\w.+%'-]{0,63}(?:@|[ ]?(?:\(at\)|\[at\])[ ]?)"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.|[ ]?(?:\(dot\)|\[dot\])[ ]?)){1,5}[A-Za-z]{2,18}(?![\w@(\[/:]|-\w)"
)
_SSN = re.compile(r"(?<![\w.-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-]|\.\d)")
_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3\d{3}([ -]?)\d{6}\2\d{4,5})(?![\w-]|[.,]\d|[ ]\d)"
)
_CARD_START = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6")
_CARD_NEAR = re.compile(
    r"(?i)\b(?:cards?|visa|master ?card|amex|american express|discover|diners|jcb|maestro|credit|debit|payments?|pay|cvv|cvc"
    r"|expir\w*|exp\.?|billing|cc|karte|kreditkarte|carte|tarjeta|carta|cartão)\b|卡|カード"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_IPV4 = re.compile(r"(?<![\w.:/-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d|/\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:[0-9A-Fa-f:]{0,34})(?![\w:]|/\d)")
_VERSION = re.compile(r"(?i)(?:\bv|\bEC|version|release|firmware|build|section|chapter|§|==|>=|<=|~=)\s*$")
_WALLET = re.compile(
    r"\b0x[0-9a-fA-F]{40}\b|\b(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{20,80}\b|\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b"
)
_PHONE = re.compile(
    r"(?<![\w.,+$€£#*/=^<>({\[-])(?<![=+*/^<>×÷−] )(?<!\d )"
    r"(?:(?P<abroad>\+[1-9]\d{0,2}(?:[ \-/]?\(?\d{1,5}\)?){2,6}|\+[1-9]\d{0,2}(?:\.\d{2,5}){2,5})"
    r"|(?P<american>(?:\(\d{3}\)[ ]?|\b1?[-. ]?\d{3}[-.])\d{3}[-.]\d{4})"
    r"|(?P<national>\b0\d{1,4}(?:[ /-]\d{2,8}){1,4}|\(0\d{2,4}\)[ ]?\d{3,4}[ -]?\d{3,4})"
    r"|(?P<plain>(?:00[1-9])?\(?\d{2,5}\)?(?:[ .\-/]?\d{2,5}){1,5}))"
    r"(?P<extension>[ ]?(?:x|ext\.?|extension)[ ]?\d{1,5})?(?![\w]|[-.,/]\d|[ ]?[=+*^×÷−]|[ ]\d)"
)
_PHONE_NEAR = re.compile(
    r"(?i)(?:\b(?:phones?|tel|telephone|mobile|cell|cellphone|call(?:ed|ing)?|fax|whatsapp|sms|text(?:ed|ing)?|dial|ring|hotline"
    r"|reach|contact|telefon\w*|handy|rufen|téléphone|portable|appel\w*|teléfono|móvil|llam\w*|telefone|celular|cellulare"
    r"|(?:my|your|his|her|their) (?:(?:new|old|work|home|office|private|direct) )?number|numero di telefono|телефон\w*|тел|номер\w*)\b|電話|电话|手机|携帯|전화)[^\d\n]{0,40}$"
)
_SSN_NEAR = re.compile(r"(?i)\b(?:SSN|social security)\b[^\d\n]{0,30}(?<!\d)(?P<it>\d{9}|\d{3} \d\d \d{4})(?!\d)")
_BORN = re.compile(
    r"(?i)\b(?:date of birth|birth ?date|d\.?o\.?b\.?|born on|geburtsdatum|geboren am|né(?:e)? le|fecha de nacimiento)\b[\s:=–-]{0,4}(?:is )?"
    r"(?P<it>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})(?!\d)"
)
_PAPER = re.compile(
    r"(?i)\b(?:passport|driver'?s?'? licen[cs]e|driving licen[cs]e|NHS|aadhaar|national insurance|NINO|national id|tax id|TIN|ITIN|medical record|MRN"
    r"|patient id|account|routing|sort code|insurance (?:policy|member))[ ]?(?:(?:numbers?|no\.?|nr\.?|id|#)[ ]?(?:\bis\b|:|=|#)?|\bis\b|:|=|#)[ ]?"
    r"(?-i:(?P<it>[A-Z]{0,3}[ -]?\d(?:[ -]?[A-Z0-9]){5,15}))(?![\w.])"
)
_STREET = re.compile(
    r"\b\d{1,5} (?:[NSEW]\.? )?(?:[A-Z0-9][\w'.-]* ){1,4}(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Ln|Lane|Dr|Drive|Ct|Court|Pl|Place|Way|Terrace"
    r"|Circle|Cir|Parkway|Pkwy|Highway|Hwy)\b\.?(?:,? (?:Apt|Suite|Unit|Ste|#)\.? ?[\w-]+)?,?\s+(?:[A-Z][\w'.-]+ ?){1,3},? [A-Z]{2},? \d{5}(?:-\d{4})?\b"
)

_ANY = "|".join(  # noqa: FLY002 - one a line
    (
        r"@|\((?:at|AT)\)|\[(?:at|AT)\]",
        r"\d(?:[ .()/-]{0,3}\d){6}",
        r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d",
        r"[0-9A-Fa-f]{2,4}:[0-9A-Fa-f]{0,4}:",
        r"[A-Z]{2}\d\d[ -]?[A-Z0-9]{4}",
        r"0x[0-9a-fA-F]{40}|(?:bc1|tb1|ltc1)[02-9a-z]{20}|[13][1-9A-HJ-NP-Za-km-z]{25}",
        r"(?i:date of birth|birth ?date|d\.?o\.?b\b|born on|geburtsdatum|geboren am|née? le|fecha de nacimiento)",
        r"(?i:passport|licen[cs]e|NHS|insurance|\bid\b|record|MRN|NINO|account|routing)[^\n]{0,20}\d",
        r"[A-Z]{2},? \d{5}\b",
    )
)
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "AU", "BR", "CN", "JP")


@text_screen(policy="mask", axis="privacy", everywhere=True)
def pii(texts: Sequence[str], *, kinds: tuple[str, ...] = (), regions: tuple[str, ...] = REGIONS) -> list[Fault | None]:
    """Fault the texts with personal data, with the span of each datum.

    Args:
        texts: what to look at.
        kinds: which to look for, of EMAIL, CARD, IBAN, SSN, BIRTH_DATE, ID, ADDRESS, WALLET, IP and PHONE; empty: all.
        regions: ISO 3166 codes of the countries whose telephone numbers are known without their country code.

    Raises:
        ValueError: for a kind that there is not.
    """
    if unknown := set(kinds) - set(_FINDERS):
        raise ValueError(f"pii: kinds has {', '.join(sorted(unknown))}; there are {', '.join(_FINDERS)}")
    return look_closely(texts, _ANY, lambda text: _fault(text, kinds, regions))


def _fault(text: str, kinds: tuple[str, ...], regions: tuple[str, ...]) -> Fault | None:
    spans: list[Span] = []
    for kind in kinds or _FINDERS:
        found = _phones(text, regions) if kind == "PHONE" else _FINDERS[kind](text)
        for start, end in found:
            if not any(start < span.end and span.start < end for span in spans):
                spans.append(Span(start, end, kind))
    if not spans:
        return None
    counts = Counter(span.kind for span in spans)
    evidence = ", ".join(f"{kind} × {n}" for kind, n in counts.most_common())
    return Fault("holds personal data", evidence, tuple(sorted(spans)))


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text or "(at)" in text or "[at]" in text:
        for match in _EMAIL.finditer(text):
            # `git@host` and `pip@2x.png` name no mailbox.
            local, end = re.split(r"@|\W*at\W*", match[0])[0], match[0].rpartition(".")[2].lower()
            if local not in {"git", "svn", "hg", "root", "user@"} and end not in _NO_DOMAIN:
                yield match.span()


_NO_DOMAIN = frozenset({
    "png", "jpg", "jpeg", "gif", "svg", "webp", "py", "js", "css", "html", "md", "json", "setter", "getter", "deleter",
    "dot", "shape", "dtype", "reshape", "transpose",
})  # fmt: skip


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        grouped = len(digits) < len(match[0])
        if not (13 <= len(digits) <= 19 and _CARD_START.match(digits) and _luhn(digits) and len(set(digits)) > 1):
            continue
        near = text[max(0, match.start() - 80) : match.end() + 40]
        if _CARD_NEAR.search(near) or (grouped and not re.search(r"[=+*/^<>×÷−\[\]]", near)):
            yield match.span()


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        # The last group may be the next word in capitals: shorter forms are tried too.
        stretch = match[0]
        while len(stretch) >= 15:
            solid = re.sub(r"[ -]", "", stretch)
            if 15 <= len(solid) <= 34 and int("".join(str(int(c, 36)) for c in solid[4:] + solid[:4])) % 97 == 1:
                yield match.start(), match.start() + len(stretch)
                break
            stretch = stretch[: max(stretch.rfind(" "), stretch.rfind("-"), 0)]


def _addresses_of_machines(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved:
                continue
            if address.version == 6 and (match[0].count(":") < 3 or not re.search(r"[0-9A-Fa-f]{3}", match[0])):
                continue
            if match[0].count(".") == 3 and _VERSION.search(text, max(0, match.start() - 12), match.start()):
                continue
            yield match.span()


def _wallets(text: str) -> Iterator[tuple[int, int]]:
    for match in _WALLET.finditer(text):
        if match[0][0] not in "13" or _base58_holds(match[0]):
            yield match.span()


def _base58_holds(address: str) -> bool:
    """Whether a Bitcoin address ends with the checksum of its start."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for character in address:
        number = number * 58 + alphabet.index(character)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        number = match[0]
        digits = sum(character.isdigit() for character in number)
        if not 7 <= digits <= 20 or re.fullmatch(
            r"\d{4}[-./]\d\d[-./]\d\d|\d\d?[-./]\d\d?[-./]\d{2,4}|\d{4}-\d{4}", number
        ):
            continue
        near = _PHONE_NEAR.search(text, max(0, match.start() - 60), match.start()) is not None
        if _is_phone(match, regions, near=near):
            yield match.span()


def _is_phone(match: re.Match[str], regions: tuple[str, ...], *, near: bool) -> bool:
    """Whether what looks like a telephone number is one; where the text says so (`near`), any possible one is."""
    import phonenumbers

    def judged(region: str | None, judge: Callable[[phonenumbers.PhoneNumber], bool]) -> bool:
        try:
            return judge(phonenumbers.parse(match[0].replace("(0)", ""), region))
        except phonenumbers.NumberParseException:
            return False

    if match["abroad"]:
        return judged("GB", phonenumbers.is_possible_number)
    if match["american"]:
        return True
    if match["national"] and not near:
        return sum(map(str.isdigit, match[0])) >= 9 and any(
            judged(region, phonenumbers.is_valid_number) for region in regions
        )
    return near and any(judged(region, phonenumbers.is_possible_number) for region in regions)


def _all(*patterns: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    """What finds each match of the patterns, or its group `it` where it has one."""
    return lambda text: (
        match.span("it" if "it" in pattern.groupindex else 0)
        for pattern in patterns
        for match in pattern.finditer(text)
    )


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "EMAIL": _emails,
    "CARD": _cards,
    "IBAN": _ibans,
    "SSN": _all(_SSN, _SSN_NEAR),
    "BIRTH_DATE": _all(_BORN),
    "ID": _all(_PAPER),
    "ADDRESS": _all(_STREET),
    "WALLET": _wallets,
    "IP": _addresses_of_machines,
    "PHONE": lambda text: _phones(text, REGIONS),
}
"""Kind → where it is in a text, the surest first: a later kind does not take what an earlier has."""
