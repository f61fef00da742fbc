"""Licence: copyright notices and licence headers that a text carries.

The evidence is the licence's SPDX identifier (https://spdx.org/licenses) where the text says which, else the notice.
"""

import re
from collections.abc import Sequence

from quality.screens import Fault, text_screen
from quality.screens._suspects import look_closely

_LICENCES: tuple[tuple[str, str], ...] = (
    ("AGPL", r"GNU Affero General Public Licen[cs]e|\bAGPL(?:v3|-3)"),
    ("LGPL", r"GNU (?:Lesser|Library) General Public Licen[cs]e"),
    ("GFDL", r"GNU Free Documentation Licen[cs]e"),
    ("GPL", r"GNU General Public Licen[cs]e"),
    ("Apache-2.0", r"Licensed under the Apache Licen[cs]e|apache\.org/licenses/LICENSE-2\.0"),
    ("MIT", r"Permission is hereby granted, free of charge|(?:licensed|released) under the MIT licen[cs]e"),
    ("BSD", r"Redistribution and use in source and binary forms|(?:licensed|released) under (?:the |a )?BSD"),
    ("MPL", r"subject to the terms of the Mozilla Public Licen[cs]e|mozilla\.org/MPL"),
    ("EPL", r"(?:licensed|available|made available) under the (?:terms of the )?Eclipse Public Licen[cs]e"),
    ("Unlicense", r"This is free and unencumbered software released into the public domain"),
    ("CC", (r"creativecommons\.org/(?:licenses|publicdomain)/[a-z-]+|\bCC[ -]BY(?:-(?:NC|SA|ND))*(?:[ -]\d\.\d)?\b"
     r"|(?:licensed|available|released) under (?:a |the )?Creative Commons [A-Z][A-Za-z-]+")),
)  # fmt: skip
_SPDX = r"SPDX-License-Identifier:[ \t]*(?P<spdx>[\w.+()-]+(?:[ \t]+(?:AND|OR|WITH)[ \t]+[\w.+()-]+)*)"
_NOTICE = (
    r"(?:\bCopyright(?:[ \t]*(?:\([cC]\)|©))?|©|\([cC]\)[ \t]*Copyright|\bCopr\.)[ \t]*,?[ \t]*(?:by[ \t]+)?"
    r"(?:19|20)\d\d\b[^\n]{0,60}"
    r"|\bCopyright[ \t]*(?:\([cC]\)|©)[ \t]*[A-Z][^\n]{0,60}"
    r"|\b[Aa]ll [Rr]ights [Rr]eserved\b|\bALL RIGHTS RESERVED\b"
)
_ANY = "|".join((r"SPDX-License-Identifier:", *(f"(?i:{pattern})" for _, pattern in _LICENCES), _NOTICE))
_NAMED = re.compile(
    "|".join(
        (
            _SPDX,
            *(f"(?P<named{n}>(?i:{pattern}))" for n, (_, pattern) in enumerate(_LICENCES)),
            f"(?P<notice>{_NOTICE})",
        )
    )
)


@text_screen(policy="flag", everywhere=True)
def licence(texts: Sequence[str], *, allowed: tuple[str, ...] = ()) -> list[Fault | None]:
    """Fault the texts with a licence's header or a copyright notice.

    Args:
        texts: what to look at.
        allowed: licences that are no fault, as the evidence names them; `MIT` allows a copyright notice beside it too.
    """
    return look_closely(texts, _ANY, lambda text: _fault(text, allowed))


def _fault(text: str, allowed: tuple[str, ...]) -> Fault | None:
    licences: list[str] = []
    notices: list[str] = []
    for match in _NAMED.finditer(text):
        group = match.lastgroup or "notice"
        if group == "notice":
            notices.append(" ".join(match[0].split()).rstrip(" .,;*#"))
        else:
            licences.append(match["spdx"] if group == "spdx" else _LICENCES[int(group.removeprefix("named"))][0])
    named = list(dict.fromkeys(licences))
    if faults := [name for name in named if name not in allowed]:
        return Fault("carries a licence", ", ".join(faults))
    return Fault("carries a copyright notice", notices[0]) if notices and not named else None
