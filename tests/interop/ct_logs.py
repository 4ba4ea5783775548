"""Logs of certificates by other people's programs: TesseraCT and Sunlight, each fed over HTTP, and read as files."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from tests.interop.ct_authority import Authority, Submission
from tests.interop.peers import Program, build
from tests.interop.servers import free_port, running
from tiles.notes.keys import SignatureType, VerifierKey

ORIGIN = "ct.example.com/2026h2"
_AT_ONCE = 64  # submissions: a log answers each once it is in the tree
_FLAGS = (0x80086601, 0x40086602)  # FS_IOC_GETFLAGS, FS_IOC_SETFLAGS
_IMMUTABLE = 0x10


@dataclass(frozen=True)
class Sct:
    """What a log answers to a submission (RFC 6962, 4.1).

    submitted   what it was
    timestamp   milliseconds since 1970
    index       in its leaf_index extension (static-ct-api, "SCT Extension")
    signature   of the log, over the entry
    """

    submitted: Submission
    timestamp: int
    index: int
    signature: bytes


@dataclass(frozen=True)
class Running:
    """A log that takes submissions.

    folder       its public objects
    key          verifies its tree heads and what it answers
    authority    whose certificates it takes
    submission   where it takes them: an address, and the name of the host that it wants to be called
    """

    folder: Path
    key: VerifierKey
    authority: Authority
    submission: tuple[str, str]

    def add(self, start: int, stop: int) -> list[Sct]:
        """Submit certificates and precertificates, and return the answers once all of them are in the tree."""
        submissions = [self.authority.submission(index) for index in range(start, stop)]
        with ThreadPoolExecutor(_AT_ONCE) as pool, urllib3.PoolManager(maxsize=_AT_ONCE) as http:
            return list(pool.map(partial(self._add, http), submissions))

    def _add(self, http: urllib3.PoolManager, submitted: Submission) -> Sct:
        endpoint = "add-pre-chain" if submitted.is_precert else "add-chain"
        body = json.dumps({"chain": [b64encode(each).decode() for each in submitted.chain]})
        address, host = self.submission
        answer = http.request("POST", f"{address}/ct/v1/{endpoint}", body=body, headers={"Host": host}, timeout=60.0)
        assert answer.status == 200, answer.data
        document = json.loads(answer.data)
        extensions, signed = b64decode(document["extensions"]), b64decode(document["signature"])
        assert (len(extensions), extensions[:3]) == (8, b"\0\0\5")
        assert signed[:2] == b"\4\3"  # SHA-256, ECDSA
        return Sct(submitted, document["timestamp"], int.from_bytes(extensions[3:], "big"), signed[4:])


def key_of(public: ec.EllipticCurvePublicKey) -> VerifierKey:
    """Return the verifier key of a log with that public key."""
    return VerifierKey(
        ORIGIN, SignatureType.RFC6962, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


@contextmanager
def tesseract(folder: Path) -> Iterator[Running]:
    """Run TesseraCT with its POSIX storage; it removes partial tiles once there are full ones."""
    program = folder / "tesseract"
    built = build("tesseract", program, "github.com/transparency-dev/tesseract/cmd/tesseract/posix")
    if not isinstance(built, Program):
        pytest.skip(f"NOT TESTED on TesseraCT: {built}")
    authority, private, port = Authority(), ec.generate_private_key(ec.SECP256R1()), free_port()
    (folder / "roots.pem").write_bytes(authority.root_pem)
    (folder / "key.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    options = {
        "origin": ORIGIN,
        "path_prefix": ORIGIN.partition("/")[2],
        "http_endpoint": f"127.0.0.1:{port}",
        "roots_pem_file": folder / "roots.pem",
        "private_key": folder / "key.pem",
        "storage_dir": folder / "log",
        "checkpoint_interval": "200ms",
        "batch_max_age": "100ms",
        "garbage_collection_interval": "1s",
    }
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    with running(command, {}, folder, port):
        address = f"http://127.0.0.1:{port}/{ORIGIN.partition('/')[2]}"
        yield Running(folder / "log", key_of(private.public_key()), authority, (address, f"127.0.0.1:{port}"))


@contextmanager
def sunlight(folder: Path) -> Iterator[Running]:
    """Run Sunlight with its local storage: data tiles are gzip-encoded; names tiles and more signatures are added."""
    programs = {}
    for name in ("sunlight", "sunlight-keygen"):
        built = build("sunlight", folder / name, f"filippo.io/sunlight/cmd/{name}", cgo=name == "sunlight")
        if not isinstance(built, Program):
            pytest.skip(f"NOT TESTED on Sunlight: {built}")
        programs[name] = built
    authority, port = Authority(), free_port()
    (folder / "roots.pem").write_bytes(authority.root_pem)
    (folder / "seed").write_bytes(os.urandom(32))
    said = programs["sunlight-keygen"]("-f", folder / "seed").decode()
    pem = said[said.index("-----BEGIN") : said.index("-----\n", said.index("-----END")) + 6]
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    with closing(sqlite3.connect(folder / "checkpoints.db")) as database:
        database.execute("CREATE TABLE checkpoints (logID BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT")
    today = datetime.now(UTC)
    log = {
        "shortname": "test",
        "inception": datetime.now().astimezone().date().isoformat(),
        "submissionprefix": f"https://{ORIGIN}",
        "monitoringprefix": f"https://{ORIGIN}",
        "roots": str(folder / "roots.pem"),
        "secret": str(folder / "seed"),
        "cache": str(folder / "cache.db"),
        "localdirectory": str(folder / "log"),
        "notafterstart": (today - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "notafterlimit": (today + timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "period": 200,
        "poolsize": 10_000,
    }
    config = {"listen": [f"127.0.0.1:{port}"], "checkpoints": str(folder / "checkpoints.db"), "logs": [log]}
    (folder / "sunlight.yaml").write_text(json.dumps(config))  # which is YAML, too
    try:
        with running([str(folder / "sunlight"), "-c", str(folder / "sunlight.yaml")], {}, folder, port):
            host, _, path = ORIGIN.partition("/")
            yield Running(folder / "log", key_of(public), authority, (f"http://127.0.0.1:{port}/{path}", host))
    finally:
        _make_deletable(folder)


LOGS: dict[str, Callable[[Path], AbstractContextManager[Running]]] = {"tesseract": tesseract, "sunlight": sunlight}


def objects_of(folder: Path) -> dict[str, bytes]:
    """Return what a log of certificates serves, out of its directory."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.relative_to(folder).parts[0] in ("checkpoint", "tile", "issuer")
    }


def ids(logs: Sequence[str]) -> list[str]:
    """Return names of parametrized logs."""
    return list(logs)


def _make_deletable(folder: Path) -> None:
    """Undo that Sunlight makes its files immutable where it may, so that whoever made the folder can remove it."""
    for path in folder.rglob("*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                flags = struct.unpack("i", fcntl.ioctl(descriptor, _FLAGS[0], bytes(8))[:4])[0]
                if flags & _IMMUTABLE:
                    fcntl.ioctl(descriptor, _FLAGS[1], struct.pack("q", flags & ~_IMMUTABLE))
            finally:
                os.close(descriptor)
