"""Manifests: whatever is not as it was signed is named."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import Refusal
from quality.manifest import (
    KEY_FILE,
    FileEntry,
    Leaf,
    Manifest,
    Problem,
    content_hash,
    load_key,
    load_or_make_key,
    make,
    merkle_root,
    prove,
    proves,
    public_key,
    read_trusted,
    verify,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = frozenset({public_key(KEY)})
ROWS: list[Leaf] = [(f"row-{n}", content_hash({"prompt": f"question {n}"})) for n in range(5)]
FILES = [("sft/demo/a.parquet", FileEntry("aa" * 32, 100)), ("sft/demo/b.parquet", FileEntry("bb" * 32, 200))]
ABOUT = {"table": "sft.demo", "version": 1, "snapshot": 7, "fingerprint": "f"}
MANIFEST = make(ROWS, FILES, ABOUT, KEY)

leaves = st.dictionaries(st.text(max_size=8), st.binary(max_size=8), min_size=1, max_size=40).map(
    lambda rows: [(name, content_hash({"content": content.hex()})) for name, content in rows.items()]
)


def edited(edit: Callable[[dict[str, object]], None]) -> Manifest:
    """The manifest after an edit of its JSON."""
    found = json.loads(MANIFEST.to_json())
    edit(found)
    return Manifest.from_json(json.dumps(found))


def put(name: str, value: object, inside: str = "") -> Callable[[dict[str, object]], None]:
    def edit(found: dict[str, object]) -> None:
        part = found[inside] if inside else found
        assert isinstance(part, dict)
        part[name] = value

    return edit


def told(manifest: Manifest) -> list[tuple[str, str]]:
    return [(p.kind, p.subject) for p in verify(manifest, ROWS, FILES, TRUSTED, about=ABOUT, leaves=ROWS)]


def test_what_is_as_it_was_signed_has_no_problem() -> None:
    assert verify(MANIFEST, ROWS, FILES, TRUSTED, about=ABOUT, leaves=ROWS) == []


def test_the_order_of_rows_and_files_does_not_matter() -> None:
    assert make(ROWS[::-1], FILES[::-1], ABOUT, KEY).signature == MANIFEST.signature


def test_a_manifest_survives_its_json() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_a_changed_row_is_named() -> None:
    rows = [*ROWS[:2], ("row-2", content_hash({"prompt": "other"})), *ROWS[3:]]
    assert verify(MANIFEST, rows, FILES, TRUSTED, leaves=ROWS) == [Problem("row", "row-2", "was changed after signing")]


def test_a_removed_row_is_named() -> None:
    assert verify(MANIFEST, ROWS[1:], FILES, TRUSTED, leaves=ROWS) == [
        Problem("row", "row-0", "was removed after signing")
    ]


def test_an_added_row_is_named_even_where_it_repeats_one() -> None:
    assert verify(MANIFEST, [*ROWS, ROWS[3]], FILES, TRUSTED, leaves=ROWS) == [
        Problem("row", "row-3", "was added after signing")
    ]


def test_without_leaves_a_change_is_found_but_not_placed() -> None:
    (problem,) = verify(MANIFEST, ROWS[1:], FILES, TRUSTED)
    assert str(problem) == "row: 4 rows, 5 were signed, and not the same; which ones cannot be told: no leaves"


def test_leaves_that_were_changed_along_with_a_row_do_not_hide_it() -> None:
    rows = [*ROWS[:4], ("row-4", content_hash({"prompt": "other"}))]
    (problem,) = verify(MANIFEST, rows, FILES, TRUSTED, leaves=rows)
    assert "the leaves are not those that were signed" in problem.what


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (FileEntry("cc" * 32, 100), f"has SHA-256 {'cc' * 32}, {'aa' * 32} was signed"),
        (FileEntry("cc" * 32, 99), "has 99 bytes, 100 were signed"),
    ],
)
def test_a_changed_file_is_named(entry: FileEntry, what: str) -> None:
    assert verify(MANIFEST, ROWS, [(FILES[0][0], entry), FILES[1]], TRUSTED) == [Problem("file", FILES[0][0], what)]


def test_missing_and_added_files_are_named() -> None:
    problems = verify(MANIFEST, ROWS, [FILES[0], ("new.parquet", FILES[1][1])], TRUSTED)
    assert [(p.subject, p.what) for p in problems] == [
        ("sft/demo/b.parquet", "is missing or cannot be read"),
        ("new.parquet", "was added after signing"),
    ]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (put("fingerprint", "g", "about"), [("entry", "fingerprint"), ("entry", "fingerprint")]),
        (put("stranger", 1, "about"), [("entry", "stranger")]),
        (put("rows", 6), [("entry", "rows")]),
        (put("root", "00" * 32), [("entry", "root"), ("row", "")]),
        (put("format", 2), [("entry", "format"), ("entry", "format")]),
        (put("signature", "00" * 64), [("signature", "")]),
        (put("signature", "no hex"), [("signature", "")]),
        (put("rows", "0" * 64, "digests"), [("entry", "rows"), ("signature", "")]),
        (
            put("a.parquet", {"sha256": "aa" * 32, "bytes": 1}, "files"),
            [("entry", "files/a.parquet"), ("file", "a.parquet")],
        ),
    ],
)
def test_a_changed_entry_is_named(edit: Callable[[dict[str, object]], None], expected: list[tuple[str, str]]) -> None:
    assert told(edited(edit)) == expected


def test_an_entry_taken_out_is_named() -> None:
    assert told(edited(lambda found: found["about"].pop("fingerprint")))[0] == ("entry", "fingerprint")  # type: ignore[attr-defined]


def test_a_key_that_is_not_trusted_is_named() -> None:
    other = make(ROWS, FILES, ABOUT, Ed25519PrivateKey.generate())
    assert told(other) == [("key", other.public_key)]


def test_a_manifest_signed_anew_by_a_stranger_in_the_name_of_a_trusted_key_is_no_such_key_s() -> None:
    forged = dataclasses.replace(make(ROWS[1:], FILES, ABOUT, Ed25519PrivateKey.generate()), public_key=public_key(KEY))
    assert ("signature", "") in told(forged)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 1}', '{"files": {"a": 1}}'])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="manifest: cannot be read"):
        Manifest.from_json(text)


def test_a_column_that_is_null_leaves_the_hash_as_it_was() -> None:
    assert content_hash({"record_id": "a", "prompt": "x", "new": None}) == content_hash({"prompt": "x"})


def test_the_content_hash_is_the_same_on_every_day() -> None:
    row = {"prompt": "é", "score": 0.1, "tags": ["a"], "messages": [{"role": "user", "content": "x"}]}
    assert content_hash(row).hex() == "1ab14942f66898105daa9053a52f4b88be5e99800366568184af8b981217516d"


@given(leaves)
def test_every_row_can_be_shown_to_be_there_and_no_other_content_can(rows: list[Leaf]) -> None:
    root = merkle_root(sorted(rows)).hex()
    for record_id, _ in rows:
        proof = prove(rows, record_id)
        assert proves(proof, root)
        assert not proves(dataclasses.replace(proof, content="00" * 32), root)
        assert len(proof.path) <= len(rows).bit_length()


@given(leaves, st.data())
def test_any_change_of_one_row_changes_the_root(rows: list[Leaf], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = [*rows[:place], (rows[place][0], bytes(32)), *rows[place + 1 :]]
    assert merkle_root(sorted(changed)) != merkle_root(sorted(rows))


def test_the_tree_is_that_of_rfc_6962() -> None:
    import hashlib

    a, b, c = (hashlib.sha256(b"\x00" + content + name.encode()).digest() for name, content in sorted(ROWS[:3]))
    left = hashlib.sha256(b"\x01" + a + b).digest()
    assert merkle_root(ROWS[:3]) == hashlib.sha256(b"\x01" + left + c).digest()


def test_the_proof_of_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal, match="is not in this version"):
        prove(ROWS, "row-9")


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = load_or_make_key(tmp_path / "home"), load_or_make_key(tmp_path / "home")
    assert public_key(first) == public_key(second)
    assert (tmp_path / "home" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == [KEY_FILE]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_or_make_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(Refusal, match="others may read"):
        load_or_make_key(tmp_path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("hello")
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(Refusal, match="no Ed25519 key"):
        load_or_make_key(tmp_path)


def test_a_key_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        load_key(tmp_path / "none.pem")


def test_trusted_keys_are_read_from_text() -> None:
    assert read_trusted(f"{'AB' * 32}, {'cd' * 32}\n") == {"ab" * 32, "cd" * 32}


def test_what_is_no_public_key_is_refused() -> None:
    with pytest.raises(Refusal, match="64 hex digits"):
        read_trusted("abc")
