"""Which entries a pattern finds: by each kind of keys, exact as `search` takes it, or with stars."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.certificate_texts import ONE
from tests.support.entry_texts import rekor
from tiles.entries.file_digest import DigestEntry
from tiles.errors import UsageError
from tiles.tree.merkle import leaf_hash
from tiles.watch.monitor_match import MAX_PATTERN_SIZE, every_entry, matcher_of, parse_pattern

DIGEST = sha256(b"file").hexdigest()
FILE = DigestEntry(DIGEST, 4, "app-1.0-caf\u00e9.whl").data
RAW = b"raw bytes"


def found(entry: bytes, *patterns: str) -> list[str] | None:
    """Return by which of the patterns an entry is found."""
    by = matcher_of(map(parse_pattern, patterns))(entry)
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
    assert every_entry(RAW) == ()


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
