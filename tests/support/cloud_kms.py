"""A small Cloud KMS, and who gives tokens for it: as much of its REST API as signing needs, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google_crc32c import value as crc32c

RING = "projects/p/locations/europe-west3/keyRings/r"
LOG, ART, RSA = (f"{RING}/cryptoKeys/{name}/cryptoKeyVersions/1" for name in ("log", "art", "rsa"))
TOKEN = "ya29.t0ken"


class Account:
    """Credentials that are there and last, as Google's library gives them."""

    valid = True

    @staticmethod
    def apply(headers: dict[str, str]) -> None:
        """Say whose a request is."""
        headers["authorization"] = f"Bearer {TOKEN}"


def refusal(code: int, status: str, message: str = "", **details: object) -> tuple[int, dict[str, Any]]:
    """Return an answer of google.rpc.Status, as Google's APIs send it."""
    return code, {"error": {"code": code, "message": message, "status": status, "details": [details]}}


class CloudKms:
    """Serves keys on loopback.

    keys      name → private key
    asked     methods and paths
    answers   what is answered first, one after the other, instead
    change    what is put into each answer that is none of an error
    tokens    how many were given
    paying    the projects that requests were to be paid by
    """

    def __init__(self) -> None:
        self.reset()
        kms = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer

            def do_GET(self) -> None:
                kms.paying.add(self.headers.get("x-goog-user-project"))
                self._answer(*kms.answer(self.path, self.headers.get("Authorization"), None))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/token":
                    kms.tokens += 1
                    self._answer(200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
                else:
                    self._answer(*kms.answer(self.path, self.headers.get("Authorization"), json.loads(body)))

            def _answer(self, status: int, document: object) -> None:
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def reset(self) -> None:
        """Be as at first."""
        self.keys: dict[str, Any] = {
            LOG: Ed25519PrivateKey.from_private_bytes(b"\x07" * 32),
            ART: ec.derive_private_key(7, ec.SECP256R1()),
        }
        self.asked: list[str] = []
        self.answers: list[tuple[int, Any]] = []
        self.change: dict[str, Any] = {}
        self.tokens = 0
        self.paying: set[str | None] = set()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def place(self, name: str) -> str:
        """Return how a call names a key."""
        return f"gcpkms://{name}?endpoint={self.url}"

    def write_credentials(self, path: Path) -> None:
        """Write the file of a service account, whose tokens are had here."""
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {"type": "service_account", "client_email": "log@p.iam.gserviceaccount.com", "private_key": pem}
        path.write_text(json.dumps({**account, "token_uri": f"{self.url}/token", "project_id": "p"}))

    def answer(self, path: str, who: str | None, body: Any) -> tuple[int, Any]:
        """Return status and document for a request."""
        self.asked.append(path)
        if self.answers:
            return self.answers.pop(0)
        if who != f"Bearer {TOKEN}":
            return refusal(401, "UNAUTHENTICATED")
        name = path.removeprefix("/v1/").removesuffix("/publicKey").removesuffix(":asymmetricSign")
        if name not in self.keys:
            return refusal(404, "NOT_FOUND")
        return (200, {**self._public(name), **self.change}) if body is None else self._signed(name, body)

    def _public(self, name: str) -> dict[str, Any]:
        pem = self.keys[name].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"name": name, "pem": pem.decode(), "pemCrc32c": str(crc32c(pem))}

    def _signed(self, name: str, body: Any) -> tuple[int, Any]:
        key = self.keys[name]
        if isinstance(key, Ed25519PrivateKey) != ("data" in body):
            return refusal(400, "INVALID_ARGUMENT", "wrong kind of request for the key's algorithm")
        if "data" in body:
            sent, what = b64decode(body["data"]), "Data"
            signature = key.sign(sent)
        else:
            sent, what = b64decode(body["digest"]["sha256"]), "Digest"
            signature = key.sign(sent, ec.ECDSA(Prehashed(SHA256())))
        said = {
            "name": name,
            "signature": b64encode(signature).decode(),
            "signatureCrc32c": str(crc32c(signature)),
            f"verified{what}Crc32c": body[f"{what.lower()}Crc32c"] == str(crc32c(sent)),
        }
        return 200, {**said, **self.change}
