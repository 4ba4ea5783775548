"""Signatures that the tools have made, of all formats: right as they are, wrong once a byte is another."""

from __future__ import annotations

from collections.abc import Iterator

import pysequoia
import pytest

from tests.support.signature_texts import DATA, GOOD, stored
from tiles.errors import LogError, Malformed, SignatureError, UsageError
from tiles.signatures import openpgp
from tiles.signatures.digests import SHA256, SHA512, WHOLE, Signed, signed
from tiles.signatures.entry import entry_by, parse_signature_entry
from tiles.signatures.formats import (
    FORMATS,
    MAX_FILE_SIZE,
    SignerKey,
    format_of,
    parse_signature,
    parse_signer_key,
)
from tiles.signatures.ssh_key import string

FILE = signed(DATA)
REFUSED = (SignatureError, Malformed)
NOT_SIGNED = {"pgp_ed25519.asc": range(54, 66), "pgp_rsa.asc": range(55, 67)}  # the unhashed subpackets
NAMES = [name for _, _, name in GOOD]


def read(case: tuple[str, str, str]) -> tuple[SignerKey, bytes]:
    """Return key and signature in files."""
    format_, key, signature = case
    return parse_signer_key(format_, stored(key)), parse_signature(format_, stored(signature))


def damaged(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield data with one bit of each byte another, and where."""
    for at in range(len(data)):
        yield at, data[:at] + bytes([data[at] ^ (1 << (at % 8))]) + data[at + 1 :]


@pytest.mark.parametrize("case", GOOD, ids=NAMES)
def test_a_signature(case: tuple[str, str, str]) -> None:
    """It is by that key over that file; its format is seen in the key; what is signed is logged."""
    key, signature = read(case)
    assert format_of(stored(case[1])) == key.format == case[0]
    entry = entry_by(key, signature, FILE)
    over = FORMATS[key.format].signed_digest(signature)
    assert entry.second_name == (over if over not in (WHOLE, SHA256) else "")
    assert entry.second == (FILE.digests[over] if entry.second_name else b"")
    assert parse_signature_entry(entry.data) == entry
    assert key.shown.startswith({"ssh": "SSH key SHA256:", "minisign": "minisign key ", "pgp": "OpenPGP key "}[case[0]])


@pytest.mark.parametrize("case", GOOD, ids=NAMES)
def test_each_byte_counts(case: tuple[str, str, str]) -> None:
    """Of the signature, and of the key; and what follows, or is missing."""
    key, signature = read(case)
    check = FORMATS[key.format].check
    taken = []
    for at, other in damaged(signature):
        try:
            check(key.key, other, FILE)
            taken.append(at)
        except REFUSED:
            pass
    assert set(taken) <= set(NOT_SIGNED.get(case[2], ()))
    for other in (signature[:-1], signature + b"\0", b""):
        with pytest.raises(REFUSED):
            check(key.key, other, FILE)
    for at, other in damaged(key.key):
        if case[0] != "pgp" or at < 60:  # what follows its primary key says which names it has
            with pytest.raises(REFUSED):
                check(other, signature, FILE)


@pytest.mark.parametrize("case", GOOD, ids=NAMES)
def test_of_another_file_or_key(case: tuple[str, str, str]) -> None:
    """Neither is signed."""
    key, signature = read(case)
    with pytest.raises(SignatureError, match="wrong"):
        FORMATS[key.format].check(key.key, signature, signed(DATA + b"\n"))
    for format_, name, _ in GOOD:
        if format_ == case[0] and name != case[1]:
            with pytest.raises(SignatureError, match=r"another SSH key|wrong OpenPGP"):
                FORMATS[format_].check(parse_signer_key(format_, stored(name)).key, signature, FILE)


@pytest.mark.parametrize("case", GOOD, ids=NAMES)
def test_with_a_digest_alone(case: tuple[str, str, str]) -> None:
    """Where a digest is signed, it is enough; otherwise the error asks for the file."""
    key, signature = read(case)
    over = FORMATS[key.format].signed_digest(signature)
    if over != WHOLE:
        FORMATS[key.format].check(key.key, signature, Signed({over: FILE.digests[over]}))
    with pytest.raises(UsageError) as caught:
        FORMATS[key.format].check(key.key, signature, Signed({SHA512: FILE.digests[SHA512]} if over == SHA256 else {}))
    assert caught.value.hint == "name the file"


def test_a_digest_of_another_size() -> None:
    """It is none."""
    with pytest.raises(UsageError, match="31 bytes"):
        Signed({SHA256: bytes(31)})


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"-----BEGIN PUBLIC KEY-----\n", ""),
        (bytes.fromhex("3059"), ""),
        (b"", ""),
        (stored("minisign.pub").splitlines()[1], "minisign"),
        (stored("ssh_rsa2048.pub").rstrip(), "ssh"),
        (b"\xc6\x33", "pgp"),
        (b"\x99\x01", "pgp"),
    ],
)
def test_formats_of_keys(data: bytes, name: str) -> None:
    """PEM and DER are of none of them."""
    assert format_of(data) == name


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0",
        b"-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0",
        b"untrusted comment: minisign encrypted secret key\nc2VjcmV0",
    ],
)
def test_private_keys(data: bytes) -> None:
    """They are refused, and nothing of them is shown."""
    with pytest.raises(Malformed, match="private key") as caught:
        format_of(data)
    assert "c2Vj" not in str(caught.value)


def test_what_is_too_long_for_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate with a name of 33,000 bytes, a signature that names so long a key, and a key that is not found."""
    tsk = pysequoia.Tsk.generate(user_id="x" * 33_000)
    with pytest.raises(Malformed, match="export-minimal"):
        parse_signer_key("pgp", bytes(tsk.extract_certificate()))
    parts = [bytes(13_000), b"file", b"", b"sha256", b"x"]
    with pytest.raises(Malformed, match="not 1 to 12288 bytes"):
        parse_signature("ssh", b"SSHSIG" + bytes([0, 0, 0, 1]) + b"".join(map(string, parts)))
    monkeypatch.setattr(openpgp, "key_value", lambda _: None)
    with pytest.raises(Malformed, match="primary key"):
        parse_signer_key("pgp", stored("pgp_rsa.pub"))


@pytest.mark.parametrize("name", FORMATS)
def test_files_that_are_too_long(name: str) -> None:
    """They are refused before they are parsed."""
    for parse in (parse_signer_key, parse_signature):
        with pytest.raises(LogError, match=f"more than {MAX_FILE_SIZE} bytes"):
            parse(name, bytes(MAX_FILE_SIZE + 1))
        with pytest.raises(Malformed):
            parse(name, b"neither")
