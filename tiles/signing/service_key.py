"""Keys that never leave what keeps them: it is asked to sign, and what comes back is verified before it is used.

The public half is asked for once. If another key answers later, its signatures do not verify, and nothing is signed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tiles.errors import AccessError, Malformed, Refused, SignatureError, UsageError
from tiles.notes.cosignature import parse_ed25519_message
from tiles.notes.keys import SignatureType, VerifierKey
from tiles.retry import Clock, Pauses, attempts
from tiles.sigstore.public_key import PublicKey, check_digest, parse_public_key, verify_digest

PATIENCE = Pauses(5, 0.2, 5.0, (0.5, 1.0))  # 3 seconds in all: a run that fails is finished by the next one

CONNECT, ANSWER = 3.0, 5.0  # seconds that a request waits; five of them are over before a function's time is

MAX_COSIGNED = 4096  # bytes of the message; AWS KMS takes no more, and elsewhere it is to be the same

ED25519, P256 = "Ed25519", "ECDSA P-256"  # what a key has to be: the log's, one for artifacts

_EXCHANGED = "look which key is behind that name by now, and whether something on the way changes answers"
_Answer = TypeVar("_Answer")


class Busy(AccessError):
    """The service did not do it this time: it has too much to do, is out of order, or was not reached."""


class Service(Protocol):
    """What keeps one key and signs with it. Each call is tried once.

    where   the place of the key, as it is shown
    All raise Busy where trying again may help; Denied; NotFound; AccessError; UsageError for a key that cannot do that.
    """

    where: str

    def public(self) -> bytes:
        """Return the public half: a DER SubjectPublicKeyInfo."""
        ...

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over a message, 64 bytes."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature, in DER, over what has this SHA-256."""
        ...


class HeldKey:
    """The key of a service, whose public half is known."""

    def __init__(self, service: Service, clock: Clock | None = None) -> None:
        self.where = service.where
        self._service = service
        self._clock = clock or Clock()

    @cached_property
    def spki(self) -> bytes:
        """The public half, asked for once: a DER SubjectPublicKeyInfo."""
        return self._patiently(self._service.public)

    @cached_property
    def public(self) -> PublicKeyTypes:
        """The same as a key. Raises AccessError for what is none."""
        try:
            return load_der_public_key(self.spki)
        except (ValueError, UnsupportedAlgorithm):
            raise AccessError(f"{self.where}: the answer is no public key") from None

    @property
    def kind(self) -> str:
        """ED25519, P256, or another kind in words."""
        key = self.public
        if isinstance(key, ec.EllipticCurvePublicKey):
            return P256 if isinstance(key.curve, ec.SECP256R1) else f"ECDSA {key.curve.name}"
        return (
            ED25519 if isinstance(key, Ed25519PublicKey) else type(key).__name__.removesuffix("PublicKey").lstrip("_")
        )

    @property
    def pem(self) -> str:
        """The public half in PEM."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def check_kind(self, wanted: str, what: str) -> None:
        """Raise UsageError unless the key is of a kind. what: "the key of a log"."""
        if self.kind != wanted:
            raise UsageError(
                f"{self.where} is {self.kind}, and {what} is {wanted}", hint="make another one: docs/keys.md"
            )

    def sign_message(self, message: bytes) -> bytes:
        """Return the signature over a message."""
        return self._patiently(lambda: self._service.sign_message(message))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over what has this digest."""
        return self._patiently(lambda: self._service.sign_digest(digest))

    def wrong_signature(self) -> AccessError:
        """Return the error for a signature that is not by this key."""
        return AccessError(
            f"{self.where}: what came back is no signature by its key, and was not used", hint=_EXCHANGED
        )

    def _patiently(self, call: Callable[[], _Answer]) -> _Answer:
        last: Busy | None = None
        for _ in attempts(self._clock, PATIENCE):
            try:
                return call()
            except Busy as error:
                last = error
        assert last is not None  # noqa: S101  there is at least one attempt
        raise AccessError(f"{last.message}, {PATIENCE.attempts} times", hint=last.hint) from last


class _Edwards:
    """An Ed25519 key in a service. Raises UsageError for a key that is not. what: as the error calls it"""

    def __init__(self, name: str, held: HeldKey, kind: SignatureType, what: str) -> None:
        held.check_kind(ED25519, what)
        self.verifier = VerifierKey(name, kind, held.public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        self._held = held

    def _signed(self, message: bytes) -> bytes:
        """Return the raw signature over message. Raises AccessError for one that is not by this key."""
        signature = self._held.sign_message(message)
        try:
            self.verifier.verify(message, signature)
        except SignatureError:
            raise self._held.wrong_signature() from None
        return signature


class ServiceKey(_Edwards):
    """The key of a log in a service. name: the log's origin. Raises UsageError for a key that is not Ed25519."""

    def __init__(self, name: str, held: HeldKey) -> None:
        super().__init__(name, held, SignatureType.ED25519, "the key of a log")

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature over message. Raises AccessError for one that is not by this key."""
        return self._signed(message)


class ServiceCosigner(_Edwards):
    """The key of a witness in a service: it signs cosignatures, and nothing else.

    name   of the witness
    Raises UsageError for a key that is not Ed25519.
    """

    def __init__(self, name: str, held: HeldKey) -> None:
        super().__init__(name, held, SignatureType.COSIGNATURE, "the key of a witness in a service")

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature over the message of a cosignature.

        Raises UsageError for any other message; Refused for one that is too long; AccessError as above. All but the
        last are raised before the service is asked.
        """
        try:
            checkpoint, _ = parse_ed25519_message(message)
        except Malformed as error:
            raise UsageError(f"{self._held.where} signs cosignatures only: {error.plain}") from None
        if len(message) > MAX_COSIGNED:
            raise Refused(
                f"{self._held.where} cosigns at most {MAX_COSIGNED} bytes, and this checkpoint of {checkpoint.origin} "
                f"comes to {len(message)}",
                hint="only a key file cosigns checkpoints with extension lines that long",
            )
        return self._signed(message)


class ServiceArtifactKey:
    """A key for artifacts in a service. Its signatures differ each time. Raises UsageError unless it is ECDSA P-256."""

    repeats = False

    def __init__(self, held: HeldKey) -> None:
        held.check_kind(P256, "what signs artifacts")
        try:
            self.public: PublicKey = parse_public_key(held.spki)
        except Malformed as error:
            raise UsageError(f"{held.where}: {error.plain}") from None
        self._held = held

    def sign_digest(self, digest: bytes) -> bytes:
        """Return a signature over what has this SHA-256. Raises AccessError for one that is not by this key."""
        check_digest(digest, self.public.algorithm)
        signature = self._held.sign_digest(digest)
        try:
            verify_digest(self.public, digest, signature)
        except (SignatureError, InvalidSignature):
            raise self._held.wrong_signature() from None
        return signature
