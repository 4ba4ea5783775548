"""Keys that sign artifacts: PEM that OpenSSL and cosign read, never shown, deterministic."""

from __future__ import annotations

import os
import stat
from hashlib import sha256, sha384
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tiles.errors import AccessError, Malformed, NotFound, Refused, UsageError
from tiles.notes.keys import signing_key
from tiles.signing.artifact_key import (
    FileKey,
    generate_key,
    parse_artifact_key,
    read_artifact_key,
    write_artifact_key,
)
from tiles.sigstore.public_key import parse_public_key, verify_digest

# RFC 6979 appendix A.2.5: P-256 and SHA-256, the message "sample"
PRIVATE = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
S = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
DIGEST = sha256(b"sample").digest()


def pem(private: object, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes = b"") -> bytes:
    """Return a private key in PEM."""
    assert hasattr(private, "private_bytes")
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    data: bytes = private.private_bytes(Encoding.PEM, form, encryption)
    return data


P256 = ec.derive_private_key(PRIVATE, ec.SECP256R1())


def test_the_signature_of_rfc_6979() -> None:
    """It is the one of the RFC, the same each time, so that signing again is the same entry."""
    key = parse_artifact_key(pem(P256))
    expected = bytes.fromhex(f"3046022100{R}022100{S}")
    assert [key.sign_digest(DIGEST) for _ in range(3)] == [expected] * 3
    verify_digest(key.public, DIGEST, expected)


@pytest.mark.parametrize(
    ("private", "hashed"),
    [
        (ec.derive_private_key(PRIVATE, ec.SECP384R1()), sha384),
        (rsa.generate_private_key(65_537, 2048), sha256),
    ],
    ids=["P-384", "RSA"],
)
def test_other_keys_sign_by_their_own_hash(private: object, hashed: type, tmp_path: Path) -> None:
    """The key decides the hash; a digest of another size is refused, and is not signed."""
    key = parse_artifact_key(pem(private))
    digest = hashed(b"artifact").digest()
    verify_digest(key.public, digest, key.sign_digest(digest))
    assert key.sign_digest(digest) == key.sign_digest(digest)
    with pytest.raises(UsageError, match="31 bytes are no digest of"):
        key.sign_digest(digest[:31])


def test_files(tmp_path: Path) -> None:
    """The key is 0600, PKCS#8, and read back; its public half stands beside it, for everyone."""
    key, path = generate_key(), tmp_path / "s.key"
    before = os.umask(0o022)
    try:
        public = write_artifact_key(path, key)
    finally:
        os.umask(before)
    assert public == tmp_path / "s.key.pub"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, public)] == [0o600, 0o644]
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert parse_public_key(public.read_bytes()) == key.public == read_artifact_key(path).public
    other = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(other, ec.EllipticCurvePrivateKey)
    assert other.curve.name == "secp256r1"
    assert "PRIVATE" not in f"{key!r}{key}"


@pytest.mark.parametrize("there", ["s.key", "s.key.pub"])
def test_nothing_is_overwritten(there: str, tmp_path: Path) -> None:
    """Neither half, and nothing is left beside it."""
    (tmp_path / there).write_bytes(b"mine")
    with pytest.raises(Refused, match=f"{there} exists already; a key is never overwritten"):
        write_artifact_key(tmp_path / "s.key", generate_key())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {there: b"mine"}


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A place that is no folder is a broken way."""
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match="cannot be written"):
        write_artifact_key(tmp_path / "file" / "s.key", generate_key())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pem(P256, password=b"secret"), "it is encrypted; `openssl pkey"),
        (pem(P256, PrivateFormat.TraditionalOpenSSL, b"secret"), "it is encrypted; `openssl pkey"),
        (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nc2VjcmV0\n", "encrypted by cosign"),
        (b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nc2VjcmV0\n", "encrypted by cosign"),
        (f"{signing_key('log.example.com', bytes(32)).skey}\n".encode(), "the key of a log, which signs no artifacts"),
        (pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))), "Ed25519, which signs no digest"),
        (pem(x25519.X25519PrivateKey.from_private_bytes(bytes(32))), "not the public key of any known kind"),
        (pem(ec.derive_private_key(5, ec.SECP256K1())), "on a curve that Rekor does not take"),
        (parse_artifact_key(pem(P256)).public.pem, "not a private key in PEM"),
        (pem(P256)[:-40], "not a private key in PEM"),
        (b"", "not a private key in PEM"),
        (b"secret\n" * 10_000, "more than 16384 bytes"),
    ],
)
def test_what_is_no_signing_key(data: bytes, says: str, tmp_path: Path) -> None:
    """Each is refused with the reason and the file, and nothing of it is shown, not even by what an error is from."""
    path = tmp_path / "s.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(Malformed, match=says) as caught:
        read_artifact_key(path)
    assert str(path) in caught.value.message
    assert caught.value.found is None
    assert caught.value.__context__ is None or "secret" not in str(caught.value.__context__)


def test_the_file_is_read_by_its_owner_only(tmp_path: Path) -> None:
    """One that others may read is refused, as a log's key is; one that is not there leads to how one is made."""
    path = tmp_path / "s.key"
    with pytest.raises(NotFound) as caught:
        read_artifact_key(path)
    assert "key generate --signing" in caught.value.hint
    write_artifact_key(path, FileKey(parse_artifact_key(pem(P256)).public, P256))
    path.chmod(0o644)
    with pytest.raises(Refused, match="can be read by others than its owner"):
        read_artifact_key(path)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_forms_of_other_tools(form: PrivateFormat) -> None:
    """What `openssl ecparam -genkey` and `openssl genpkey` write is read."""
    assert parse_artifact_key(pem(P256, form)).public == parse_artifact_key(pem(P256)).public
