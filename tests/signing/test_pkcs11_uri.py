"""URIs of keys on tokens, as RFC 7512 has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.errors import UsageError
from tiles.signing.pkcs11_uri import TokenKey, parse_pkcs11_uri


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("pkcs11:object=k", TokenKey(label="k")),
        ("pkcs11:token=The%20log;object=k%3b1;type=private", TokenKey(token="The log", label="k;1")),
        ("pkcs11:id=%00%ffA;slot-id=12", TokenKey(id=b"\x00\xffA", slot=12)),
        ("pkcs11:serial=1a;model=m;manufacturer=a%20b;id=1", TokenKey("", "a b", "m", "1a", id=b"1")),
        ("pkcs11:object=k?module-path=/m.so&pin-source=file:/p", TokenKey(label="k", module="/m.so", pin_file="/p")),
        ("pkcs11:object=k?pin-source=file:///p%20q", TokenKey(label="k", pin_file="/p q")),
        ("pkcs11:object=k?pin-source=p", TokenKey(label="k", pin_file="p")),
        ("pkcs11:object=k?pin-value=12%2634", TokenKey(label="k", pin="12&34")),
    ],
)
def test_what_a_uri_names(text: str, key: TokenKey) -> None:
    """Each attribute, percent-decoded."""
    assert parse_pkcs11_uri(text) == key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pkcs11:", "neither object= nor id="),
        ("pkcs11:token=s3cr3t", "neither object= nor id="),
        ("pkcs11:object=k;object=s3cr3t", "object is there twice"),
        ("pkcs11:object=", "object has no value"),
        ("pkcs11:object=k;pin-value=s3cr3t", "an attribute has no value, or is not known"),
        ("pkcs11:object=k;x-vendor=s3cr3t", "an attribute has no value, or is not known"),
        ("pkcs11:object=k;", "an attribute has no value, or is not known"),
        ("pkcs11:object=s3cr3t%zz", "object has no value, or is not known"),
        ("pkcs11:object=%ff", "object is not UTF-8"),
        ("pkcs11:object=a%00b", "object is not UTF-8, or has a zero byte"),
        ("pkcs11:object=k;type=cert", "type is not private"),
        ("pkcs11:object=k;slot-id=s3cr3t", "slot-id is not a decimal number"),
        ("pkcs11:object=k?pin-source=|s3cr3t", "pin-source has no value|pin-source is not the name"),
        ("pkcs11:object=k?pin-source=%7cs3cr3t", "pin-source is not the name of a file"),
        ("pkcs11:object=k?pin-source=https://s3cr3t", "pin-source is not the name of a file"),
    ],
)
def test_what_names_no_key(text: str, message: str) -> None:
    """One wrong thing each; no value is repeated."""
    with pytest.raises(UsageError, match=message) as caught:
        parse_pkcs11_uri(text)
    assert "s3cr3t" not in caught.value.message + caught.value.hint


@settings(max_examples=25)
@given(st.text())
def test_arbitrary_text(text: str) -> None:
    """Whatever is typed names a key, or is our error."""
    try:
        key = parse_pkcs11_uri(f"pkcs11:{text}")
    except UsageError:
        return
    assert key.label or key.id
