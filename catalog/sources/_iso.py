"""The names that ISO gives to countries, languages and currencies, from pycountry's files; its code is not run."""

import gettext
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from catalog.sources import folder_of

PACKAGE = "pycountry"
LANGUAGES = {
    "de": "de",
    "es": "es",
    "fr": "fr",
    "it": "it",
    "ja": "ja",
    "ko": "ko",
    "nl": "nl",
    "vi": "vi",
    "zh": "zh_CN",
}
"""Language → the folder of its translations in `pycountry/locales`; there are about 160, these are KMLM's."""

Standard = Literal["iso3166-1", "iso639-3", "iso4217"]
"""Countries, languages, currencies."""

_NOTE = re.compile(r"\s*[(（][^)）]*[)）]?")
_CODES = {"iso3166-1": ("alpha_2", "alpha_3"), "iso639-3": ("alpha_2", "alpha_3"), "iso4217": ("alpha_3",)}


@cache
def names(standard: Standard) -> Mapping[str, str]:
    """Code, of two letters and of three → English name, the short one where there is one."""
    file = folder_of(PACKAGE, "pycountry") / "databases" / f"{standard}.json"
    (entries,) = json.loads(file.read_bytes()).values()
    return {
        entry[kind]: entry.get("common_name") or entry["name"]
        for entry in entries
        for kind in _CODES[standard]
        if kind in entry
    }


def translated(standard: Standard, name: str, language: str) -> str:
    """What a language calls it; empty where its catalogue does not say."""
    return _catalogue(standard, language).gettext(name)


def plain(standard: Standard, name: str) -> str:
    """The name without ISO's notes: of languages what stands in brackets, such as "(macrolanguage)"."""
    return _NOTE.sub("", name) if standard == "iso639-3" else name


@cache
def _catalogue(standard: Standard, language: str) -> gettext.NullTranslations:
    found = gettext.translation(standard, folder_of(PACKAGE, "pycountry") / "locales", [LANGUAGES[language]])
    found.add_fallback(_Unknown())
    return found


class _Unknown(gettext.NullTranslations):
    """In place of the rule that a message without translation is its own."""

    def gettext(self, message: str) -> str:  # noqa: ARG002 - the interface of gettext
        return ""
