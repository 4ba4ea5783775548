"""Keys in Google Cloud KMS, by a small server that speaks its REST API; tokens are had as Google's library has them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions as googles

from tests.support.cloud_kms import ART, LOG, RSA, Account, CloudKms, refusal
from tiles.errors import AccessError, Denied, NotFound, TilesError, UsageError
from tiles.signing.gcp_kms import GcpKms
from tiles.signing.key_place import parse_key_place
from tiles.signing.service_key import Busy, HeldKey, ServiceArtifactKey, ServiceKey
from tiles.sigstore.public_key import verify_digest

DIGEST = sha256(b"content").digest()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CloudKms, Path]]:
    """Return the server, and a file with credentials for it."""
    kms, path = CloudKms(), tmp_path_factory.mktemp("google") / "account.json"
    kms.write_credentials(path)
    yield kms, path
    kms.close()


@pytest.fixture
def kms(shared: tuple[CloudKms, Path], monkeypatch: pytest.MonkeyPatch) -> CloudKms:
    """Return the server as it was at first, and let its credentials be found."""
    server, path = shared
    server.reset()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return server


def service(kms: CloudKms, name: str = LOG, credentials: Any = Account) -> GcpKms:
    """Return a key as a call that names it opens it. credentials: None: those that Google's library finds"""
    place = parse_key_place(kms.place(name))
    one = GcpKms(str(place), place.gcp)
    if credentials is not None:
        one.__dict__["_credentials"] = credentials
    return one


def test_both_kinds_of_keys(kms: CloudKms, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is signed as it is, of an artifact its digest; one token is enough for all requests."""
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "payer")
    key = ServiceKey("log.example.com", HeldKey(service(kms, credentials=None)))
    assert key.sign(b"text") == kms.keys[LOG].sign(b"text")
    assert kms.asked == [f"/v1/{LOG}/publicKey", f"/v1/{LOG}:asymmetricSign"]
    assert (kms.tokens, kms.paying) == (1, {"payer"})
    art = ServiceArtifactKey(HeldKey(service(kms, ART)))
    verify_digest(art.public, DIGEST, art.sign_digest(DIGEST))


@pytest.mark.parametrize(
    ("answer", "error", "words", "hint"),
    [
        (refusal(403, "PERMISSION_DENIED", "s3cr3t"), Denied, "may not use it", "roles/cloudkms.signer"),
        (refusal(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED"), Denied, "is not enabled", "services enable"),
        (refusal(404, "NOT_FOUND", "s3cr3t"), NotFound, "no such key version", ""),
        (refusal(401, "UNAUTHENTICATED"), Denied, "does not accept these credentials", "gcloud auth"),
        (refusal(400, "FAILED_PRECONDITION", "s3cr3t"), AccessError, "not enabled: disabled, destroyed", "restore"),
        (refusal(400, "INVALID_ARGUMENT", "s3cr3t"), UsageError, "does not sign like that", "docs/keys.md"),
        (refusal(429, "RESOURCE_EXHAUSTED"), Busy, "too many requests", "quota"),
        (refusal(500, "INTERNAL"), Busy, "out of order", ""),
        (refusal(503, "UNAVAILABLE"), Busy, "out of order", ""),
        ((503, b"<html>s3cr3t"), Busy, r"out of order \(HTTP 503\)", ""),
        ((302, b""), AccessError, "answers HTTP 302", ""),
        ((409, {"error": {"status": "<s3cr3t>"}}), AccessError, "answers HTTP 409", ""),
        ((409, ["s3cr3t"]), AccessError, "answers HTTP 409", ""),
        ((200, b"<html>s3cr3t"), AccessError, "not that of Cloud KMS", "endpoint"),
        ((200, [1]), AccessError, "not that of Cloud KMS", ""),
        ((200, {}), AccessError, "the answer has no pem", ""),
    ],
)
def test_refusals(kms: CloudKms, answer: tuple[int, Any], error: type[TilesError], words: str, hint: str) -> None:
    """Each answer of the service is our error, which shows nothing of its text."""
    kms.answers.append(answer)
    with pytest.raises(error, match=words) as caught:
        service(kms).public()
    assert type(caught.value) is error
    assert caught.value.message.startswith(f"gcpkms://{LOG}: ")
    assert hint in caught.value.hint
    assert "s3cr3t" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"verifiedDataCrc32c": False}, Busy, "did not get what was sent"),
        ({"verifiedDataCrc32c": None}, Busy, "did not get what was sent"),
        ({"signatureCrc32c": "1"}, Busy, "damaged on its way"),
        ({"signatureCrc32c": None}, AccessError, "the answer has no signatureCrc32c"),
        ({"signature": "!"}, AccessError, "no signature in base64"),
        ({"signature": 7}, AccessError, "the answer has no signature"),
        ({"name": ART}, AccessError, "of another key"),
    ],
)
def test_answers_that_are_not_to_be_believed(
    kms: CloudKms, change: dict[str, Any], error: type[TilesError], words: str
) -> None:
    """What was damaged on its way there or back is asked for again; what is of another key is refused."""
    one = service(kms)
    kms.change = change
    with pytest.raises(error, match=words) as caught:
        one.sign_message(b"text")
    assert type(caught.value) is error


def test_a_public_half_that_is_damaged(kms: CloudKms) -> None:
    """Its CRC-32C is not that of what was sent."""
    kms.change = {"pemCrc32c": "1"}
    with pytest.raises(Busy, match="damaged on its way"):
        service(kms).public()


def test_a_key_that_cannot_sign_this(kms: CloudKms) -> None:
    """The service itself refuses a digest for Ed25519, and data for ECDSA."""
    with pytest.raises(UsageError, match="does not sign like that"):
        service(kms).sign_digest(DIGEST)
    with pytest.raises(UsageError, match="does not sign like that"):
        service(kms, ART).sign_message(b"text")
    with pytest.raises(NotFound):
        service(kms, RSA).public()


def test_without_credentials_or_network(kms: CloudKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file, a file of something else, nobody who answers, nothing installed."""
    nobody = service(kms)
    nobody._url = nobody._url.replace(kms.url, "http://127.0.0.1:9")
    with pytest.raises(Busy, match="no connection"):
        nobody.public()
    (tmp_path / "other").write_text("{}")
    for path in (tmp_path / "none", tmp_path / "other"):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        with pytest.raises(AccessError, match="no credentials were found"):
            service(kms, credentials=None).public()
    monkeypatch.setitem(__import__("sys").modules, "google_crc32c", None)
    with pytest.raises(UsageError, match="google-auth is needed") as caught:
        service(kms).public()
    assert caught.value.hint == "pip install 'tiletree[gcp]'"


def test_credentials_that_are_not_accepted_any_more(kms: CloudKms) -> None:
    """Who gives tokens refuses."""

    class Expired(Account):
        valid = False

        def __init__(self, error: Exception) -> None:
            self.error = error

        def refresh(self, _request: object) -> None:
            raise self.error

    for error, ours, words in (
        (googles.RefreshError("s3cr3t"), Denied, "not accepted any more"),
        (googles.TransportError("s3cr3t"), Busy, "no connection"),
        (googles.RefreshError("s3cr3t", retryable=True), Busy, "no answer in time"),
        (googles.OAuthError("s3cr3t"), AccessError, "no token could be had"),
    ):
        with pytest.raises(ours, match=words) as caught:
            service(kms, credentials=Expired(error)).public()
        assert "s3cr3t" not in caught.value.message
