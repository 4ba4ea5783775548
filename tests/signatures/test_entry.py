"""Entries of signatures: what is made is read again, and shown; what nearly is one is raw (`signature_texts`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.malformed import accept_or_refuse
from tests.support.sampling import one_in
from tests.support.signature_texts import DATA, SIGNATURES, blob, stored
from tiles.entries.kinds import kind_of
from tiles.entries.signer_keys import key_value
from tiles.errors import Malformed, UsageError
from tiles.signatures.digests import signed
from tiles.signatures.entry import SignatureEntry, entry_by, parse_signature_entry
from tiles.signatures.formats import parse_signature, parse_signer_key

ONE = SignatureEntry("ssh", bytes(32), b"", b"key", b"signature")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "entry-formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", SIGNATURES, ids=lambda entry: repr(entry[22:60]))
def test_entries(entry: bytes) -> None:
    """One has one form."""
    if SIGNATURES[entry] is None:
        with pytest.raises(Malformed):
            parse_signature_entry(entry)
    else:
        assert parse_signature_entry(entry).data == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "x509"},
        {"sha256": bytes(31)},
        {"second": bytes(32)},
        {"format": "pgp", "second": bytes(64)},
        {"key": b""},
        {"key": bytes(32_769)},
        {"signature": b""},
        {"signature": bytes(12_289)},
    ],
)
def test_what_no_entry_can_say(changes: dict[str, object]) -> None:
    """It is refused when it is made."""
    with pytest.raises(UsageError):
        replace(ONE, **changes)  # type: ignore[arg-type]


def test_damaged_entries() -> None:
    """A changed byte makes another entry, or none."""
    for at in one_in(3, range(len(ONE.data))):
        damaged = ONE.data[:at] + bytes([ONE.data[at] ^ 1]) + ONE.data[at + 1 :]
        accept_or_refuse(parse_signature_entry, lambda found: found.data, damaged)


def test_the_example() -> None:
    """The document shows the entry of a file that is kept here, and by what it is found and shown."""
    key = parse_signer_key("ssh", stored("ssh_ed25519.pub"))
    entry = entry_by(key, parse_signature("ssh", stored("ssh_ed25519.sig")), signed(DATA))
    assert (entry.key, entry.signature) == (blob("ssh_ed25519.pub"), blob("ssh_ed25519.sig"))
    assert entry.data.decode().replace("\n", "\n    ").rstrip(" ") in "    " + DOCUMENT
    assert key_value(stored("ssh_ed25519.pub")).hex() in DOCUMENT
    assert ("Signed with SSH key", key.shown.removeprefix("SSH key ")) in kind_of(entry.data).describe(entry.data)
