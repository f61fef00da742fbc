"""Provenance: a version that was tampered with after it was signed says where."""

import hashlib
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt, PromptCompletion, Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from infra.errors import Failure, Refusal
from infra.settings import load_settings
from quality.manifest import public_key
from tasks.provenance import sign_version, verify_version

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = frozenset({public_key(KEY)})
# Fewer than eleven rows DuckLake keeps in its catalogue; text of chance is stored as it is.
MANY = [Prompt(prompt=hashlib.sha256(bytes([n])).hexdigest()) for n in range(30)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a lake without versions, made once: that takes longer than all that is done with it."""
    home = tmp_path_factory.mktemp("empty")
    made = Lake(load_settings(home=home))
    change(
        made,
        "CREATE TABLE IF NOT EXISTS lake.catalog.manifests "
        "(table_name VARCHAR, version INTEGER, signed_at TIMESTAMPTZ, manifest VARCHAR);"
        "CREATE TABLE IF NOT EXISTS lake.catalog.leaves "
        "(table_name VARCHAR, version INTEGER, record_id VARCHAR, content BLOB)",
    )
    return home


@pytest.fixture
def lake(empty: Path, tmp_path: Path) -> Lake:
    return Lake(load_settings(home=shutil.copytree(empty, tmp_path / "home")))


def put(lake: Lake, *rows: Record, replace: bool = False, instead_of: Version | None = None) -> Version:
    run_id = f"run-{rows[0].record_id[:8]}-{len(lake.versions())}"
    run = Run(run_id=run_id, stage="sft", method="demo", table_name="sft.demo", fingerprint="f", code_revision="abc")
    with Spool(lake.catalogue.parent / "spool" / run.run_id, type(rows[0])) as spool:
        spool.add_rows(rows, {})
        return publish(lake, run, spool, Findings(), shape=type(rows[0]), replace=replace, instead_of=instead_of)


def told(lake: Lake, reference: str = "sft.demo", trusted: frozenset[str] = TRUSTED) -> list[str]:
    return [str(problem) for problem in verify_version(lake, TableRef.parse(reference), trusted)]


def change(lake: Lake, sql: str) -> None:
    with lake.write("tampering") as connection:
        connection.execute(sql)


def parquet(lake: Lake) -> list[Path]:
    return sorted(Path(lake.data).glob("sft/demo/*.parquet"))


def test_a_signed_version_verifies(lake: Lake) -> None:
    manifest = sign_version(lake, put(lake, *MANY), KEY)
    assert told(lake) == []
    assert manifest.about | {"signed_at": ""} == {
        "table": "sft.demo",
        "version": 1,
        "snapshot": lake.find(TableRef.parse("sft.demo")).snapshot,
        "run_id": lake.find(TableRef.parse("sft.demo")).run_id,
        "fingerprint": "f",
        "code_revision": "abc",
        "leaves_since": 1,
        "signed_at": "",
    }


def test_rows_that_are_in_no_file_verify_too(lake: Lake) -> None:
    manifest = sign_version(lake, put(lake, *MANY[:3]), KEY)
    assert (manifest.rows, manifest.files, told(lake)) == (3, {}, [])


def test_a_version_that_was_not_signed_says_so(lake: Lake) -> None:
    put(lake, *MANY)
    assert told(lake) == ["manifest sft.demo@1: there is none: the version was not signed"]


def test_a_version_that_does_not_exist_is_refused(lake: Lake) -> None:
    put(lake, *MANY)
    with pytest.raises(Refusal, match="no such version"):
        told(lake, "sft.demo@2")


def test_the_leaves_of_a_row_are_kept_once_for_all_versions(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    sign_version(lake, put(lake, PromptCompletion(prompt="more", completion="x")), KEY)
    assert lake.query("SELECT version, count(*) FROM catalog.leaves GROUP BY ALL ORDER BY ALL").rows() == [
        (1, 30),
        (2, 1),
    ]
    assert told(lake, "sft.demo@1") == told(lake, "sft.demo@2") == []


def test_a_version_that_replaces_rows_has_leaves_of_its_own(lake: Lake) -> None:
    first = put(lake, *MANY)
    sign_version(lake, first, KEY)
    sign_version(lake, put(lake, *MANY[:20], replace=True), KEY)
    sign_version(lake, put(lake, *MANY[20:]), KEY)
    assert told(lake, "sft.demo@1") == told(lake, "sft.demo@2") == told(lake, "sft.demo@3") == []


def test_versions_between_that_were_not_signed_do_no_harm(lake: Lake) -> None:
    put(lake, *MANY[:15])
    sign_version(lake, put(lake, *MANY[15:]), KEY)
    assert told(lake) == []


def test_one_byte_of_a_file_that_can_still_be_read_names_file_and_row(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    (file,) = parquet(lake)
    data = file.read_bytes()
    name = file.relative_to(lake.data).as_posix()
    at = data.index(MANY[7].prompt[:20].encode())
    file.write_bytes(data[:at] + b"Q" + data[at + 1 :])
    (of_file, of_row) = told(lake)
    assert of_file.startswith(f"file {name}: has SHA-256 ")
    assert of_row == f"row {MANY[7].record_id}: was changed after signing"


def test_one_byte_of_a_file_that_can_no_more_be_read_names_the_file_and_its_rows(lake: Lake) -> None:
    first = put(lake, *MANY[:15])
    kept = parquet(lake)
    sign_version(lake, put(lake, *MANY[15:]), KEY)
    (file,) = set(parquet(lake)) - set(kept)
    data = file.read_bytes()
    file.write_bytes(data[:4] + bytes([data[4] ^ 0xFF]) + data[5:])  # where the first page begins
    name = file.relative_to(lake.data).as_posix()
    ids = ", ".join(sorted(row.record_id for row in MANY[15:])[:5])
    whole, broken, rows = told(lake)
    assert first.rows == 15
    assert whole.startswith(f"file {name}: has SHA-256 ")
    assert broken.startswith(f"file {name}: cannot be read (")
    assert rows == f"row: 15 rows are in no file that can be read: {ids}, …"


def test_any_byte_of_a_file_names_it(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    (file,) = parquet(lake)
    whole = file.read_bytes()
    for place in range(4, len(whole), len(whole) // 4):
        data = bytearray(whole)
        data[place] ^= 0x55
        file.write_bytes(data)
        assert told(lake)[0].startswith(f"file {file.relative_to(lake.data).as_posix()}: has SHA-256 ")


def test_a_file_that_was_deleted_is_named(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    (file,) = parquet(lake)
    file.unlink()
    assert told(lake)[0] == f"file {file.relative_to(lake.data).as_posix()}: is missing or cannot be read"


def test_a_row_updated_through_duckdb_is_named(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    change(lake, f"UPDATE lake.sft.demo SET prompt = 'other' WHERE record_id = '{MANY[4].record_id}'")
    (line,) = told(lake)
    assert line == (
        f"row {MANY[4].record_id}: was changed after signing, in the table as it stands now; "
        "sft.demo@1 itself has it as signed"
    )


def test_rows_deleted_and_inserted_through_duckdb_are_named(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    change(lake, f"DELETE FROM lake.sft.demo WHERE record_id = '{MANY[4].record_id}'")
    change(lake, "INSERT INTO lake.sft.demo (record_id, prompt) VALUES ('zzz', 'planted')")
    assert [line.partition(",")[0] for line in told(lake)] == [
        f"row {MANY[4].record_id}: was removed after signing",
        "row zzz: was added after signing",
    ]


def test_a_row_changed_before_the_next_version_is_not_signed_over(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    change(lake, f"UPDATE lake.sft.demo SET prompt = 'other' WHERE record_id = '{MANY[4].record_id}'")
    with pytest.raises(Failure, match=f"1 rows are not as an earlier version was signed with .{MANY[4].record_id}"):
        sign_version(lake, put(lake, Prompt(prompt="more")), KEY)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE lake.catalog.manifests SET manifest = replace(manifest, 'abc', 'abd')", "entry code_revision: was "),
        ("UPDATE lake.catalog.manifests SET manifest = 'x'", "manifest sft.demo@1: manifest: cannot be read"),
        (
            "UPDATE lake.catalog.manifests SET manifest = replace(manifest, '\"rows\": 30', '\"rows\": 31')",
            "entry rows: ",
        ),
    ],
)
def test_a_manifest_entry_changed_in_the_lake_is_named(lake: Lake, sql: str, expected: str) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    change(lake, sql)
    assert told(lake)[0].startswith(expected)


def test_a_version_s_entry_changed_in_the_lake_is_named(lake: Lake) -> None:
    version = put(lake, *MANY)
    sign_version(lake, version, KEY)
    change(lake, "UPDATE lake.catalog.version_log SET fingerprint = 'g'")
    lines = told(lake)
    assert "entry fingerprint: is 'f'; the lake has 'g'" in lines
    assert any(line.startswith(f"entry snapshot: is {version.snapshot}; the lake has") for line in lines)


def test_a_key_that_is_not_trusted_is_named(lake: Lake) -> None:
    sign_version(lake, put(lake, *MANY), KEY)
    assert told(lake, trusted=frozenset()) == [
        f"key {public_key(KEY)}: signed the manifest and is not trusted; trust it if you know whose"
    ]


def test_a_file_that_cannot_be_read_is_not_signed(lake: Lake) -> None:
    version = put(lake, *MANY)
    (file,) = parquet(lake)
    file.unlink()
    with pytest.raises(Failure, match="cannot be read"):
        sign_version(lake, version, KEY)
