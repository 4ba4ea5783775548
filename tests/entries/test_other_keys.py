"""By what entries of other people's logs are found; patterns over these are in tests/watch/test_monitor_match.py."""

from __future__ import annotations

from hashlib import sha256, sha512

from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.other_logs import certificate, record, timestamped
from tiles.entries.file_digest import DigestEntry
from tiles.entries.kind import LEAF, NAME, SHA256, SHA512, Key
from tiles.entries.other_keys import DNS, MODULE, keys_in, kinds_in, values_in
from tiles.notes.index_head import MAX_KEYS
from tiles.records.layout_names import STATIC_CT, SUMDB, TLOG_TILES
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash


def of_bytes(entry: bytes) -> list[Key]:
    """Return the keys that any entry has."""
    digests = [Key(SHA256, sha256(entry).digest()), Key(SHA512, sha512(entry).digest())]
    return [Key(LEAF, leaf_hash(entry)), *digests]


def test_a_certificate() -> None:
    """The subject's name and the alternative ones, each once, and the digests of the entry."""
    entry = b"\0\0" + timestamped(0)
    domains = [Key(DNS, b"host.example.com"), Key(DNS, b"www.example.com")]
    assert keys_in(STATIC_CT, entry) == [*domains, *of_bytes(entry)]


def test_a_record() -> None:
    """Each module and version once, though a record has two lines of it."""
    assert keys_in(SUMDB, record(3)) == [Key(MODULE, b"example.com/m3@v1.0.0"), *of_bytes(record(3))]


def test_bounded() -> None:
    """A certificate with many names has the first of them; an entry may be longer than one of ours."""
    many = certificate(*(f"n{index}.example.com" for index in range(300))).public_bytes(Encoding.DER)
    assert len(keys_in(STATIC_CT, b"\0\0" + timestamped(0, cert=many))) == MAX_KEYS + 3
    long = b"\0\0" + timestamped(0, cert=bytes(MAX_ENTRY_SIZE + 1))
    assert keys_in(STATIC_CT, long) == of_bytes(long)
    assert keys_in(STATIC_CT, b"no entry at all") == of_bytes(b"no entry at all")


def test_the_format_decides() -> None:
    """What looks like an entry of ours is none in another log, and kinds of others are none in ours."""
    entry = DigestEntry("0" * 64, 4, "app").data
    assert Key(NAME, b"app") in keys_in(TLOG_TILES, entry)
    assert keys_in(SUMDB, entry)[-3:] == of_bytes(entry)
    assert not [each for each in keys_in(SUMDB, entry) if each.kind == NAME]
    assert values_in(TLOG_TILES, DNS) is values_in(SUMDB, DNS) is values_in(STATIC_CT, NAME) is None
    assert kinds_in(STATIC_CT) == (DNS, LEAF, SHA256, SHA512)
