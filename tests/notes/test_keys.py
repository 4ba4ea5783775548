"""Keys: vkey and skey texts as other tools write them, key ids, and secrets that stay out of every message."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.key_texts import (
    GOLDEN_VKEY,
    LONGEST,
    MALFORMED_VKEYS,
    NAME,
    NOT_ECDSA,
    PUBLIC,
    PUBLISHED,
    SEED,
    SPEC_VKEY,
    spki,
    vkey,
)
from tests.support.reference import flipped
from tests.support.signed_text import COSIGNATURE, ECDSA, ED25519, LOG, MLDSA44, W1, W2, cases, key, malformed
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.keys import (
    SeedKey,
    SignatureType,
    VerifierKey,
    check_name,
    ecdsa_key,
    parse_skey,
    parse_vkey,
    signing_key,
)

GOLDEN_SKEY = (
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"  # a public test key
)


@pytest.mark.parametrize(("type_", "text"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_vkeys(type_: SignatureType, text: str) -> None:
    """Keys that others published are read, and printed as they were."""
    parsed = parse_vkey(text)
    assert parsed.type == type_
    assert parsed.vkey == text
    assert text.startswith(f"{parsed.name}+{parsed.key_id.hex()}+")
    assert str(parsed) == f"{parsed.name}+{parsed.key_id.hex()}"


@pytest.mark.parametrize("type_", [ED25519, COSIGNATURE, MLDSA44])
def test_key_id(type_: SignatureType) -> None:
    """key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]."""
    made = signing_key(NAME, SEED, type_).verifier
    assert made.key_id == sha256(b"example.com/key\n" + bytes([type_]) + made.public).digest()[:4]
    assert made.vkey == vkey(NAME, type_, made.public)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_ecdsa(curve: ec.EllipticCurve) -> None:
    """ECDSA on the three NIST curves verifies over SHA-256; the key id is SHA-256(SPKI)[:4], without the name."""
    made = ecdsa_key(NAME, spki(curve))
    assert made.key_id == sha256(spki(curve)).digest()[:4] == ecdsa_key("other", spki(curve)).key_id
    assert parse_vkey(made.vkey) == made
    private = ec.derive_private_key(12345, curve)
    made.verify(b"message", private.sign(b"message", ec.ECDSA(SHA256())))
    for message, hash_ in ((b"another", SHA256()), (b"message", SHA384())):
        with pytest.raises(SignatureError, match="wrong signature"):
            made.verify(b"message", private.sign(message, ec.ECDSA(hash_)))


@pytest.mark.parametrize(("data", "problem"), cases(NOT_ECDSA))
def test_not_ecdsa(data: bytes, problem: str) -> None:
    """ "The ECDSA curve MUST be one of NIST P-256, P-384, or P-521", in the one encoding its key id is made from."""
    with pytest.raises(UsageError, match=f"^{problem}$"):
        ecdsa_key(NAME, data)
    with malformed(f"verifier key: {problem}:"):
        parse_vkey(vkey(NAME, ECDSA, data, sha256(data).digest()[:4]))


@pytest.mark.parametrize(("text", "problem"), cases(MALFORMED_VKEYS))
def test_malformed_vkeys(text: str, problem: str) -> None:
    """A verifier key has one form, and its key id is computed, never taken from the text."""
    with malformed(problem):
        parse_vkey(text)


def test_longest_name() -> None:
    """An ML-DSA-44 cosigner's name fits its signed message: up to 255 bytes; other names may be longer."""
    assert parse_vkey(vkey(LONGEST, MLDSA44, W2.verifier.public)).name == LONGEST
    assert parse_vkey(vkey(LONGEST + "n", ED25519, PUBLIC)).name == LONGEST + "n"


@pytest.mark.parametrize("by", [LOG, W1, W2], ids=lambda by: by.verifier.type.name)
def test_sign_and_verify(by: SeedKey) -> None:
    """A signature verifies with its own key over its own message, and with nothing else."""
    signature = by.sign(b"message")
    by.verifier.verify(b"message", signature)
    with pytest.raises(SignatureError, match=f"wrong signature by {by.name}"):
        by.verifier.verify(b"another", signature)
    with pytest.raises(SignatureError):
        key(by.name, 9, by.verifier.type).verifier.verify(b"message", signature)
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(len(signature)), flipped(signature, 0)):
        with pytest.raises(SignatureError):
            by.verifier.verify(b"message", wrong)


def test_golden_skey() -> None:
    """A private key that Go's note tools wrote is read, and printed as it was."""
    parsed = parse_skey(GOLDEN_SKEY)
    assert parsed.skey == GOLDEN_SKEY
    assert parsed.name == "example.com/log/testdata"
    assert parsed.verifier.vkey == GOLDEN_VKEY


@pytest.mark.parametrize("type_", [ED25519, COSIGNATURE, MLDSA44])
def test_skey_round_trip(type_: SignatureType) -> None:
    """Every kind of signing key goes through its text: type byte and seed."""
    made = signing_key(NAME, SEED, type_)
    assert made.skey == f"PRIVATE+KEY+{made.verifier}+{b64encode(bytes([type_]) + SEED).decode()}"
    assert parse_skey(made.skey) == made
    assert hash(parse_skey(made.skey)) == hash(made)


SECRET = b64encode(b"\x01" + SEED).decode()
SKEY = signing_key(NAME, SEED).skey
MALFORMED_SKEYS = {
    "signing key: not PRIVATE+KEY+<name>+<key id>+<base64>": {
        "nothing": "",
        "a verifier key": SPEC_VKEY,
        "the secret alone": SECRET,
        "no prefix": SKEY.removeprefix("PRIVATE+KEY+"),
        "prefix in lower case": SKEY.replace("PRIVATE", "private"),
        "no name": SKEY.replace(NAME + "+", ""),
    },
    "signing key: not the canonical base64 of a type byte and 32 bytes": {
        "prefix twice": "PRIVATE+KEY+" + SKEY,
        "newline at the end": SKEY + "\n",
        "base64 without its last letter": SKEY[:-1],
        "base64 with junk": SKEY + "!",
        "base64 and something that is not ASCII": SKEY + "é",
        "surrogate": SKEY + "\ud800",
        "31 bytes of seed": f"PRIVATE+KEY+{NAME}+00000000+{b64encode(bytes([1]) + SEED[:-1]).decode()}",
        "seed and public key": f"PRIVATE+KEY+{NAME}+00000000+{b64encode(bytes([1]) + SEED + PUBLIC).decode()}",
    },
    "signing key: a key name is not empty and has no space, plus or control character": {
        "empty name": SKEY.replace(NAME, ""),
        "the secret as name": SKEY.replace(NAME, SECRET + " "),
        "surrogate as name": SKEY.replace(NAME, "\ud800"),
    },
    "signing key: the key id is not that of the key": {
        "another name": SKEY.replace(NAME, "example.com/other"),
        "another key id": f"PRIVATE+KEY+{NAME}+00000000+{SECRET}",
        "the secret as key id": f"PRIVATE+KEY+{NAME}+{SECRET}+{SECRET}",
    },
    "signing key: ECDSA keys only verify here; sign with Ed25519 or ML-DSA-44": {
        "ECDSA": f"PRIVATE+KEY+{NAME}+00000000+{b64encode(bytes([2]) + SEED).decode()}",
    },
    "signing key: keys of logs of certificates only verify here": {
        "type 0x05": f"PRIVATE+KEY+{NAME}+00000000+{b64encode(bytes([5]) + SEED).decode()}",
    },
}


def shown(error: BaseException | None) -> str:
    """Return all that an error and its chain hold."""
    if error is None:
        return ""
    return f"{error!r} {vars(error)} {error.args} {shown(error.__cause__)} {shown(error.__context__)}"


@pytest.mark.parametrize(("text", "problem"), cases(MALFORMED_SKEYS))
def test_malformed_skeys(text: str, problem: str) -> None:
    """A malformed signing key is refused, and neither the error nor what it is chained to shows any of it."""
    with pytest.raises(Malformed) as caught:
        parse_skey(text)
    assert str(caught.value) == f"malformed {problem}"
    assert caught.value.found is None
    for secret in (SECRET[:12], SECRET[-12:], SEED.hex()[:12], repr(SEED)[2:14]):
        assert secret not in shown(caught.value)


@pytest.mark.parametrize("type_", [ED25519, COSIGNATURE, MLDSA44])
def test_secrets_are_not_printed(type_: SignatureType) -> None:
    """Printing a signing key, or a container with it, shows its public half only."""
    made = signing_key(NAME, SEED, type_)
    for text in (repr(made), str(made), f"{[made]}"):
        assert NAME in text
        for secret in (b64encode(SEED).decode()[:12], SEED.hex()[:12], repr(SEED)[2:14]):
            assert secret not in text


@pytest.mark.parametrize("length", [0, 31, 33, 64])
@pytest.mark.parametrize("type_", [ED25519, COSIGNATURE, MLDSA44])
def test_seeds_of_another_length(type_: SignatureType, length: int) -> None:
    """A seed has 32 bytes."""
    with pytest.raises(UsageError, match=f"not {length}"):
        signing_key(NAME, bytes(length), type_)


def test_keys_that_cannot_be() -> None:
    """There is no ECDSA signing key, no key without a name, and no signing key with another one's public half."""
    with pytest.raises(UsageError, match="ECDSA keys only verify"):
        signing_key(NAME, SEED, ECDSA)
    with pytest.raises(UsageError, match="name"):
        signing_key("a b", SEED)
    with pytest.raises(UsageError, match="bytes of public key"):
        VerifierKey(NAME, ED25519, b"")
    with pytest.raises(UsageError, match=r"^the seed is not that of the public key$"):
        SeedKey(LOG.verifier, SEED)


def test_equality() -> None:
    """Keys are equal by name, type and public key; one Ed25519 key is another key per signature type."""
    one, same = signing_key(NAME, SEED).verifier, VerifierKey(NAME, ED25519, PUBLIC)
    assert one == same
    assert hash(one) == hash(same)
    others = [VerifierKey("other", ED25519, PUBLIC), VerifierKey(NAME, COSIGNATURE, PUBLIC), LOG.verifier]
    assert len({one, *others}) == 4
    assert len({made.key_id for made in (one, *others)}) == 4


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u2000b", "a\u200ab", "a\x85b", "\u3000", "a\tb", "a\0", "a\n", "\ud800"]
)
def test_names_that_cannot_be(name: str) -> None:
    """ "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus" nor what no note may contain."""
    with pytest.raises(UsageError, match="key name"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "example.com/log", "über.example", "a\u200bb", "\ufeff", "a\x7f", "—"])
def test_names_that_may_be(name: str) -> None:
    """Everything else is a name: a zero-width space is not among Unicode's spaces."""
    made = signing_key(name, SEED)
    assert parse_vkey(made.verifier.vkey) == made.verifier
    assert parse_skey(made.skey) == made


@given(st.text(st.characters()) | st.tuples(st.text(), st.text(), st.binary()).map(lambda p: vkey(p[0], 2, p[2])))
@example(SPEC_VKEY + "=")
@settings(deadline=None)
def test_any_text_as_vkey(text: str) -> None:
    """Any text is a verifier key, printed as it is, or Malformed."""
    with suppress(Malformed):
        assert parse_vkey(text).vkey == text


@given(st.sampled_from([*(text for _, text in list(PUBLISHED.values())[:4])]), st.data())
@settings(max_examples=300, deadline=None)
def test_nearly_a_vkey(text: str, data: st.DataObject) -> None:
    """A real key with a few letters replaced is a verifier key, printed as it is, or Malformed."""
    start = data.draw(st.integers(0, len(text)))
    changed = text[:start] + data.draw(st.text(max_size=3)) + text[start + data.draw(st.integers(0, 3)) :]
    with suppress(Malformed):
        assert parse_vkey(changed).vkey == changed


@given(st.text(st.characters()) | st.text().map("PRIVATE+KEY+{}".format) | st.text(max_size=3).map(SKEY.__add__))
@settings(deadline=None)
def test_any_text_as_skey(text: str) -> None:
    """Any text is a signing key, printed as it is, or Malformed."""
    with suppress(Malformed):
        assert parse_skey(text).skey == text
