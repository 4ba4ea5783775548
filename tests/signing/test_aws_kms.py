"""Keys in AWS KMS: what is asked, and what answers mean. botocore checks the requests; the answers are AWS's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any

import boto3
import pytest
from botocore import exceptions as botos
from botocore.config import Config
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.fake_service import EDWARDS, NIST
from tiles.errors import AccessError, Denied, NotFound, TilesError, UsageError
from tiles.signing.aws_kms import MAX_MESSAGE, AwsKms, trouble
from tiles.signing.key_place import AwsKey
from tiles.signing.service_key import Busy

WHERE, KEY = "awskms:///alias/log", AwsKey("alias/log", "eu-central-1")
DIGEST = sha256(b"content").digest()


@cache
def client() -> Any:
    """Return boto3's client, which takes long to make; nothing is sent by it."""
    options = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "AK", "aws_secret_access_key": "s3cr3t"}
    return boto3.client("kms", region_name="eu-central-1", config=options, **keys)


@pytest.fixture
def kms() -> Iterator[tuple[AwsKms, Stubber]]:
    """Return a key, and what answers in the place of the service."""
    one = AwsKms(WHERE, KEY)
    one.__dict__["_client"] = client()
    with Stubber(client()) as stub:
        yield one, stub


def spki(private: Any) -> bytes:
    """Return the public half."""
    return bytes(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_the_public_half(kms: tuple[AwsKms, Stubber]) -> None:
    """GetPublicKey, of a key that signs."""
    one, stub = kms
    for usage in ("SIGN_VERIFY", "KEY_AGREEMENT"):
        answer = {"PublicKey": spki(EDWARDS), "KeyUsage": usage, "KeySpec": "ECC_NIST_P256", "KeyId": "arn"}
        stub.add_response("get_public_key", answer, {"KeyId": "alias/log"})
    assert one.public() == spki(EDWARDS)
    with pytest.raises(UsageError, match=r"^awskms:///alias/log: the key is for KEY_AGREEMENT, and does not sign$"):
        one.public()
    stub.assert_no_pending_responses()


def test_what_is_signed(kms: tuple[AwsKms, Stubber]) -> None:
    """A checkpoint as it is; of an artifact, its digest. A longer message than AWS takes is not sent."""
    one, stub = kms
    message = b"x" * MAX_MESSAGE
    asked = {"KeyId": "alias/log", "Message": message, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    stub.add_response("sign", {"Signature": EDWARDS.sign(message)}, asked)
    assert one.sign_message(message) == EDWARDS.sign(message)
    der = NIST.sign(DIGEST, ec.ECDSA(Prehashed(SHA256())))
    asked = {"KeyId": "alias/log", "Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    stub.add_response("sign", {"Signature": der}, asked)
    assert one.sign_digest(DIGEST) == der
    stub.assert_no_pending_responses()
    with pytest.raises(UsageError, match="signs at most 4096 bytes, not 4097"):
        one.sign_message(message + b"x")


@pytest.mark.parametrize(
    ("code", "status", "error", "words", "hint"),
    [
        ("AccessDeniedException", 400, Denied, "may not use it", "kms:Sign"),
        ("NotFoundException", 400, NotFound, "no such key", "another account"),
        ("DisabledException", 400, AccessError, "is disabled", "enable-key"),
        ("KMSInvalidStateException", 400, AccessError, "pending deletion", "cancel-key-deletion"),
        ("InvalidKeyUsageException", 400, UsageError, "does not sign like that", "docs/keys.md"),
        ("UnsupportedOperationException", 400, UsageError, "does not sign", "docs/keys.md"),
        ("ValidationException", 400, UsageError, "does not take this request", "docs/keys.md"),
        ("UnrecognizedClientException", 400, Denied, "does not accept these credentials", "expired"),
        ("InvalidSignatureException", 400, Denied, "does not accept these credentials", "clock"),
        ("ExpiredTokenException", 400, Denied, "does not accept these credentials", "expired"),
        ("ThrottlingException", 400, Busy, "too many requests", "quota"),
        ("KMSInternalException", 500, Busy, "out of order", ""),
        ("DependencyTimeoutException", 503, Busy, "out of order", ""),
        ("KeyUnavailableException", 500, Busy, "out of order", ""),
        ("Unheard", 503, Busy, "the service answers", ""),
        ("Unheard", 400, AccessError, "the service answers", ""),
        ("<s3cr3t>", 400, AccessError, r"an unknown code", ""),
    ],
)
def test_refusals(
    kms: tuple[AwsKms, Stubber], code: str, status: int, error: type[TilesError], words: str, hint: str
) -> None:
    """Each answer of the service is our error, which shows nothing of its text."""
    one, stub = kms
    stub.add_client_error("sign", code, "s3cr3t: arn:aws:iam::111122223333:user/x", status)
    with pytest.raises(error, match=words) as caught:
        one.sign_message(b"text")
    assert type(caught.value) is error
    assert caught.value.message.startswith("awskms:///alias/log: ")
    assert hint in caught.value.hint
    assert "s3cr3t" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("theirs", "error", "words"),
    [
        (botos.NoCredentialsError(), AccessError, "no credentials were found"),
        (botos.PartialCredentialsError(provider="p", cred_var="v"), AccessError, "no credentials were found"),
        (botos.CredentialRetrievalError(provider="p", error_msg="s3cr3t"), AccessError, "no credentials could be had"),
        (botos.UnauthorizedSSOTokenError(), AccessError, "no credentials could be had"),
        (botos.NoRegionError(), UsageError, "the region is not known"),
        (botos.ProfileNotFound(profile="p"), UsageError, "no such AWS profile"),
        (botos.EndpointConnectionError(endpoint_url="https://s3cr3t"), Busy, "no connection"),
        (botos.ConnectTimeoutError(endpoint_url="https://s3cr3t"), Busy, "no answer in time"),
        (botos.ReadTimeoutError(endpoint_url="https://s3cr3t"), Busy, "no answer in time"),
        (botos.SSLError(endpoint_url="https://s3cr3t", error="e"), Busy, "no connection"),
        (botos.DataNotFoundError(data_path="s3cr3t"), AccessError, "DataNotFoundError"),
    ],
)
def test_what_keeps_a_request_from_being_answered(theirs: Exception, error: type[TilesError], words: str) -> None:
    """Configuration, credentials, network."""
    ours = trouble(WHERE, theirs)
    assert type(ours) is error
    assert words in ours.message
    assert "s3cr3t" not in ours.message + ours.hint


def test_credentials_that_come_later(kms: tuple[AwsKms, Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    """A client looks for credentials once, so a run that found none makes another."""
    one, _ = kms

    class Without:
        def sign(self, **_: object) -> None:
            raise botos.NoCredentialsError

    one.__dict__["_client"] = Without()
    with pytest.raises(AccessError, match="no credentials were found"):
        one.sign_message(b"text")
    assert "_client" not in one.__dict__


def test_clients_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region, and with a profile that is not there, nothing is asked."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(UsageError, match="the region is not known"):
        AwsKms(WHERE, AwsKey("alias/log")).public()
    with pytest.raises(UsageError, match="no such AWS profile"):
        AwsKms(WHERE, AwsKey("alias/log", profile="none")).public()
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(UsageError, match="boto3 is needed") as caught:
        AwsKms(WHERE, KEY).public()
    assert caught.value.hint == "pip install 'tiletree[aws]'"
