"""Keys as people write them."""

from __future__ import annotations

import pytest

from tiles.entries.key_kinds import OWN_KINDS
from tiles.entries.kind import Key
from tiles.errors import UsageError
from tiles.index.key_text import image_keys, key_from, spellings, text_of

HASH = "0123456789abcdef" * 4
CLAIMED = [("identity/1", "dev@example.com"), ("issuer/1", "https://example.com/Org"), ("revoked/1", "key x")]
ORIGIN = ("origin/1", "log.example.com/é")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("leaf/1", HASH),
        ("sha256/1", HASH),
        ("sha512/1", HASH * 2),
        ("name/1", "a b"),
        ("name/1", "résumé"),
        *CLAIMED,
        ORIGIN,
        ("key/1", HASH),
        ("subject/1", HASH),
        ("subject/1", HASH[:40]),
    ],
)
def test_read_and_shown(kind: str, text: str) -> None:
    """What is read is shown the same; capital digits are digits."""
    assert text_of(key_from(kind, text)) == text
    if kind in ("leaf/1", "sha256/1", "sha512/1", "key/1", "subject/1"):
        assert key_from(kind, text.upper()) == key_from(kind, text)
    assert kind in OWN_KINDS


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("leaf/1", "", "64 hexadecimal digits"),
        ("leaf/1", HASH[:-1], "64 hexadecimal digits"),
        ("leaf/1", HASH + "00", "64 hexadecimal digits"),
        ("leaf/1", f" {HASH[1:]}", "64 hexadecimal digits"),
        ("leaf/1", HASH[:-1] + "g", "64 hexadecimal digits"),
        ("leaf/1", "\u0660" * 64, "64 hexadecimal digits"),
        ("sha512/1", HASH, "128 hexadecimal digits"),
        ("name/1", "a/b", "no slash"),
        ("name/1", "", "1 to 255 bytes"),
        ("name/1", "\udcff", "UTF-8"),
        ("identity/2", "a", "no entry is found by identity/2 here; kinds of keys are leaf/1"),
        ("identity/1", "a b", "1 to 1024 characters of ASCII without spaces"),
        ("issuer/1", "é", "1 to 1024 characters of ASCII without spaces"),
        ("identity/1", "", "1 to 1024 characters"),
        ("subject/1", HASH[:38], "40 to 128 hexadecimal digits"),
        ("acme.build/1", "a", "no entry is found by"),
        ("leaf", HASH, "is called like"),
    ],
)
def test_no_key(kind: str, text: str, problem: str) -> None:
    """It is said what a key of that kind is."""
    with pytest.raises(UsageError, match=problem):
        key_from(kind, text)


@pytest.mark.parametrize("name", ["", "app@", "registry.example.com:5000/a/b:1.0@"])
def test_an_image(name: str) -> None:
    """It is looked for by its digest, whatever it is called."""
    assert image_keys(f"{name}sha256:{HASH.upper()}") == image_keys(f"sha256:{HASH}")
    assert {key.kind for key in image_keys(f"sha256:{HASH}")} == {"sha256/1"}


@pytest.mark.parametrize(
    "text", ["", HASH, "app:1.0", f"sha256:{HASH[2:]}", f"a@b@sha256:{HASH}", f"app@sha256:{HASH} "]
)
def test_no_image(text: str) -> None:
    """A tag is no digest."""
    with pytest.raises(UsageError, match="an image is named by its digest"):
        image_keys(text)


def test_spellings_of_names() -> None:
    """A name is looked for as it is, and in its normal form C."""
    name = key_from("name/1", "e\u0301")
    assert spellings(name) == (name, Key("name/1", "é".encode()))
    composed = key_from("name/1", "é")
    assert spellings(composed) == (composed,)
    leaf = key_from("leaf/1", HASH)
    assert spellings(leaf) == (leaf,)


def test_spellings_of_identities() -> None:
    """One is spelled as it is found; a URI that somebody ended with a slash is found without it, too."""
    assert key_from("identity/1", "Dev@Example.com").value == b"dev@example.com"
    with_slash = key_from("identity/1", "https://GitHub.com/Org/")
    assert [key.value for key in spellings(with_slash)] == [b"https://github.com/Org/", b"https://github.com/Org"]
    plain = key_from("identity/1", "ann/")
    assert spellings(plain) == (plain,)
