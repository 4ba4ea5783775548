"""A service that keeps a key and signs with it, in memory; it can be busy, and what it answers can be spoilt."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tiles.retry import Clock
from tiles.signing.service_key import HeldKey

SEED = b"\x05" * 32
EDWARDS = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
NIST = ec.derive_private_key(5, ec.SECP256R1())


class Fake:
    """A service with a key.

    trouble   what is raised first, one after the other
    spoil     what becomes of signatures on their way
    asked     how often it was
    """

    where = "fake:key"

    def __init__(self, private: Any, *trouble: Exception, spoil: Callable[[bytes], bytes] = bytes) -> None:
        self.private, self.trouble, self.spoil, self.asked = private, list(trouble), spoil, 0

    def public(self) -> bytes:
        self._ask()
        return bytes(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign_message(self, message: bytes) -> bytes:
        self._ask()
        return self.spoil(self.private.sign(message))

    def sign_digest(self, digest: bytes) -> bytes:
        self._ask()
        return self.spoil(self.private.sign(digest, ec.ECDSA(Prehashed(SHA256()))))

    def _ask(self) -> None:
        self.asked += 1
        if self.trouble:
            raise self.trouble.pop(0)


def held(service: Fake, slept: list[float] | None = None) -> HeldKey:
    """Return the key of a service, waiting for which takes no time."""
    pauses: list[float] = [] if slept is None else slept
    return HeldKey(service, Clock(sleep=pauses.append, rng=Random(1)))
