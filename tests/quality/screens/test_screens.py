"""The text screens, one behaviour each; planted.py holds what each must find and must leave."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import CLEAN, FAULTY

from quality.screens import Fault, load_screens
from quality.screens.language import language
from quality.screens.licence import licence
from quality.screens.pii import pii
from quality.screens.repetition import repetition

ROOT = Path(__file__).parents[3]
NAMES = sorted(load_screens())
GERMAN = "Der alte Mann ging langsam durch den verschneiten Wald und dachte an seine Kindheit in den Bergen."
ENGLISH = "The old man walked slowly through the snowy forest and thought about his childhood in the mountains."


def only(name: str, text: str) -> Fault | None:
    [fault] = load_screens()[name].find([text])
    return fault


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FAULTY.items() for text in texts])
def test_a_planted_defect_is_found(name: str, text: str) -> None:
    assert only(name, text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in CLEAN.items() for text in texts])
def test_what_only_looks_like_a_defect_is_left(name: str, text: str) -> None:
    assert only(name, text) is None


@pytest.mark.parametrize("name", NAMES)
def test_texts_keep_their_places(name: str) -> None:
    bad = FAULTY.get(name, [GERMAN])[0]
    found = load_screens()[name].find(["", bad, "A quiet morning by the lake.", bad])
    assert [fault is not None for fault in found] == [False, name != "language", False, name != "language"]


@pytest.mark.parametrize("name", NAMES)
def test_no_texts_give_no_faults(name: str) -> None:
    assert load_screens()[name].find([]) == []


@pytest.mark.parametrize("name", NAMES)
@given(texts=st.lists(st.text(st.characters(), max_size=60), max_size=3))
@settings(max_examples=10, deadline=None)
def test_any_text_can_be_looked_at(name: str, texts: list[str]) -> None:
    for text, fault in zip(texts, load_screens()[name].find(texts), strict=True):
        for start, end, _ in fault.spans if fault else ():
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("name", ["pii", "secrets"])
@pytest.mark.parametrize("number", range(20))
def test_evidence_shows_nothing_that_the_mask_would_hide(name: str, number: int) -> None:
    text = FAULTY[name][number]
    fault = only(name, text)
    assert fault
    assert fault.spans
    for start, end, _ in fault.spans:
        assert text[start:end] not in fault.evidence


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Mail ann@mill.org or bob@mill.org, or call (415) 867-5309.", ["EMAIL", "EMAIL", "PHONE"]),
        ("Card 4111-1111-1111-1111 of 84.112.37.201", ["CARD", "IP"]),
        ("DE89370400440532013000", ["IBAN"]),
    ],
)
def test_a_datum_has_its_kind_and_place(text: str, kinds: list[str]) -> None:
    fault = only("pii", text)
    assert fault
    assert [span.kind for span in fault.spans] == kinds


def test_a_span_is_the_whole_datum_and_no_more() -> None:
    text = "Write to ann@mill.org, please."
    fault = only("pii", text)
    assert fault
    assert [text[span.start : span.end] for span in fault.spans] == ["ann@mill.org"]


def test_a_card_with_a_wrong_check_digit_is_no_card() -> None:
    assert only("pii", "I paid with my Visa 4111 1111 1111 1112.") is None


def test_an_iban_with_a_wrong_check_sum_is_no_iban() -> None:
    assert only("pii", "Transfer it to DE88 3704 0044 0532 0130 00.") is None


def test_only_the_kinds_asked_for_are_looked_for() -> None:
    assert pii(["ann@mill.org"], kinds=("CARD",)) == [None]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="there are EMAIL, CARD"):
        pii(["a"], kinds=("SHOE_SIZE",))


def test_without_expected_languages_every_language_passes() -> None:
    assert language([GERMAN, ENGLISH]) == [None, None]


def test_a_text_in_another_language_is_found() -> None:
    first, second = language([GERMAN, ENGLISH], expected=("en",))
    assert first
    assert first.evidence.startswith("de")
    assert second is None


def test_code_and_short_texts_have_no_language() -> None:
    assert language(["def f(x):\n    return {y: z for y, z in x.items()}", "Bonjour"], expected=("de",)) == [None, None]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="does not tell"):
        language(["a"], expected=("klingon",))


def test_a_licence_is_named_by_its_identifier() -> None:
    fault = only("licence", "# SPDX-License-Identifier: Apache-2.0 OR MIT")
    assert fault
    assert fault.evidence == "Apache-2.0 OR MIT"


def test_an_allowed_licence_is_no_fault_with_its_notice() -> None:
    text = "Copyright (c) 2019 Jane Roe\nPermission is hereby granted, free of charge, to any person"
    assert licence([text], allowed=("MIT",)) == [None]


def test_a_short_text_may_repeat_itself() -> None:
    assert repetition(["Row, row, row your boat, gently down the stream."]) == [None]


@pytest.mark.parametrize(("words", "too_much"), [(10, False), (30, True)])
def test_prose_that_says_a_stretch_three_times_has_a_limit(words: int, *, too_much: bool) -> None:
    once = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
    [fault] = repetition([" ".join(once + 2 * once[:words])])
    assert (fault is not None) == too_much


def test_every_screen_has_planted_defects() -> None:
    assert {*FAULTY, "language"} == set(NAMES)


def test_a_screen_warns_of_nothing_and_asks_no_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise OSError('no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from quality.screens import load_screens\n"
        f"for screen in load_screens().values(): screen.find([{ENGLISH!r}, 'a@b.org, you idiot, +44 7911 123456'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_screens_load_without_anything_heavy() -> None:
    code = "import sys; from quality.screens import load_screens; load_screens(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"polars", "numpy", "sklearn", "joblib", "phonenumbers", "py3langid", "ftfy", "pocketsphinx"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
