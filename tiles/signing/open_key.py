"""From a place to the key that is kept there: the key of a log, of a witness, or one that signs artifacts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from tiles.errors import Malformed, UsageError
from tiles.notes.keys import SIGNS_CHECKPOINT, SeedKey, SigningKey
from tiles.signing.artifact_key import ArtifactKey, is_artifact_key, read_artifact_key
from tiles.signing.key_file import parse_keys, read_key, read_keys
from tiles.signing.key_place import KeyPlace, Kind
from tiles.signing.log_keys import LogKeys
from tiles.signing.service_key import HeldKey, Service, ServiceArtifactKey, ServiceCosigner, ServiceKey


def open_key(place: KeyPlace, name: str = "") -> SigningKey:
    """Return the key of a log; if there are several, all of them (`LogKeys`).

    name   of the log that it signs for: the key of a service has none of its own. In a file, it stands beside the key
    Raises NotFound; Malformed; AccessError; UsageError for what is no key of a log; Refused as `read_private` does.
    """
    if place.path is not None:
        return _one_or_all(read_keys(place.path))
    if place.kind is Kind.ENVIRONMENT:
        return _environment_key(place)
    if not name:
        raise UsageError(f"{place} has no name of its own, and this takes the key of a log, which has one")
    return ServiceKey(name, held_key(place))


def open_cosigner(place: KeyPlace, name: str = "") -> SigningKey:
    """Return a key that cosigns.

    name   of the witness, for the key of a service, which has none of its own
    Raises as `open_key` does; UsageError for a key that does not cosign.
    """
    if place.path is None:
        if not name:
            raise UsageError(f"{place} has no name of its own, and the key of a witness has one")
        return ServiceCosigner(name, held_key(place))
    key = read_key(place.path)
    if key.verifier.type not in SIGNS_CHECKPOINT:
        raise UsageError(f"{place}: this key does not cosign", hint="`tiletree witness init` makes one that does")
    return key


def open_artifact_key(place: KeyPlace) -> ArtifactKey:
    """Return a key that signs artifacts. Raises as `open_key` does."""
    if place.path is not None:
        return read_artifact_key(place.path)
    return ServiceArtifactKey(held_key(place))


def public_pem(place: KeyPlace) -> str:
    """Return the public half of a key for artifacts, or of any key of a service, in PEM; "" for a log's key file."""
    if place.is_service:
        return held_key(place).pem
    return open_artifact_key(place).public.pem.decode("ascii") if place.path and is_artifact_key(place.path) else ""


@cache
def held_key(place: KeyPlace) -> HeldKey:
    """Return the key of a service, once in a process: its public half is asked for once."""
    return HeldKey(_service(place))


def _service(place: KeyPlace) -> Service:
    if place.kind is Kind.AWS:
        from tiles.signing.aws_kms import AwsKms

        return AwsKms(str(place), place.aws)
    if place.kind is Kind.GCP:
        from tiles.signing.gcp_kms import GcpKms

        return GcpKms(str(place), place.gcp)
    from tiles.signing.pkcs11_token import Token

    return Token(str(place), place.pkcs11)


def _environment_key(place: KeyPlace) -> SigningKey:
    try:
        return _one_or_all(parse_keys(os.environ.get(place.text, "").strip().replace("\r\n", "\n")))
    except Malformed:
        hint = "set it to the whole text of the log's key file, as `init` has written it"
        raise UsageError(f"what {place} holds is not the text of a key file", hint=hint) from None


def _one_or_all(keys: Sequence[SeedKey]) -> SigningKey:
    return keys[0] if len(keys) == 1 else LogKeys(keys)
