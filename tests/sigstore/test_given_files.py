"""What an operator gives for a trusted root: chains of certificates and keys, in PEM."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.rekor_log import artifact_key
from tests.support.sigstore_authority import DAY, T0, Signed, authority, stranger
from tiles.errors import Malformed
from tiles.sigstore.given_files import MAX_FILE_SIZE, parse_authority, parse_ct_log
from tiles.sigstore.trusted_root import Authority, Period

WHO = authority()
START = datetime(2026, 5, 1, tzinfo=UTC)


def pem(*chain: Signed) -> bytes:
    """Return certificates as a file."""
    return b"".join(each.certificate.public_bytes(Encoding.PEM) for each in chain)


@pytest.mark.parametrize("chain", [(WHO.intermediate, WHO.root), (WHO.tsa, WHO.tsa_root), (WHO.root,)])
def test_a_chain(chain: tuple[Signed, ...]) -> None:
    """It is named as its root is, and is trusted since its lowest certificate begins."""
    names = {"common_name": chain[-1].certificate.subject.rfc4514_string().partition(",")[0].removeprefix("CN=")}
    expected = Authority(tuple(one.der for one in chain), "", "example.com", **names, period=Period(T0 - 100 * DAY))
    assert parse_authority(b"a remark\n" + pem(*chain)) == expected


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pem(WHO.root, WHO.intermediate), "certificate 1 is not issued by the next one"),
        (pem(WHO.intermediate), "certificate 1 is not issued by itself, so the root is missing"),
        (pem(WHO.intermediate, stranger().root), "certificate 1 is not issued by the next one"),
        (pem(WHO.root) * 17, "not 1 to 16 certificates"),
        (b"", "not 1 to 16 certificates"),
        (artifact_key().public.pem, "not 1 to 16 certificates"),
        (pem(WHO.root)[:-60], "not 1 to 16 certificates"),
        (pem(WHO.root).replace(b"AwIBAgIU", b"AwIBAwIU"), "version 3"),
        (b" " * (MAX_FILE_SIZE + 1), "more than"),
    ],
)
def test_what_is_no_chain(data: bytes, says: str) -> None:
    """Clients would refuse every certificate by it, without saying why."""
    with pytest.raises(Malformed, match=says):
        parse_authority(data)


def test_the_key_of_a_certificate_log() -> None:
    """It is named by its SHA-256, as in the certificates."""
    key = artifact_key(3).public
    log = parse_ct_log(key.pem, "https://ct.example.com", START)
    assert (log.key, log.key_details, log.log_id) == (key.spki, key.details, sha256(key.spki).digest())
    with pytest.raises(Malformed, match="public key"):
        parse_ct_log(pem(WHO.root), "https://ct.example.com", START)
