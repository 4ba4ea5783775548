"""Keys in Google Cloud KMS (https://cloud.google.com/kms/docs/reference/rest): two calls of its REST API.

A checkpoint is signed as it is (`data` with EC_SIGN_ED25519: RFC 8032's Ed25519); for artifacts, a SHA-256 is (`digest`
with EC_SIGN_P256_SHA256). Both ways have a CRC-32C, and both are checked. Permissions that are needed:
cloudkms.cryptoKeyVersions.viewPublicKey and .useToSign.
"""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tiles.errors import AccessError, Denied, NotFound, UsageError
from tiles.notes.encoding import base64_or_none, encode_base64
from tiles.signing.key_place import GcpKey
from tiles.signing.service_key import ANSWER, CONNECT, Busy
from tiles.store.network import authorities, proxy_for, tls_context

ENDPOINT = "https://cloudkms.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
MAX_ANSWER = 64 << 10  # bytes; those to us have about 1,000

_RIGHTS = (
    "they need cloudkms.cryptoKeyVersions.useToSign and .viewPublicKey on this key: roles/cloudkms.signer and "
    "roles/cloudkms.publicKeyViewer"
)
_CREDENTIALS = (
    "`gcloud auth application-default login`, $GOOGLE_APPLICATION_CREDENTIALS, or the machine's service account"
)
_USAGE = "make one with --purpose=asymmetric-signing: docs/keys.md has the commands"
_STATES = "`gcloud kms keys versions describe` shows its state; `restore` and `enable` bring back one that was disabled"
_OUT_OF_ORDER = (500, 502, 503, 504)


class GcpKms:
    """One version of a key in Google Cloud KMS. where: its place, as it is shown"""

    def __init__(self, where: str, key: GcpKey) -> None:
        self.where = where
        self._name = key.name
        self._server = key.endpoint or ENDPOINT
        self._url = f"{self._server}/v1/{key.name}"
        self._lock = Lock()  # credentials are renewed by one thread

    def public(self) -> bytes:
        """Return the public half, a DER SubjectPublicKeyInfo. Raises as `Service` says."""
        answer = self._ask("GET", f"{self._url}/publicKey")
        pem = _field(answer, "pem", str, self.where).encode()
        self._check_crc(pem, answer, "pemCrc32c")
        try:
            key = load_pem_public_key(pem)
            return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except (ValueError, UnsupportedAlgorithm):
            raise AccessError(f"{self.where}: the answer is no public key") from None

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over a message."""
        return self._sign({"data": encode_base64(message)}, "data", message)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature, in DER, over what has this SHA-256."""
        return self._sign({"digest": {"sha256": encode_base64(digest)}}, "digest", digest)

    def _sign(self, request: dict[str, Any], what: str, content: bytes) -> bytes:
        body = {**request, f"{what}Crc32c": str(_crc32c(content))}
        answer = self._ask("POST", f"{self._url}:asymmetricSign", json.dumps(body).encode())
        if answer.get(f"verified{what.capitalize()}Crc32c") is not True:
            raise Busy(f"{self.where}: the service did not get what was sent: its CRC-32C is another")
        signature = base64_or_none(_field(answer, "signature", str, self.where))
        if signature is None:
            raise AccessError(f"{self.where}: the answer has no signature in base64")
        self._check_crc(signature, answer, "signatureCrc32c")
        if answer.get("name") != self._name:
            raise AccessError(f"{self.where}: the answer is of another key")
        return signature

    def _check_crc(self, content: bytes, answer: dict[str, Any], name: str) -> None:
        if _field(answer, name, str, self.where) != str(_crc32c(content)):  # int64 is a string in Google's JSON
            raise Busy(f"{self.where}: the answer was damaged on its way: its CRC-32C is another")

    def _ask(self, method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        from urllib3.exceptions import HTTPError

        _check_installed(self.where)
        headers = {"Content-Type": "application/json", **self._authorization()}
        try:
            answer = _connections(self._server).request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False
            )
            data = answer.read(MAX_ANSWER)
            answer.release_conn()
        except HTTPError as error:
            raise _unreached(self.where, error) from None
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if answer.status != 200:
            raise trouble(self.where, answer.status, document)
        if not isinstance(document, dict):
            raise AccessError(f"{self.where}: the answer is not that of Cloud KMS", hint="look at endpoint and proxy")
        return document

    def _authorization(self) -> dict[str, str]:
        """Return the headers that say whose request it is, and who pays; with a new token where the last is over."""
        from google.auth import exceptions as googles

        with self._lock:
            try:
                if not self._credentials.valid:
                    self._credentials.refresh(_transport(_connections(self._server)))
            except googles.TransportError as error:
                raise _unreached(self.where, error) from None
            except googles.RefreshError as error:
                if error.retryable:
                    raise _unreached(self.where, error) from None
                raise Denied(f"{self.where}: the credentials are not accepted any more", hint=_CREDENTIALS) from None
            except googles.GoogleAuthError as error:
                raise AccessError(
                    f"{self.where}: no token could be had ({type(error).__name__})", hint=_CREDENTIALS
                ) from None
            headers: dict[str, str] = {}
            self._credentials.apply(headers)
            return headers

    @cached_property
    def _credentials(self) -> Any:
        import google.auth
        from google.auth import exceptions as googles

        try:
            return google.auth.default(scopes=[SCOPE])[0]
        except googles.DefaultCredentialsError:
            raise AccessError(f"{self.where}: no credentials were found", hint=_CREDENTIALS) from None


@lru_cache(maxsize=4)
def _connections(url: str) -> Any:
    """Return connections to the server of a URL, once in a process: trusted certificates take long to load."""
    from urllib3 import PoolManager, ProxyManager, Timeout
    from urllib3.util import parse_url

    parsed = parse_url(url)
    options: dict[str, Any] = {"timeout": Timeout(connect=CONNECT, read=ANSWER), "retries": False}
    if authorities():  # without any, urllib3 trusts what the system trusts
        options["ssl_context"] = tls_context()
    proxy = proxy_for(parsed.scheme or "https", parsed.host or "", parsed.port)
    if proxy is None:
        return PoolManager(**options)
    if proxy.authorization:
        options["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
    return ProxyManager(proxy.url, proxy_ssl_context=options.get("ssl_context"), **options)


def trouble(where: str, status: int, document: object) -> AccessError | UsageError:
    """Return our error for an answer that is none of success. document: of google.rpc.Status, or whatever came"""
    error = document.get("error") if isinstance(document, dict) else None
    said = error.get("status") if isinstance(error, dict) else None
    code = said if isinstance(said, str) and said.replace("_", "").isalpha() and len(said) <= 40 else f"HTTP {status}"
    text = str(error.get("message", "")) if isinstance(error, dict) else ""
    if status == 429:
        return Busy(f"{where}: too many requests ({code})", hint="look at the project's quota of Cloud KMS")
    if status in _OUT_OF_ORDER:
        return Busy(f"{where}: the service is out of order ({code})")
    if status == 401:
        return Denied(f"{where}: the service does not accept these credentials ({code})", hint=_CREDENTIALS)
    if status == 403:
        if "SERVICE_DISABLED" in json.dumps(document) or "has not been used" in text:
            return Denied(
                f"{where}: Cloud KMS is not enabled in the project",
                hint="`gcloud services enable cloudkms.googleapis.com`",
            )
        return Denied(f"{where}: these credentials may not use it ({code})", hint=_RIGHTS)
    if status == 404:
        return NotFound(
            f"{where}: there is no such key version, or it may not be seen", hint="look at each part of its name"
        )
    if code == "FAILED_PRECONDITION":
        return AccessError(
            f"{where}: the key version is not enabled: disabled, destroyed, or not made yet", hint=_STATES
        )
    if status == 400:
        return UsageError(f"{where}: the key does not sign like that ({code})", hint=_USAGE)
    return AccessError(f"{where}: the service answers {code}")


def _transport(http: Any) -> Any:
    """Return what fetches tokens: the same connections."""
    from google.auth.transport.urllib3 import Request

    return Request(http)  # type: ignore[no-untyped-call]


def _unreached(where: str, error: Exception) -> Busy:
    return Busy(
        f"{where}: no connection, or no answer in time ({type(error).__name__})", hint="look at network and proxy"
    )


def _check_installed(where: str) -> None:
    try:
        import google.auth  # noqa: F401
        import google_crc32c  # noqa: F401
    except ImportError:
        raise UsageError(f"for {where}, google-auth is needed", hint="pip install 'tiletree[gcp]'") from None


def _crc32c(data: bytes) -> int:
    from google_crc32c import value

    return int(value(data))


def _field(answer: dict[str, Any], name: str, kind: type[str], where: str) -> str:
    value = answer.get(name)
    if not isinstance(value, kind):
        raise AccessError(f"{where}: the answer has no {name}")
    return value
