"""What each client of Sigstore says of the same bundles, and what we say: where they differ, and where we are stricter.

The cases are those of tests/support/sigstore_rows.py. sigstore-python verifies certificates only, so its column is of
the same thing done to a bundle with a certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.interop.sigstore_clients import cosign, sigstore_go
from tests.support.sigstore_cases import Case, javascript, ours, python
from tests.support.sigstore_rows import ROWS, for_python

pytestmark = pytest.mark.interop

OK = ""  # it verifies
NONE = "not tried"  # the client has no such bundles

CLIENTS = ("cosign 3.1.3", "sigstore-go 1.3.0", "sigstore-python 4.5.1", "@sigstore/verify 4.1.3", "tiletree")
NO_SIGNATURE = "note has no verifiable signatures"
NOT_THE_ROOT = "does not match expected root"
JS_ROOT = "calculated root hash does not match"
JS_CHECKPOINT = "invalid checkpoint signature"

# row → what each client says, in the order of CLIENTS: OK, NONE, or a part of its refusal
TABLE: Mapping[str, tuple[str, str, str, str, str]] = {
    "key, file": (OK, OK, NONE, OK, OK),
    "key, DSSE": (OK, OK, NONE, OK, OK),
    "certificate, file": (OK, OK, OK, OK, OK),
    "certificate, DSSE": (OK, OK, OK, OK, OK),
    "certificate, no timestamp": (
        "signed timestamps: 0 < 1",
        "signed timestamps: 0 < 1",
        "inclusion promise or signed timestamp",
        "expected 1 timestamps, got 0",
        "there is no signed timestamp",
    ),
    "wrong identity": (
        "no matching CertificateIdentity",
        "no matching CertificateIdentity",
        "SANs do not match",
        "certificate identity error",
        "identity is 'dev@example.com'",
    ),
    "wrong key": (NOT_THE_ROOT, NOT_THE_ROOT, NONE, "signature verification failed", "signed by another key"),
    "tampered artifact": (
        "invalid signature",
        "invalid signature",
        "message digest mismatch",
        "signature verification failed",
        "this is another file",
    ),
    "statement about another artifact": (
        "do not match digests in statement",
        "do not match digests in statement",
        NONE,
        OK,  # it leaves that to its caller
        "about 1 other artifacts",
    ),
    "no log entry": (
        "not enough verified log entries",
        "not enough verified log entries",
        "expected exactly one log entry",
        "expected 1 tlog entries, got 0",
        "0 log entries instead of one",
    ),
    "origin with a path": (NO_SIGNATURE, NO_SIGNATURE, NONE, OK, "under the name log.example.com"),
    "origin with a port": (NO_SIGNATURE, NO_SIGNATURE, NONE, OK, "under the name log.example.com"),
    "origin of one label": (OK, OK, NONE, OK, OK),
    "signer P-384": ("invalid signature", OK, NONE, OK, OK),  # cosign has to be told the hash: see below
    "no integratedTime": (OK, OK, OK, OK, OK),
    "no hint": (OK, OK, NONE, OK, OK),
    "logId of 4 bytes": (
        "not enough verified log entries",
        "not enough verified log entries",
        OK,
        JS_CHECKPOINT,
        "which the trusted root does not have",
    ),
    "wrong treeSize": (OK, OK, OK, OK, "the entry says size 12"),
    "wrong rootHash": (OK, OK, "checkpoint", OK, "and its checkpoint says"),
    "wrong logIndex of the entry": (NOT_THE_ROOT, NOT_THE_ROOT, OK, OK, "said to be number 6"),
    "wrong logIndex of the proof": (OK, OK, "calculated", JS_ROOT, "leads to root"),
    "same entry twice": (
        "duplicate tlog entries",
        "duplicate tlog entries",
        "expected exactly one log entry",
        "duplicate tlog entry",
        "2 log entries instead of one",
    ),
    "body with spaces": (OK, OK, "calculated", JS_ROOT, "leads to root"),
    "body with spaces, logged": (NOT_THE_ROOT, NOT_THE_ROOT, OK, OK, "not an entry of Rekor in its one form"),
    "body missing": (
        "only supported with --new-bundle-format",  # which is not what is wrong
        "nil value in transaction log entry",
        "Field required",
        JS_ROOT,
        "no verificationMaterial.tlogEntries[0].canonicalizedBody",
    ),
    "root: the log's key is over": (OK, OK, OK, OK, "nothing shows that the entry is of that time"),
    "root: no validFor.start": (
        "missing public key validity",
        "missing public key validity",
        OK,
        OK,
        "no validFor.start",
    ),
    "root: another host": (NO_SIGNATURE, NO_SIGNATURE, OK, JS_CHECKPOINT, "under the name other.example.com"),
    "root: an address with a path": (OK, OK, OK, OK, OK),
    "root: logId is the hash of the key": (
        "not enough verified log entries",
        "not enough verified log entries",
        OK,
        JS_CHECKPOINT,
        "which the trusted root does not have",
    ),
    "root and entry: logId is the hash of the key": (
        OK,
        OK,
        "Signature not found for log ID",
        JS_CHECKPOINT,
        "under the name log.example.com",
    ),
    "root: two logs": (OK, OK, OK, OK, OK),
    "root: no authorities": (OK, OK, NONE, OK, OK),
}


@cache
def cases() -> dict[str, Case]:
    """Return the case of each row, the same in all tests."""
    return {name: make() for name, make in ROWS.items()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of a case are."""
    return tmp_path_factory.mktemp("sigstore")


@cache
def by_javascript() -> dict[str, str]:
    """Return what @sigstore/verify says of all."""
    return dict(zip(cases(), javascript(cases().values()), strict=True))


def of_python(name: str) -> str:
    """Return what sigstore-python says."""
    case = for_python(name)
    return NONE if case is None else python(case)


@cache
def said(name: str, client: str, place: Path) -> str:
    """Return what a client says of a row."""
    case = cases()[name]
    match CLIENTS.index(client):
        case 0:
            return cosign(case, place)
        case 1:
            return sigstore_go(case, place)
        case 2:
            return of_python(name)
        case 3:
            return by_javascript()[name]
    return ours(case)


def test_each_row_has_a_case() -> None:
    """The table is of all cases, in their order."""
    assert sorted(TABLE) == sorted(ROWS)


@pytest.mark.parametrize("client", CLIENTS)
def test_outcomes(client: str, place: Path) -> None:
    """Each client says of each bundle what the table says; the last one is tiletree."""
    column = CLIENTS.index(client)
    wrong = {}
    for name, expected in TABLE.items():
        found = said(name, client, place)
        if (found == OK) != (expected[column] == OK) or expected[column] not in found:
            wrong[name] = found or "OK"
    assert wrong == {}


def test_we_are_stricter() -> None:
    """What any of them refuses we refuse, but for one row; and there is what all of them take, and we refuse."""
    only_they = {
        name for name, row in TABLE.items() if row[-1] == OK and any(said not in (OK, NONE) for said in row[:-1])
    }
    assert only_they == {"signer P-384"}  # cosign does not ask the key for its hash
    only_we = {name for name, row in TABLE.items() if row[-1] != OK and {*row[:-1]} <= {OK, NONE}}
    assert only_we == {"wrong treeSize", "root: the log's key is over"}


def test_cosign_is_told_the_hash_of_a_signer(place: Path) -> None:
    """A key of P-384 signs SHA-384; cosign verifies it when it is told."""
    assert cosign(cases()["signer P-384"], place, "--signature-digest-algorithm", "sha384") == OK


def test_cosign_without_a_log(place: Path) -> None:
    """cosign can be told to do without a log; we cannot."""
    assert cosign(cases()["no log entry"], place, "--insecure-ignore-tlog") == OK


def test_the_table(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Print what each client said: `make interop-full` shows it."""
    print(f"\n| case | {' | '.join(CLIENTS)} |\n|{'---|' * (1 + len(CLIENTS))}")
    for name in TABLE:
        found = [said(name, client, place) for client in CLIENTS]
        print(f"| {name} | {' | '.join({OK: 'OK', NONE: '-'}.get(each, 'refused') for each in found)} |")
