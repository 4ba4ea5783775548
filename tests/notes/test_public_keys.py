"""Without `cryptography`, Ed25519 is verified all the same; what needs it says that it is not there."""

from __future__ import annotations

import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1

from tests.support.key_texts import NAME, spki
from tests.support.reference import flipped
from tests.support.signed_text import LOG, W1, W2
from tiles.errors import SignatureError
from tiles.notes.keys import SigningKey, ecdsa_key, parse_vkey

MESSAGE = b"message"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `cryptography` impossible to import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("key", [LOG, W1])
def test_ed25519_without_it(key: SigningKey, request: pytest.FixtureRequest) -> None:
    """Keys of logs and witnesses by Ed25519 are read, and verify what they signed and nothing else."""
    signature = key.sign(MESSAGE)
    request.getfixturevalue("bare")
    found = parse_vkey(key.verifier.vkey)
    found.verify(MESSAGE, signature)
    with pytest.raises(SignatureError, match="wrong signature by"):
        found.verify(MESSAGE, flipped(signature, 40))


def test_others_need_it(request: pytest.FixtureRequest) -> None:
    """By ML-DSA-44 and ECDSA nothing is verified, neither as right nor as wrong: the package is missing."""
    signature = W2.sign(MESSAGE)
    ecdsa = ecdsa_key(NAME, spki(SECP256R1())).vkey
    request.getfixturevalue("bare")
    with pytest.raises(ModuleNotFoundError, match="cryptography"):
        parse_vkey(W2.verifier.vkey).verify(MESSAGE, signature)
    with pytest.raises(ModuleNotFoundError, match="cryptography"):
        parse_vkey(ecdsa)
