"""Keys in AWS KMS (https://docs.aws.amazon.com/kms/latest/APIReference/): GetPublicKey and Sign, by boto3.

A checkpoint is signed as it is (MessageType RAW with ED25519_SHA_512: RFC 8032's Ed25519, nothing hashed before); for
artifacts, a SHA-256 is (DIGEST with ECDSA_SHA_256). Rights that are needed: kms:GetPublicKey and kms:Sign.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import Any

from tiles.errors import AccessError, Denied, NotFound, UsageError
from tiles.signing.key_place import AwsKey
from tiles.signing.service_key import ANSWER, CONNECT, Busy
from tiles.store.network import authorities_file

MAX_MESSAGE = (
    4096  # bytes; Sign, "Message": "To sign a larger message, provide the message digest", which Ed25519 has not
)

_RIGHTS = (
    "they need kms:GetPublicKey and kms:Sign on this key, by its key policy, or by IAM where that allows it; "
    "for a key of another account, both in its key policy and here"
)
_CREDENTIALS = "set them as AWS's own tools do: variables, a profile (?profile=NAME), or the machine's role"
_REJECTED = (
    "look whether the credentials are complete, of the right account, and not expired, and whether the clock is right"
)
_USAGE = "make one that signs: docs/keys.md has the commands"
_CODES: dict[str, tuple[type[AccessError | UsageError], str, str]] = {
    "NotFoundException": (
        NotFound,
        "there is no such key in this account and region",
        "look at its name and region; a key of another account is named by its ARN",
    ),
    "AccessDeniedException": (Denied, "these credentials may not use it", _RIGHTS),
    "DisabledException": (AccessError, "the key is disabled", "whoever administers it: `aws kms enable-key`"),
    "KMSInvalidStateException": (
        AccessError,
        "the key is in a state in which it does not sign: pending deletion, or not complete",
        "`aws kms describe-key` shows it; `aws kms cancel-key-deletion`, then `enable-key`, bring it back",
    ),
    "InvalidKeyUsageException": (UsageError, "the key does not sign like that", _USAGE),
    "UnsupportedOperationException": (UsageError, "the key does not sign", _USAGE),
    "InvalidArnException": (UsageError, "the ARN is not one of a key", ""),
    "ValidationException": (UsageError, "the service does not take this request", _USAGE),
    **dict.fromkeys(
        (
            "ExpiredTokenException",
            "ExpiredToken",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        (Denied, "the service does not accept these credentials", _REJECTED),
    ),
    **dict.fromkeys(
        ("ThrottlingException", "LimitExceededException", "RequestLimitExceeded", "Throttling"),
        (Busy, "too many requests", "look at the account's quota of requests of KMS, and at who else uses it"),
    ),
    **dict.fromkeys(
        (
            "DependencyTimeoutException",
            "KMSInternalException",
            "KeyUnavailableException",
            "InternalFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ),
        (Busy, "the service is out of order", ""),
    ),
}


class AwsKms:
    """One key in AWS KMS. where: its place, as it is shown"""

    def __init__(self, where: str, key: AwsKey) -> None:
        self.where = where
        self._key = key
        self._lock = Lock()

    def public(self) -> bytes:
        """Return the public half, a DER SubjectPublicKeyInfo. Raises as `Service` says."""
        answer = self._ask("get_public_key", KeyId=self._key.key)
        if answer.get("KeyUsage") != "SIGN_VERIFY":
            raise UsageError(f"{self.where}: the key is for {answer.get('KeyUsage')}, and does not sign", hint=_USAGE)
        return bytes(answer["PublicKey"])

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over a message of at most MAX_MESSAGE bytes."""
        if len(message) > MAX_MESSAGE:
            raise UsageError(f"{self.where}: AWS KMS signs at most {MAX_MESSAGE} bytes, not {len(message)}")
        return self._sign(message, "RAW", "ED25519_SHA_512")

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature, in DER, over what has this SHA-256."""
        return self._sign(digest, "DIGEST", "ECDSA_SHA_256")

    def _sign(self, message: bytes, kind: str, algorithm: str) -> bytes:
        answer = self._ask("sign", KeyId=self._key.key, Message=message, MessageType=kind, SigningAlgorithm=algorithm)
        return bytes(answer["Signature"])

    def _ask(self, what: str, **parameters: Any) -> dict[str, Any]:
        with self._lock:  # making a client is not safe in threads; using one is
            call: Callable[..., dict[str, Any]] = getattr(self._client, what)
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # type: ignore[import-untyped]

        try:
            return call(**parameters)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, NoCredentialsError):
                self.__dict__.pop("_client", None)  # it would not look for them again
            raise trouble(self.where, error) from None

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3  # type: ignore[import-untyped]
            from botocore.config import Config  # type: ignore[import-untyped]
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise UsageError(f"for {self.where}, boto3 is needed", hint="pip install 'tiletree[aws]'") from None
        key = self._key
        try:
            session = boto3.Session(profile_name=key.profile or None, region_name=key.region or None)
            return session.client(
                "kms",
                endpoint_url=key.endpoint or None,
                verify=authorities_file(),
                # trying again is our own business: there is one bound on it, and no request waits behind another
                config=Config(connect_timeout=CONNECT, read_timeout=ANSWER, retries={"total_max_attempts": 1}),
            )
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint or a region that is none
            raise trouble(self.where, error) from None


def trouble(where: str, error: Exception) -> AccessError | UsageError:
    """Return our error for one of botocore's, whose own text may be long, and may hold what is secret."""
    from botocore import exceptions as botos  # type: ignore[import-untyped]

    if isinstance(error, botos.ClientError):
        return _answered(where, error)
    if isinstance(error, botos.NoRegionError):
        return UsageError(f"{where}: the region is not known", hint="name it: ?region=eu-central-1, or $AWS_REGION")
    if isinstance(error, botos.ProfileNotFound):
        return UsageError(f"{where}: there is no such AWS profile", hint="look at ?profile= and $AWS_PROFILE")
    if isinstance(error, botos.NoCredentialsError | botos.PartialCredentialsError):
        return AccessError(f"{where}: no credentials were found", hint=_CREDENTIALS)
    if isinstance(error, botos.CredentialRetrievalError | botos.TokenRetrievalError | botos.SSOError):
        return AccessError(f"{where}: no credentials could be had ({type(error).__name__})", hint=_CREDENTIALS)
    if isinstance(error, botos.HTTPClientError | botos.ConnectionError):
        kind = "no answer in time" if "Timeout" in type(error).__name__ else "no connection"
        return Busy(f"{where}: {kind} ({type(error).__name__})", hint="look at network, proxy, region and endpoint")
    return AccessError(f"{where}: {type(error).__name__}", hint="look at the configuration of AWS's own tools")


def _answered(where: str, error: Any) -> AccessError | UsageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    name = code if code.isalnum() and len(code) <= 60 else "an unknown code"
    kind, problem, hint = _CODES.get(code, (AccessError, "the service answers", ""))
    if code not in _CODES and (status >= 500 or status == 429):
        kind = Busy
    return kind(f"{where}: {problem} ({name})", hint=hint)
