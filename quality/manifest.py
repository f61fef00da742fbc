"""Manifests: what a version holds, signed, so that anyone with the public key can tell whether it still holds that.

The rows are the leaves of a Merkle tree (RFC 6962, https://www.rfc-editor.org/rfc/rfc6962, section 2.1) in the order of
their ids; its root stands in the manifest beside the SHA-256 of every file. One row can be shown to be among them by a
path of some twenty hashes, without the others. The signature is Ed25519 (RFC 8032). It covers a digest of every entry,
and the digests stand in the manifest: an entry that was changed is named, not only the manifest that it is in.
"""

import hashlib
import json
import os
import uuid
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from infra.errors import Refusal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = 1
"""Counts the changes of what is signed."""
KEY_FILE = "signing_key.pem"

_PURPOSE = b"everspring manifest\n"
"""Signed before the digests: a signature made for something else is none of a manifest."""

Leaf = tuple[str, bytes]
"""A row's id and the hash of its content."""


class FileEntry(NamedTuple):
    """A file as it was signed: SHA-256 in hex, and its size."""

    sha256: str
    bytes: int


class Problem(NamedTuple):
    """Something that is not as it was signed: a row (by id), a file (by path), an entry, the signature, the key."""

    kind: Literal["manifest", "key", "signature", "entry", "file", "row"]
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.what}" if self.subject else f"{self.kind}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A signed list of what a version holds; `about` says which version of what, made by whom and when.

    `root` and the key are in hex. `digests` has the SHA-256 of each entry, a file's under `files/PATH`; the signature
    is over them.
    """

    about: Mapping[str, str | int]
    rows: int
    root: str
    files: Mapping[str, FileEntry]
    public_key: str
    digests: Mapping[str, str]
    signature: str
    format: int = FORMAT

    def to_json(self) -> str:
        """The manifest as JSON."""
        files = {path: entry._asdict() for path, entry in self.files.items()}
        return json.dumps({**asdict(self), "files": files}, indent=1, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read a manifest.

        Raises:
            Refusal: where it is none.
        """
        try:
            found = json.loads(text)
            files = {
                str(path): FileEntry(str(e["sha256"]), int(e["bytes"])) for path, e in dict(found["files"]).items()
            }
            return cls(
                about=dict(found["about"]),
                rows=int(found["rows"]),
                root=str(found["root"]),
                files=files,
                public_key=str(found["public_key"]),
                digests={str(name): str(value) for name, value in dict(found["digests"]).items()},
                signature=str(found["signature"]),
                format=int(found["format"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Refusal(f"manifest: cannot be read ({error!r}), JSON as it was signed is wanted") from None


@dataclass(frozen=True)
class Proof:
    """That a row is among the rows of a manifest: the hashes beside the way from its leaf to the root, in hex."""

    record_id: str
    content: str
    path: tuple[tuple[Literal["left", "right"], str], ...]


def content_hash(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of a row's columns but its id, as JSON with sorted keys and no blanks.

    Columns that are null are left out: a table that gains a column keeps the hashes of its rows.
    """
    content = {name: value for name, value in row.items() if name != "record_id" and value is not None}
    return hashlib.sha256(_ENCODER.encode(content).encode("utf-8", "surrogatepass")).digest()


def make(
    rows: Iterable[Leaf],
    files: Iterable[tuple[str, FileEntry]],
    about: Mapping[str, str | int],
    key: "Ed25519PrivateKey",
) -> Manifest:
    """The signed manifest of these rows (in any order) and files."""
    leaves = sorted(rows)
    return _sealed(about, dict(files), len(leaves), merkle_root(leaves).hex(), key)


def renewed(manifest: Manifest, files: Mapping[str, FileEntry], signed_at: str, key: "Ed25519PrivateKey") -> Manifest:
    """The manifest of the same rows in other files, signed anew: rows that were changed do not become signed ones."""
    return _sealed({**manifest.about, "signed_at": signed_at}, files, manifest.rows, manifest.root, key)


def verify(
    manifest: Manifest,
    rows: Iterable[Leaf],
    files: Iterable[tuple[str, FileEntry]],
    trusted: Collection[str],
    *,
    about: Mapping[str, str | int] | None = None,
    leaves: Iterable[Leaf] = (),
) -> list[Problem]:
    """Whatever is not as it was signed; nothing where all is.

    Args:
        manifest: what was signed.
        rows: the rows as they are.
        files: the files as they are.
        trusted: public keys, in hex, of whoever may sign.
        about: what is known from elsewhere about the version, to compare with what the manifest says.
        leaves: the rows as they were signed; without them a change is found, and not which row it is in.
    """
    return [
        *seal_problems(manifest, trusted),
        *about_problems(manifest, about or {}),
        *file_problems(manifest, files),
        *row_problems(manifest, rows, leaves),
    ]


def seal_problems(manifest: Manifest, trusted: Collection[str]) -> list[Problem]:
    """What is wrong with the key, the signature, or an entry by its digest."""
    found: list[Problem] = []
    if manifest.public_key not in trusted:
        found.append(
            Problem("key", manifest.public_key, "signed the manifest and is not trusted; trust it if you know whose")
        )
    if manifest.format != FORMAT:
        found.append(Problem("entry", "format", f"is {manifest.format}, {FORMAT} is known here"))
    now = _digests(
        manifest.about,
        manifest.files,
        format=manifest.format,
        rows=manifest.rows,
        root=manifest.root,
        public_key=manifest.public_key,
    )
    for name in sorted(now.keys() | manifest.digests.keys()):
        if now.get(name) != manifest.digests.get(name):
            did = "taken out" if name not in now else "changed" if name in manifest.digests else "put in"
            found.append(Problem("entry", name.removeprefix("about/"), f"was {did} after signing"))
    if not _signature_holds(manifest):
        found.append(Problem("signature", "", f"is not that of the key {manifest.public_key} over these entries"))
    return found


def about_problems(manifest: Manifest, about: Mapping[str, str | int]) -> list[Problem]:
    """The entries that differ from what is known from elsewhere."""
    return [
        Problem("entry", name, f"is {manifest.about.get(name)!r}; the lake has {value!r}")
        for name, value in about.items()
        if manifest.about.get(name) != value
    ]


def file_problems(manifest: Manifest, files: Iterable[tuple[str, FileEntry]]) -> list[Problem]:
    """The files that were changed, added or removed."""
    there = dict(files)
    found = [
        Problem("file", path, _difference(entry, there.get(path)))
        for path, entry in manifest.files.items()
        if there.get(path) != entry
    ]
    return found + [Problem("file", path, "was added after signing") for path in there if path not in manifest.files]


def row_problems(manifest: Manifest, rows: Iterable[Leaf], leaves: Iterable[Leaf] = ()) -> list[Problem]:
    """The rows that were changed, added or removed, by id, where `leaves` are the rows as they were signed."""
    there = sorted(rows)
    if merkle_root(there).hex() == manifest.root:
        return []
    signed = sorted(leaves)
    if merkle_root(signed).hex() != manifest.root:
        told = "which ones cannot be told: " + ("the leaves are not those that were signed" if signed else "no leaves")
        return [Problem("row", "", f"{len(there)} rows, {manifest.rows} were signed, and not the same; {told}")]
    return changed_rows(signed, there)


def changed_rows(signed: Iterable[Leaf], there: Iterable[Leaf]) -> list[Problem]:
    """Which rows differ between two sets, in the order of their ids."""
    before, after = Counter(signed), Counter(there)
    gone = Counter(record_id for record_id, _ in (before - after).elements())
    come = Counter(record_id for record_id, _ in (after - before).elements())
    changes = dict.fromkeys(gone & come, "was changed after signing")
    changes |= dict.fromkeys(gone - come, "was removed after signing")
    changes |= dict.fromkeys(come - gone, "was added after signing")
    return [Problem("row", record_id, what) for record_id, what in sorted(changes.items())]


def merkle_root(leaves: Sequence[Leaf]) -> bytes:
    """The root over leaves in the order of their ids; 32 bytes."""
    return deque(_levels(leaves), maxlen=1)[0][0]


def prove(leaves: Iterable[Leaf], record_id: str) -> Proof:
    """The proof that a row is among these.

    Raises:
        Refusal: where it is not.
    """
    ordered = sorted(leaves)
    place = next((at for at, (found, _) in enumerate(ordered) if found == record_id), None)
    if place is None:
        raise Refusal(f"row {record_id!r}: is not in this version, the id of one of its {len(ordered)} rows is wanted")
    content = ordered[place][1].hex()
    path: list[tuple[Literal["left", "right"], str]] = []
    for level in _levels(ordered):
        beside = place ^ 1
        if beside < len(level):
            path.append(("left" if beside < place else "right", level[beside].hex()))
        place //= 2
    return Proof(record_id, content, tuple(path))


def proves(proof: Proof, root: str) -> bool:
    """Whether the row that a proof names, with the content that it names, is under this root."""
    try:
        node = _leaf(proof.record_id, bytes.fromhex(proof.content))
        for side, beside in proof.path:
            other = bytes.fromhex(beside)
            node = _node(other, node) if side == "left" else _node(node, other)
    except ValueError:  # what is no hex is no proof
        return False
    return node.hex() == root


def file_entry(path: Path) -> FileEntry:
    """A file as it is.

    Raises:
        OSError: where it cannot be read.
    """
    with path.open("rb") as opened:
        return FileEntry(hashlib.file_digest(opened, "sha256").hexdigest(), os.fstat(opened.fileno()).st_size)


def load_or_make_key(folder: Path) -> "Ed25519PrivateKey":
    """The private key in a folder, made the first time; only its owner may read the file.

    Raises:
        Refusal: where the file is no such key, or others may read it.
    """
    path = folder / KEY_FILE
    if not path.exists():
        _write_key(path)
    return load_key(path)


def load_key(path: Path) -> "Ed25519PrivateKey":
    """The private key in a file (PEM, PKCS #8).

    Raises:
        Refusal: where there is none, or others may read it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        raise Refusal(f"signing key: {path} cannot be read ({error.strerror}), a private key is wanted") from None
    if mode & 0o077:
        raise Refusal(f"signing key: others may read {path}, nobody else may; chmod 600 it, or make a new one")
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refusal(f"signing key: {path} is no Ed25519 key in PEM without a password; move it away to have one made")
    return key


def public_key(key: "Ed25519PrivateKey") -> str:
    """The public key of a private one: 64 hex digits, for others to trust."""
    return key.public_key().public_bytes_raw().hex()


def read_trusted(text: str) -> frozenset[str]:
    """Public keys from text: 64 hex digits each, with blanks or commas between.

    Raises:
        Refusal: for anything else.
    """
    keys = text.replace(",", " ").lower().split()
    for key in keys:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise Refusal(f"trusted key {key!r}: no public key, 64 hex digits are wanted")
    return frozenset(keys)


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def _digests(about: Mapping[str, str | int], files: Mapping[str, FileEntry], **entries: str | int) -> dict[str, str]:
    """Entry → SHA-256 of its name and value, in hex."""
    flat: dict[str, Any] = {
        **{f"about/{name}": value for name, value in about.items()},
        **{f"files/{path}": list(entry) for path, entry in files.items()},
        **entries,
    }
    return {
        name: hashlib.sha256(_ENCODER.encode([name, value]).encode("utf-8", "surrogatepass")).hexdigest()
        for name, value in flat.items()
    }


def _sealed(
    about: Mapping[str, str | int], files: Mapping[str, FileEntry], rows: int, root: str, key: "Ed25519PrivateKey"
) -> Manifest:
    public = public_key(key)
    digests = _digests(about, files, format=FORMAT, rows=rows, root=root, public_key=public)
    return Manifest(
        about=dict(about),
        rows=rows,
        root=root,
        files=dict(files),
        public_key=public,
        digests=digests,
        signature=key.sign(_signed(digests)).hex(),
    )


def _signed(digests: Mapping[str, str]) -> bytes:
    return _PURPOSE + _ENCODER.encode(dict(digests)).encode()


def _signature_holds(manifest: Manifest) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.public_key))
        key.verify(bytes.fromhex(manifest.signature), _signed(manifest.digests))
    except (ValueError, InvalidSignature):
        return False
    return True


def _difference(signed: FileEntry, there: FileEntry | None) -> str:
    if there is None:
        return "is missing or cannot be read"
    if there.bytes != signed.bytes:
        return f"has {there.bytes} bytes, {signed.bytes} were signed"
    return f"has SHA-256 {there.sha256}, {signed.sha256} was signed"


def _levels(leaves: Sequence[Leaf]) -> Iterator[list[bytes]]:
    """The tree from the leaves' hashes to the root; a node without a neighbour moves up as it is, as in RFC 6962."""
    level = [_leaf(*leaf) for leaf in leaves] or [hashlib.sha256().digest()]
    yield level
    while len(level) > 1:
        alone = level[-1:] if len(level) % 2 else []
        level = [_node(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + alone
        yield level


def _leaf(record_id: str, content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content + record_id.encode("utf-8", "surrogatepass")).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _write_key(path: Path) -> None:
    """Put a new key where none is; where another process was faster, its key stays."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text)
        os.link(partial, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise Refusal(
            f"signing key: {path} cannot be written ({error.strerror}), a writable folder is wanted"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
