"""Provenance: sign a version of a table, and tell later whether it still holds what was signed.

The manifest stands in `catalog.manifests`, the hash of each row's content in `catalog.leaves`: 32 bytes and the row's
id, kept once for a row, however many versions hold it. A version is read at its snapshot, and the last one also as the
table stands now: a change that nobody published is a snapshot of its own.
"""

import errno
import os
import re
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.publish import insert
from catalog.store import Lake, TableRef, Version
from infra.errors import Failure, Refusal
from infra.settings import Settings
from quality.manifest import (
    FileEntry,
    Leaf,
    Manifest,
    Problem,
    about_problems,
    changed_rows,
    content_hash,
    file_entry,
    file_problems,
    load_key,
    load_or_make_key,
    make,
    public_key,
    read_trusted,
    renewed,
    row_problems,
    seal_problems,
)

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FETCH = 10_000
"""Rows read at once."""
_SHOWN = 5
"""Ids that a message lists."""


def signing_key(settings: Settings) -> "Ed25519PrivateKey":
    """The private key of the settings, or that of the home folder, made the first time.

    Raises:
        Refusal: where it cannot be used.
    """
    return load_key(Path(settings.signing_key)) if settings.signing_key else load_or_make_key(settings.folder())


def trusted(settings: Settings, further: str = "") -> frozenset[str]:
    """The public keys that may sign: that of the signing key, those of the settings, and those in a text.

    Raises:
        Refusal: where one is no key.
    """
    return frozenset({public_key(signing_key(settings))}) | read_trusted(f"{settings.trusted_keys} {further}")


def sign_version(lake: Lake, version: Version, key: "Ed25519PrivateKey") -> Manifest:
    """Make the manifest of a version and keep it in the lake; a version that is signed again has the newest.

    Raises:
        Failure: where a file cannot be read, or a row that an earlier version was signed with was changed or removed
            since other than by a version that replaces rows: nothing is signed.
    """
    import duckdb

    try:
        with _fresh(lake) as connection:
            files = [(name, _entry(connection, version, path)) for name, path in _files(connection, lake, version)]
            leaves = list(_leaves(connection, lake, version, version.sql))
            since, signed = _earlier(connection, version)
            about = _about(connection, version)
    except duckdb.Error as error:
        raise Failure(f"{version.ref}: cannot be read ({str(error).splitlines()[0]}), nothing was signed") from None
    now = dict(leaves)
    if changed := sorted(record_id for record_id, content in signed.items() if now.get(record_id) != content):
        listed = ", ".join(changed[:_SHOWN]) + (", …" if len(changed) > _SHOWN else "")
        raise Failure(
            f"{version.ref}: {len(changed)} rows are not as an earlier version was signed with ({listed}), the same "
            f"rows were wanted; see `everspring verify {version.ref.table}`, or publish the rows anew with --replace"
        )
    signed_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = make(leaves, files, {**about, "leaves_since": since, "signed_at": signed_at}, key)
    _keep(lake, version, manifest, [leaf for leaf in leaves if leaf[0] not in signed])
    return manifest


def renew_files(
    lake: Lake, versions: Iterable[Version], key: "Ed25519PrivateKey", trusted: Collection[str]
) -> list[Version]:
    """Sign versions anew whose rows now lie in other files, as after these were merged; returns those that were.

    The rows stay those that were signed, and a file that was there stays as it was signed: whatever was changed is
    still found. A manifest that is not sound is left as it is, for `verify` to say so.
    """
    done: list[tuple[Version, Manifest]] = []
    seen: dict[str, FileEntry] = {}
    with lake.read() as connection:
        for version in versions:
            manifest = _sound(_stored(connection, version), trusted)
            paths = _files(connection, lake, version)
            if manifest is None or {name for name, _ in paths} == set(manifest.files):
                continue
            known = {**seen, **manifest.files}
            seen |= {name: _entry(connection, version, path) for name, path in paths if name not in known}
            files = {name: manifest.files.get(name) or seen[name] for name, _ in paths}
            done.append((version, renewed(manifest, files, _later(str(manifest.about["signed_at"])), key)))
    if done:
        rows = [
            {
                "table_name": version.ref.table,
                "version": version.ref.version,
                "signed_at": datetime.fromisoformat(str(manifest.about["signed_at"])),
                "manifest": manifest.to_json(),
            }
            for version, manifest in done
        ]
        with lake.write(f"{len(done)} versions signed: their files were merged") as connection:
            insert(connection, "manifests", rows)
    return [version for version, _ in done]


def _sound(text: str | None, trusted: Collection[str]) -> Manifest | None:
    """A manifest that is as it was signed, by somebody who may."""
    try:
        manifest = Manifest.from_json(text or "")
    except Refusal:
        return None
    return None if seal_problems(manifest, trusted) else manifest


def _later(than: str) -> str:
    """Now, or a second after a moment of this very second: of two manifests the later one counts."""
    now = max(datetime.now(UTC), datetime.fromisoformat(than) + timedelta(seconds=1))
    return now.isoformat(timespec="seconds")


def sign_due(lake: Lake, table: str, settings: Settings) -> None:
    """Sign the versions of a table that were published to be signed and are not: the last, or one whose run was killed.

    Raises:
        Failure: as `sign_version` does.
    """
    with lake.read() as connection:
        due = connection.execute(
            "SELECT version FROM catalog.versions AS v "
            "JOIN __ducklake_metadata_lake.ducklake_snapshot_changes AS s ON s.snapshot_id = v.added_in "
            "WHERE table_name = ? AND commit_extra_info LIKE '%\"sign\": true%' AND NOT EXISTS "
            "(FROM catalog.manifests AS m WHERE m.table_name = v.table_name AND m.version = v.version) ORDER BY ALL",
            [table],
        ).fetchall()
    ref = TableRef.parse(table)
    for (version,) in due:
        sign_version(lake, lake.find(TableRef(ref.schema, ref.name, version)), signing_key(settings))


def verify_version(lake: Lake, ref: TableRef, trusted: Collection[str]) -> list[Problem]:
    """What of a version is not as it was signed: rows by id, files by path below the lake's data, manifest entries.

    Args:
        lake: where the version and its manifest are.
        ref: the version; the last one where it names none.
        trusted: public keys, in hex, of whoever may sign.

    Raises:
        Refusal: where there is no such version.
    """
    version = lake.find(ref)
    with lake.read() as connection:
        text = _stored(connection, version)
        about = _about(connection, version)
        paths = _files(connection, lake, version)
        last = lake.latest(ref.table) == version
    if text is None:
        return [Problem("manifest", str(version.ref), "there is none: the version was not signed")]
    try:
        manifest = Manifest.from_json(text)
    except Refusal as error:
        return [Problem("manifest", str(version.ref), str(error))]
    with lake.read() as connection:
        signed = list(_signed(connection, version, manifest))
    with _fresh(lake) as connection:
        there = list(_there(connection, paths))
    problems = [*seal_problems(manifest, trusted), *about_problems(manifest, about)]
    problems += file_problems(manifest, there)
    return problems + _rows_problems(lake, version, manifest, signed, [path for _, path in paths], last=last)


def _rows_problems(
    lake: Lake, version: Version, manifest: Manifest, signed: Sequence[Leaf], paths: Sequence[str], *, last: bool
) -> list[Problem]:
    import duckdb

    try:
        with _fresh(lake) as connection:
            found = row_problems(manifest, _leaves(connection, lake, version, version.sql), signed)
            return found + (_unpublished(connection, lake, version) if last else [])
    except duckdb.Error:
        return _what_can_be_read(lake, version, signed, paths)


def _unpublished(connection: "duckdb.DuckDBPyConnection", lake: Lake, version: Version) -> list[Problem]:
    """The rows that differ between the last version and the table as it stands now."""
    import duckdb

    names = ", ".join(f'"{name}"' for name in lake.columns(connection, version))
    then, now = f"SELECT {names} FROM {version.sql}", f"SELECT {names} FROM {version.ref.sql}"
    try:
        gone, come = (
            [(record_id, content) for (record_id,) in connection.execute(query).fetchall()]
            for query, content in (
                (f"SELECT record_id FROM ({then} EXCEPT ALL {now})", b"then"),
                (f"SELECT record_id FROM ({now} EXCEPT ALL {then})", b"now"),
            )
        )
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        return [Problem("row", "", f"the table as it stands now cannot be compared with {version.ref} ({why})")]
    return [
        Problem(kind, row, f"{what}, in the table as it stands now; {version.ref} itself has it as signed")
        for kind, row, what in changed_rows(gone, come)
    ]


def _what_can_be_read(lake: Lake, version: Version, signed: Sequence[Leaf], paths: Sequence[str]) -> list[Problem]:
    """The rows that differ, file by file, where the version as a whole cannot be read."""
    import duckdb

    expected, seen = dict(signed), set[str]()
    found: list[Problem] = []
    for path in paths:
        try:
            with _fresh(lake) as connection:
                rows = list(_leaves(connection, lake, version, "read_parquet(?)", [path]))
        except duckdb.Error as error:
            found.append(Problem("file", _name(lake, path), f"cannot be read ({str(error).splitlines()[0]})"))
            continue
        there = {record_id: content for record_id, content in rows if record_id in expected}
        seen |= there.keys()
        found += changed_rows([(record_id, expected[record_id]) for record_id in there], there.items())
    if lost := sorted(expected.keys() - seen):
        listed = ", ".join(lost[:_SHOWN]) + (", …" if len(lost) > _SHOWN else "")
        found.append(Problem("row", "", f"{len(lost)} rows are in no file that can be read: {listed}"))
    return found


@contextmanager
def _fresh(lake: Lake) -> "Generator[duckdb.DuckDBPyConnection]":
    """A connection that reads files as they are on the disk, and that nobody gets again: broken files may break it."""
    with lake.read(once=True) as connection:
        connection.execute("SET enable_external_file_cache = false")
        yield connection


def _leaves(
    connection: "duckdb.DuckDBPyConnection", lake: Lake, version: Version, source: str, values: Sequence[str] = ()
) -> Iterator[Leaf]:
    """Each row's id and the hash of its content; a Parquet file has columns of DuckLake's own, which do not count."""
    columns = set(lake.columns(connection, version))
    cursor = connection.execute(f"FROM {source}", list(values))
    names = [column[0] for column in cursor.description or []]
    if "record_id" not in names:  # a file that lists deleted rows
        return
    while rows := cursor.fetchmany(_FETCH):
        for values_of in rows:
            row = {name: value for name, value in zip(names, values_of, strict=True) if name in columns}
            yield row["record_id"], content_hash(row)


def _files(connection: "duckdb.DuckDBPyConnection", lake: Lake, version: Version) -> list[tuple[str, str]]:
    """The Parquet files of a version, those that list deleted rows among them, by name; few rows are in no file."""
    found = connection.execute(
        "SELECT data_file, delete_file FROM ducklake_list_files('lake', ?, schema => ?, snapshot_version => ?)",
        [version.ref.name, version.ref.schema, version.snapshot],
    ).fetchall()
    paths = dict.fromkeys(path for pair in found for path in pair if path)
    return [(_name(lake, path), path) for path in paths]


def _name(lake: Lake, path: str) -> str:
    """A file's path below the lake's data, whose folder may move."""
    if path.startswith("s3://"):
        return path.removeprefix(lake.data)
    return Path(path).relative_to(lake.data).as_posix() if Path(path).is_relative_to(lake.data) else path


def _entry(connection: "duckdb.DuckDBPyConnection", version: Version, path: str) -> FileEntry:
    try:
        return _digest(connection, path)
    except OSError as error:
        raise Failure(f"{version.ref}: {path} cannot be read ({error.strerror}), nothing was signed") from None


def _there(
    connection: "duckdb.DuckDBPyConnection", paths: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, FileEntry]]:
    """The files that can be read."""
    for name, path in paths:
        try:
            yield name, _digest(connection, path)
        except OSError:
            continue


def _digest(connection: "duckdb.DuckDBPyConnection", path: str) -> FileEntry:
    """The hash and the size of a file, in a folder or on S3.

    Raises:
        OSError: where it is not there.
    """
    import duckdb

    if not path.startswith("s3://"):
        return file_entry(Path(path))
    try:
        found = connection.execute("SELECT sha256(content), octet_length(content) FROM read_blob(?)", [path]).fetchone()
    except duckdb.HTTPException as error:
        if "NoSuchBucket" in str(error) or not re.search(r"HTTP (code )?404", str(error)):
            raise
        found = None
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return FileEntry(*found)


def _about(connection: "duckdb.DuckDBPyConnection", version: Version) -> dict[str, str | int]:
    """What the lake knows about a version."""
    revision = connection.execute(
        "SELECT code_revision FROM catalog.runs WHERE run_id = ? LIMIT 1", [version.run_id]
    ).fetchone()
    return {
        "table": version.ref.table,
        "version": version.ref.version or 0,
        "snapshot": version.added_in,
        "run_id": version.run_id,
        "fingerprint": version.fingerprint,
        "code_revision": (revision[0] if revision else None) or "",
    }


def _stored(connection: "duckdb.DuckDBPyConnection", version: Version) -> str | None:
    """The newest manifest of a version."""
    found = connection.execute(
        "SELECT manifest FROM catalog.manifests WHERE table_name = ? AND version = ? ORDER BY signed_at DESC LIMIT 1",
        [version.ref.table, version.ref.version],
    ).fetchone()
    return found[0] if found else None


def _signed(connection: "duckdb.DuckDBPyConnection", version: Version, manifest: Manifest) -> list[Leaf]:
    """The rows that a version was signed with."""
    return connection.execute(
        "SELECT DISTINCT record_id, content FROM catalog.leaves "
        "WHERE table_name = ? AND version BETWEEN try_cast(? AS INTEGER) AND ?",
        [version.ref.table, str(manifest.about.get("leaves_since")), version.ref.version],
    ).fetchall()


def _earlier(connection: "duckdb.DuckDBPyConnection", version: Version) -> tuple[int, dict[str, bytes]]:
    """The version from which on leaves are kept that this one holds too, and those leaves, by id.

    That is itself, with none, where it or one since the last that was signed replaces rows.
    """
    number = version.ref.version or 0
    began = connection.execute(
        "SELECT max(version) FROM catalog.versions WHERE table_name = ? AND version <= ? AND mode <> 'append'",
        [version.ref.table, number],
    ).fetchone()
    leaves = connection.execute(
        "SELECT record_id, content, version FROM catalog.leaves WHERE table_name = ? AND version BETWEEN ? AND ?",
        [version.ref.table, (began[0] if began else None) or 1, number],
    ).fetchall()
    return min((of for *_, of in leaves), default=number), {record_id: content for record_id, content, _ in leaves}


def _keep(lake: Lake, version: Version, manifest: Manifest, leaves: Sequence[Leaf]) -> None:
    import polars as pl

    of_version = [version.ref.table, version.ref.version]
    frame = pl.DataFrame(leaves, schema={"record_id": pl.String, "content": pl.Binary}, orient="row")
    with lake.write(f"{version.ref}: signed", {"table_name": version.ref.table}) as connection:
        connection.execute(
            # Later than any before, whatever the clock says: of several manifests the newest counts.
            "INSERT INTO lake.catalog.manifests BY NAME SELECT ? AS table_name, ?::INTEGER AS version, greatest("
            "?::TIMESTAMPTZ, max(signed_at) + INTERVAL 1 MICROSECOND) AS signed_at, ? AS manifest "
            "FROM lake.catalog.manifests WHERE table_name = ? AND version = ?",
            [*of_version, manifest.about["signed_at"], manifest.to_json(), *of_version],
        )
        connection.register("incoming", frame)
        connection.execute(
            "INSERT INTO lake.catalog.leaves BY NAME SELECT ? AS table_name, ?::INTEGER AS version, * FROM incoming",
            of_version,
        )
        connection.unregister("incoming")
