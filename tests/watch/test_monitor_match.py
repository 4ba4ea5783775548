"""Which entries a pattern finds: by each kind of keys, exact as `search` takes it, or with stars."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.certificate_texts import ONE
from tests.support.entry_texts import rekor
from tests.support.other_logs import certificate, record, timestamped
from tiles.entries.file_digest import DigestEntry
from tiles.errors import UsageError
from tiles.records.layout_names import STATIC_CT, SUMDB, TLOG_TILES
from tiles.tree.merkle import leaf_hash
from tiles.watch.monitor_match import EVERY, MAX_PATTERN_SIZE, Sought, parse_pattern

DIGEST = sha256(b"file").hexdigest()
FILE = DigestEntry(DIGEST, 4, "app-1.0-caf\u00e9.whl").data
RAW = b"raw bytes"


def found(entry: bytes, *patterns: str, layout: str = TLOG_TILES) -> list[str] | None:
    """Return by which of the patterns an entry is found."""
    by = Sought(tuple(map(parse_pattern, patterns))).matcher(layout)(entry)
    return None if by is None else list(by)


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        (f"sha256/1={DIGEST}", True),
        (f"sha256/1={DIGEST.upper()}", True),
        (f"sha256/1={DIGEST[:8]}*", True),
        (f"sha256/1={DIGEST[:8].upper()}*", True),
        ("sha256/1=0000*", False),
        (f"leaf/1={leaf_hash(FILE).hex()}", True),
        ("name/1=app-1.0-caf\u00e9.whl", True),
        ("name/1=app-1.0-cafe\u0301.whl", True),
        ("name/1=*-caf\u00e9.*", True),
        ("name/1=*cafe\u0301.whl", True),
        ("name/1=app-*", True),
        ("name/1=*", True),
        ("name/1=App-*", False),
        ("name/1=app-1.0", False),
        ("key/1=*", False),
        ("subject/1=*", False),
    ],
)
def test_a_file(pattern: str, is_found: bool) -> None:
    """By its digest, its name in whatever spelling, and its leaf hash."""
    assert found(FILE, pattern) == ([pattern] if is_found else None)


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ("dns=host.example.com", True),
        ("dns=HOST.example.com", True),
        ("dns=www.example.com", True),
        ("dns=any.wild.example.com", True),
        ("dns=*.example.com", True),
        ("dns=*example.com", True),
        ("dns=example.com", False),
        ("dns=more.any.wild.example.com", False),
        ("dns=*.example.org", False),
        ("module=*", False),
        ("name/1=*", False),
        ("subject/1=*", False),
    ],
)
@pytest.mark.parametrize("is_precert", [False, True])
def test_a_certificate(pattern: str, is_found: bool, is_precert: bool) -> None:
    """By each domain that it is for, wherever it stands, and by one that its wildcard covers."""
    made = certificate("Host.example.com", "www.example.com", "*.wild.example.com")
    entry = b"\0\0" + timestamped(
        0, is_precert=is_precert, cert=made.tbs_certificate_bytes if is_precert else made.public_bytes(Encoding.DER)
    )
    assert found(entry, pattern, layout=STATIC_CT) == ([pattern] if is_found else None)


def test_a_certificate_that_cannot_be_read() -> None:
    """It may be for any domain, so whoever looks for one is told."""
    for cert in (b"\x30\x00", b"x" * 70_000):
        entry = b"\0\0" + timestamped(0, cert=cert)
        assert found(entry, "dns=a.example.com", "sha256/1=00*", layout=STATIC_CT) == ["dns=a.example.com"]


def test_a_record() -> None:
    """By each module and version, and by its bytes; not by what bytes of ours would say."""
    for pattern in ("module=example.com/m7@v1.0.0", "module=example.com/*", "module=*@v1.*"):
        assert found(record(7), pattern, layout=SUMDB) == [pattern]
    assert found(record(7), "module=example.com/m8@*", layout=SUMDB) is None
    digest = f"sha256/1={sha256(record(7)).hexdigest()}"
    assert found(record(7), digest, f"leaf/1={leaf_hash(record(7)).hex()}", layout=SUMDB) is not None
    assert found(FILE, f"sha256/1={DIGEST}", "name/1=*", layout=SUMDB) is None


def test_what_can_find_nothing() -> None:
    """Patterns of which none can find an entry of a log are a mistake, unless there are none."""
    for layout, pattern, theirs in (
        (STATIC_CT, "name/1=*", "dns, leaf/1, sha256/1, sha512/1"),
        (SUMDB, "dns=*", "module, leaf/1"),
        (TLOG_TILES, "module=*", ""),
    ):
        with pytest.raises(UsageError, match=f"kept as {layout} is found by {pattern[:-2]}") as raised:
            Sought((parse_pattern(pattern),)).check(layout)
        assert theirs in raised.value.hint
        Sought((parse_pattern(pattern), parse_pattern(f"leaf/1={'0' * 64}"))).check(layout)
        Sought().check(layout)
        EVERY.check(layout)


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ("identity/1=dev@example.com", True),
        ("identity/1=Dev@Example.com", True),
        ("identity/1=*@example.com", True),
        ("identity/1=*@EXAMPLE.com", True),
        ("identity/1=*@example.org", False),
        ("issuer/1=https://token.actions.*", True),
        ("issuer/1=HTTPS://Token.actions.*", True),
        ("issuer/1=https://other*", False),
        ("key/1=*", True),
    ],
)
def test_a_signature(pattern: str, is_found: bool) -> None:
    """By whom its certificate claims to be of, and who vouched."""
    entry = rekor(verifier="x509Certificate", raw=ONE).encode()
    assert found(entry, pattern) == ([pattern] if is_found else None)


def test_any_of_several() -> None:
    """An entry is found by each pattern that fits; those of no entry keep nothing from being found."""
    patterns = ["name/1=other", "name/1=app-*", f"sha256/1={DIGEST}", "identity/1=*"]
    assert found(FILE, *patterns) == patterns[1:3]
    assert found(RAW, *patterns) is None
    assert found(RAW) is None
    assert EVERY.matcher(TLOG_TILES)(RAW) == ()


@pytest.mark.parametrize(
    "text",
    [
        "name/1",
        "name/1=",
        "=a",
        "nam/1=a",
        "nam/1=a*",
        "sha256/1=abc",
        "name/1=a**b",
        f"name/1={'a' * MAX_PATTERN_SIZE}*",
    ],
)
def test_no_pattern(text: str) -> None:
    """What nothing can be found by is a wrong call."""
    with pytest.raises(UsageError):
        parse_pattern(text)
