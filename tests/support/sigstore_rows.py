"""What clients of Sigstore differ about: a case for each row of the table in tests/interop/test_sigstore_clients.py."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.signed_bundles import logged, public, signer
from tests.support.signed_text import LOG, key
from tests.support.sigstore_authority import T0, log_instance, period
from tests.support.sigstore_cases import GOOD, Case, Json, by_certificate, by_key, flip

Row = Callable[[], Case]
Spoil = Callable[[Case], object]


def _proof(case: Case) -> Json:
    proof: Json = case.entry["inclusionProof"]
    return proof


def _log(case: Case) -> Json:
    log: Json = case.root["tlogs"][0]
    return log


def _pretty(case: Case) -> None:
    """Spell the logged body with spaces: what is in the log, and leads to its root, has none."""
    body = json.loads(b64decode(case.entry["canonicalizedBody"]))
    case.entry["canonicalizedBody"] = b64encode(json.dumps(body, indent=1).encode()).decode()


def _logged_pretty(case: Case) -> None:
    """The same, and that is in the log."""
    body = json.dumps(json.loads(b64decode(case.entry["canonicalizedBody"])), indent=1).encode()
    case.material["tlogEntries"] = [logged(body).item]


def _two_logs(case: Case) -> None:
    case.root["tlogs"].insert(0, log_instance(key("other.example.com", 8).verifier))


def _by_hash_of_key(case: Case) -> None:
    hashed = sha256(b64decode(_log(case)["publicKey"]["rawBytes"])).digest()
    _log(case)["logId"]["keyId"] = b64encode(hashed).decode()


def _both_by_hash_of_key(case: Case) -> None:
    _by_hash_of_key(case)
    case.entry["logId"]["keyId"] = _log(case)["logId"]["keyId"]


def _p384() -> Case:
    return by_key(private=signer(9, ec.SECP384R1))


def _of_origin(origin: str) -> Row:
    """Return a case of a log of that origin, in a trusted root whose address has it."""
    return lambda: by_key(log=key(origin, 1))


# what is spoiled of a bundle of a key; for sigstore-python, of one with a certificate
SPOILED: dict[str, Spoil] = {
    "tampered artifact": lambda case: replace(case, artifact=b"another artifact"),
    "no log entry": lambda case: case.material.update(tlogEntries=[]),
    "no integratedTime": lambda case: case.entry.pop("integratedTime"),
    "logId of 4 bytes": lambda case: case.entry["logId"].update(keyId=b64encode(LOG.verifier.key_id).decode()),
    "wrong treeSize": lambda case: _proof(case).update(treeSize="12"),
    "wrong rootHash": lambda case: _proof(case).update(rootHash=flip(_proof(case)["rootHash"])),
    "wrong logIndex of the entry": lambda case: case.entry.update(logIndex="6"),
    "wrong logIndex of the proof": lambda case: _proof(case).update(logIndex="6"),
    "same entry twice": lambda case: case.material["tlogEntries"].append(case.entry),
    "body with spaces": _pretty,
    "body with spaces, logged": _logged_pretty,
    "body missing": lambda case: case.entry.pop("canonicalizedBody"),
    "root: the log's key is over": lambda case: _log(case)["publicKey"].update(
        validFor=period(end=T0 - timedelta(days=1))
    ),
    "root: no validFor.start": lambda case: _log(case)["publicKey"].pop("validFor"),
    "root: another host": lambda case: _log(case).update(baseUrl="https://other.example.com"),
    "root: an address with a path": lambda case: _log(case).update(baseUrl="https://log.example.com/2026"),
    "root: logId is the hash of the key": _by_hash_of_key,
    "root and entry: logId is the hash of the key": _both_by_hash_of_key,
    "root: two logs": _two_logs,
}

ROWS: dict[str, Row] = {
    **GOOD,
    "certificate, no timestamp": lambda: by_certificate(stamp=False),
    "wrong identity": lambda: replace(by_certificate(), identity="eve@example.com"),
    "wrong key": lambda: replace(by_key(), key=public(signer(8)).pem.decode()),
    "statement about another artifact": lambda: replace(by_key(envelope=True), artifact=b"another artifact"),
    "origin with a path": _of_origin("log.example.com/2026"),
    "origin with a port": _of_origin("log.example.com:8080"),
    "origin of one label": _of_origin("mylog"),
    "signer P-384": _p384,
    "no hint": lambda: by_key().spoiled(lambda case: case.material["publicKey"].clear()),
    "root: no authorities": lambda: by_key().spoiled(
        lambda case: [case.root.pop(name) for name in ("certificateAuthorities", "ctlogs", "timestampAuthorities")]
    ),
    **{name: partial(by_key().spoiled, spoil) for name, spoil in SPOILED.items()},
}


def for_python(name: str) -> Case | None:
    """Return the case of a row for sigstore-python, which verifies certificates only; None if there is none."""
    if name in SPOILED:
        return by_certificate().spoiled(SPOILED[name])
    case = ROWS[name]()
    return None if case.key else case
