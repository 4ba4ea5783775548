"""Ed25519 in Python, and in the native part, says what `cryptography`, which is OpenSSL, says of signatures.

Of right ones, of wrong ones, and of strange ones, where the specification leaves a choice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha512
from itertools import product

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reference import flipped
from tiles.errors import SignatureError
from tiles.notes import ed25519, public_keys

try:
    import tiletree_native
except ImportError:
    tiletree_native = None

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493

# RFC 8032, 7.1: secret key, public key, message, signature
PUBLISHED = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]

# encodings of all points of small order, those with y from p on and with a sign where x is 0 included
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_Y = [0, 1, P - 1, P, P + 1, _ORDER_8, P - _ORDER_8]
SMALL = [(y | sign << 255).to_bytes(32, "little") for y, sign in product(_Y, (0, 1))]


def ours(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether our own code takes a signature: that in Python, and the native part if it is there, which agree."""
    verdicts = {_takes(ed25519.verify, public, message, signature)}
    if tiletree_native is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(public_keys, "compiled", tiletree_native)
            verdicts.add(_takes(public_keys.verify_ed25519, public, message, signature))
    (verdict,) = verdicts
    return verdict


def _takes(verify: Callable[[bytes, bytes, bytes], None], public: bytes, message: bytes, signature: bytes) -> bool:
    with suppress(SignatureError):
        verify(public, message, signature)
        return True
    return False


def theirs(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `cryptography` does."""
    with suppress(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    return False


@pytest.mark.parametrize(("seed", "public", "message", "signature"), PUBLISHED)
def test_published_signatures(seed: str, public: str, message: str, signature: str) -> None:
    """Those of the RFC are right, and are wrong with a bit changed."""
    key, said, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes_raw() == key
    ed25519.verify(key, said, signed)
    for place in (0, 255, 256, 511):
        assert not ours(key, said, flipped(signed, place))
    assert not ours(flipped(key, 0), said, signed)
    assert not ours(key, said + b"\0", signed)


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(), place=st.integers(0, 8 * 96 - 1))
def test_any_key_and_message(seed: bytes, message: bytes, place: int) -> None:
    """Whatever was signed is right; and with one bit of key or signature changed, both say the same."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ours(public, message, signature)
    changed = flipped(public + signature, place)
    assert ours(changed[:32], message, changed[32:]) == theirs(changed[:32], message, changed[32:])


@pytest.mark.slow
def test_points_of_small_order() -> None:
    """Keys and R of small order, in every encoding: both take the same ones, and there are some of each."""
    verdicts = []
    for number, (public, first) in enumerate(product(SMALL, SMALL)):
        call = (public, b"message %d" % number, first + bytes(32))
        assert ours(*call) == theirs(*call), call
        verdicts.append(ours(*call))
    assert 5 < sum(verdicts) < len(verdicts) - 5


def test_keys_with_a_part_of_small_order() -> None:
    """A signature by a key to which a point of order 8 was added: right in one of 8 messages, to all alike.

    Whoever multiplies by the cofactor takes all of them: then a proof is right in one program and wrong in another.
    """
    torsion = ed25519._decoded(_ORDER_8.to_bytes(32, "little"))
    assert torsion is not None
    secret, nonce = 1234567890123456789, 987654321987654321
    key, first = (ed25519._sum_of_products(one, ed25519._BASE, 0, ed25519._BASE) for one in (secret, nonce))
    public, start = ed25519._encoded(ed25519._added(key, torsion)), ed25519._encoded(first)
    verdicts = []
    for number in range(40):
        message = b"message %d" % number
        challenge = int.from_bytes(sha512(start + public + message).digest(), "little")
        call = (public, message, start + ((nonce + challenge * secret) % ORDER).to_bytes(32, "little"))
        assert ours(*call) == theirs(*call), call
        verdicts.append(ours(*call))
    assert 0 < sum(verdicts) < 20


@pytest.mark.parametrize("more", [0, 1, 2, 7])
def test_a_scalar_that_is_too_large(more: int) -> None:
    """S plus the order is the same scalar, and is refused: otherwise one message would have several signatures."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + more * ORDER
    changed = signature[:32] + scalar.to_bytes(32, "little")
    assert ours(public, b"message", changed) == theirs(public, b"message", changed) == (more == 0)


@settings(max_examples=40, deadline=None)
@given(public=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_any_bytes(public: bytes, signature: bytes) -> None:
    """Arbitrary bytes are refused by both, half of them because they are no point."""
    assert ours(public, b"", signature) == theirs(public, b"", signature)


@pytest.mark.parametrize(("public", "signature"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)])
def test_other_lengths(public: int, signature: int) -> None:
    """What has another length is no key, or no signature."""
    assert not ours(bytes(public), b"", bytes(signature))
