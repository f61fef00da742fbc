"""Secrets: keys, tokens and passwords that open something.

Tokens are known by their issuers' prefixes, passwords by what they are assigned to. A value counts only where it looks
drawn at random: placeholders (`sk-xxxxxxxx`, `<your key>`, `password`) do not. The evidence shows what kind a secret
is, and at most its issuer's prefix. The patterns are our own: detect-secrets 1.5.0 knows fewer issuers (none of Google,
Anthropic, Hugging Face, GitHub's fine-grained tokens).
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from quality.screens import Fault, Span, text_screen
from quality.screens._suspects import look_closely

_TOKENS: tuple[tuple[str, str], ...] = (
    ("AWS access key", r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    ("GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}"),
    ("GitLab token", r"gl(?:pat|dt|rt|cbt|ptt|soat|ffct)-[A-Za-z0-9_-]{20,}"),
    ("Slack token", r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+"),
    ("Slack webhook", r"hooks\.slack\.com/(?:services|workflows)/T[A-Za-z0-9]+/[AB][A-Za-z0-9]+/[A-Za-z0-9]+"),
    ("Anthropic key", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    ("OpenAI key", r"sk-(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}"),
    ("Stripe key", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,}"),
    ("Google key", r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}"),
    ("Hugging Face token", r"hf_[A-Za-z0-9]{30,}"),
    ("npm token", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI token", r"pypi-[A-Za-z0-9_-]{50,}"),
    ("SendGrid key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("Twilio key", r"(?:SK|AC)[0-9a-f]{32}"),
    ("Mailgun key", r"key-[0-9a-f]{32}"),
    ("Mailchimp key", r"[0-9a-f]{32}-us\d{1,2}"),
    ("DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}"),
    ("Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("Square token", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60}"),
    ("Databricks token", r"dapi[0-9a-f]{32}"),
    ("Vault token", r"hv[sb]\.[A-Za-z0-9_-]{24,}"),
    ("Groq key", r"gsk_[A-Za-z0-9]{40,}"),
    ("Telegram token", r"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("Discord token", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
    ("Azure key", r"AccountKey=[A-Za-z0-9+/]{80,}={0,2}"),
    ("JSON Web Token", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("age key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
)  # fmt: skip
_KEY_BLOCK = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_URL = r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,60}:(?P<url>[^\s:/@'\"<>]{3,100})@[\w.-]"
_NAME = (
    r"(?:pass(?:word|wd|phrase)|passwd|pwd|pass|secret(?:[ _-]?(?:access[ _-]?)?key)?|api[ _-]?(?:key|token|secret)"
    r"|(?:access|auth|refresh|bearer|client|private|signing|encryption|account|master|session|webhook)"
    r"[ _-]?(?:key|token|secret|password)|token|credentials?)"
)
_ASSIGNED = (
    rf"(?i:{_NAME})['\"`]?\s{{0,3}}(?::=|=>|=|:|\bis\b:?)\s{{0,3}}(?P<quote>['\"`]?)(?P<value>[^\s'\"`,;<>]{{6,200}})"
)
_BEARER = r"(?i:bearer|basic)[ \t]+(?P<bearer>[A-Za-z0-9_\-.=+/]{20,})"

_ANY = "|".join(
    (
        *(pattern for _, pattern in _TOKENS),
        r"PRIVATE KEY",
        r"://[^\s:/@]{0,60}:[^\s/@]{3,100}@",
        rf"(?i:{_NAME})['\"`]?\s{{0,3}}(?:=|:|is\b)",
        r"(?i:bearer|basic)[ \t]+[A-Za-z0-9_\-.=+/]{20}",
    )
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?:" + "|".join(f"(?P<t{n}>{pattern})" for n, (_, pattern) in enumerate(_TOKENS)) + ")"
)
_OTHER = re.compile(f"(?P<block>{_KEY_BLOCK})|{_URL}|(?<![A-Za-z]){_BEARER}|{_ASSIGNED}")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_PREFIX = re.compile(
    r"(?:[a-z]{2,6}|SK|AC|GOCSPX)[_-](?:(?:live|test|ant|proj|pat|v1)[_-])?|AKIA|ASIA|AIza|eyJ|SG\.|ya29\."
)
_PLACEHOLDER = re.compile(
    r"(?i)pass(?:word|wd|phrase)|secret|example|sample|dummy|change|your|placeholder|redacted|hidden|xxx|\*\*\*|\.\.\."
    r"|abcdef|12345678|token|none|null|true|false|test|foo|bar|my[_-]|here|default|value|string|todo"
)
_CODE = re.compile(
    r"[()\[\]{}\\|]|^[$%]|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^[A-Za-z]+(?:[_-][A-Za-z]+)*$|^-?\d[\d.,:/-]*$|^https?:|^/|^\.|^@|^--"
)


@text_screen(policy="drop", axis="privacy", everywhere=True)
def secrets(texts: Sequence[str], *, entropy: float = 2.75) -> list[Fault | None]:
    """Fault the texts with a key, a token or a password.

    Args:
        texts: what to look at.
        entropy: bits a character that an assigned value needs (Shannon's, over its own characters).
    """
    return look_closely(texts, _ANY, lambda text: _fault(text, entropy))


def _fault(text: str, entropy: float) -> Fault | None:
    spans: dict[Span, str] = {}
    for match in _TOKEN.finditer(text):
        kind = _TOKENS[int((match.lastgroup or "t0")[1:])][0]
        if _drawn(match[0]):
            spans[Span(match.start(), match.end(), "SECRET")] = f"{kind} {_shortened(match[0])}"
    for match in _OTHER.finditer(text):
        if found := _other(text, match, entropy):
            span, evidence = found
            if not any(span.start < other.end and other.start < span.end for other in spans):
                spans[span] = evidence
    if not spans:
        return None
    order = sorted(spans)
    return Fault("holds a secret", "; ".join(spans[span] for span in order[:5]), tuple(order))


def _other(text: str, match: re.Match[str], entropy: float) -> tuple[Span, str] | None:
    if match["block"]:
        end = _KEY_END.search(text, match.end())
        stop = end.end() if end else len(text)
        body = "".join(text[match.end() : end.start() if end else stop].split())
        return (Span(match.start(), stop, "SECRET"), "private key block") if len(set(body)) >= 16 else None
    for group, evidence in (("url", "password in a URL"), ("bearer", "bearer token"), ("value", "assigned secret")):
        if value := match[group]:
            value = value.rstrip(".!?)*_") if group == "value" and not match["quote"] else value
            # A quoted value may have any mark in it; without quotes, brackets are code.
            bare = (
                re.sub(r"[()\[\]{}|]", "#", value) if group == "value" and match["quote"] and len(value) > 15 else value
            )
            if _random(bare, entropy, strict=group == "value"):
                start = match.start(group)
                return Span(start, start + len(value), "SECRET"), f"{evidence}, {len(value)} characters"
    return None


def _drawn(token: str) -> bool:
    """Whether a token's body has the variety of one drawn at random: `AKIAXXXXXXXXXXXXXXXX` has not."""
    body = _PREFIX.sub("", token, count=1)
    return len(set(body)) >= min(10, 0.45 * len(body)) and any(c.isdigit() for c in body) and "..." not in token


def _random(value: str, entropy: float, *, strict: bool) -> bool:
    """Whether a value is a password that somebody uses, and not a placeholder, a word, a number or code."""
    long_enough = len(value) >= 32 and _entropy(value) >= 4
    if _CODE.search(value) or (_PLACEHOLDER.search(value) and not long_enough):
        return False
    kinds = sum(re.search(kind, value) is not None for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))
    long = 8 if strict else 6
    return (
        len(value) >= long and kinds >= 2 + (strict and len(value) < 12) and _entropy(value) >= entropy - (not strict)
    )


def _entropy(value: str) -> float:
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _shortened(token: str) -> str:
    prefix = _PREFIX.match(token)
    return f"{prefix[0] if prefix else ''}… ({len(token)} characters)"
