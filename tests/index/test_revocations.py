"""Which revocations of a log count: those that somebody signed who may, however many others there are."""

from __future__ import annotations

import pytest

from tests.support.certificate_texts import ONE as CERTIFICATE
from tests.support.entry_texts import rekor
from tests.support.readers import Objects, cosigned
from tests.support.revocation_texts import HEX
from tests.support.signed_text import LOG
from tests.support.web_indexed import with_index
from tests.support.web_logs import log_of
from tiles.entries.file_digest import digest_entry
from tiles.index import revocations
from tiles.index.revocations import Revocations, find_revocations, relied_on
from tiles.notes.key_change import ADD, RETIRE, KeyChange, sign_key_change
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.records.paths import key_change_path
from tiles.rekor.revoke import signed_by
from tiles.signing.artifact_key import generate_key
from tiles.sigstore.revocation import DIGEST, IDENTITY, KEY, Revocation, Statement
from tiles.tree.merkle import Hash, TreeHead

SIGNER = generate_key()
FILE, SIGNED = digest_entry(HEX, 0), rekor(digest=bytes.fromhex(HEX), raw=SIGNER.public.spki).encode()
CERTIFIED = rekor(digest=bytes.fromhex(HEX), verifier="x509Certificate", raw=CERTIFICATE).encode()


def by_log(what: str, value: str, reason: str = "why") -> bytes:
    """Return a revocation by the log."""
    said = Statement(what, value, reason, log=LOG.verifier.vkey)
    return Revocation(said, LOG.sign(said.text)).data


def forged(number: int) -> bytes:
    """Return a revocation whose signature is wrong."""
    return Revocation(Statement(DIGEST, HEX, f"{number}", log=LOG.verifier.vkey), bytes(64)).data


def client(*entries: bytes, indexed: bool = False) -> LogClient:
    """Return what reads a log of these entries."""
    objects = log_of(list(entries))
    return LogClient(Objects(with_index(objects, "revoked/1") if indexed else objects), policy_for(LOG.verifier))


BY_SIGNER = signed_by(SIGNER, DIGEST, HEX, "why").data
# entries of a log → for the digest entry, the signed one, and the one with a certificate, which of them count
LOGS: list[tuple[list[bytes], list[list[int]]]] = [
    ([], [[], [], []]),
    ([forged(1), signed_by(generate_key(), DIGEST, HEX, "why").data], [[], [], []]),
    ([by_log(DIGEST, HEX), b"an entry"], [[0], [0], [0]]),
    ([b"an entry", BY_SIGNER], [[], [1], []]),
    ([by_log(KEY, SIGNER.public.hint.hex()), BY_SIGNER, by_log(DIGEST, HEX, "again")], [[2], [2, 1, 0], [2]]),
    ([by_log(IDENTITY, "dev@example.com"), by_log(IDENTITY, "@example.com"), by_log(IDENTITY, "@x")], [[], [], [1, 0]]),
    ([by_log(DIGEST, "0" * 64)], [[], [], []]),
]


@pytest.mark.parametrize("number", range(len(LOGS)))
def test_which_count(number: int) -> None:
    """For each entry its own, newest first; for all at once those of any."""
    entries, expected = LOGS[number]
    reading = client(*entries)
    relied = [relied_on(entry) for entry in (FILE, SIGNED, CERTIFIED)]
    for one, wanted in zip(relied, expected, strict=True):
        found = find_revocations(reading, [one])
        assert ([index for index, _ in found.found], found.unproven) == (wanted, "")
    every = {index for wanted in expected for index in wanted}
    assert {index for index, _ in find_revocations(reading, relied).found} == every


def test_of_an_attestation() -> None:
    """An attestation about a file that was revoked is revoked, though its entry has another digest."""
    reading = client(by_log(DIGEST, HEX))
    entry = rekor().encode()
    assert not find_revocations(reading, [relied_on(entry)]).found
    assert find_revocations(reading, [relied_on(entry, [HEX])]).found
    assert find_revocations(reading, []).found == ()


def test_of_an_entry_that_does_not_say_who_signed() -> None:
    """Whoever verified the signature of an old kind of entry knows the key and the certificate."""
    relied = relied_on(b"an old kind", [HEX], SIGNER.public.hint.hex(), CERTIFICATE)
    assert (relied.digests[0], relied.key) == (HEX, SIGNER.public.hint.hex())
    assert relied.identities == ("dev@example.com", "@example.com")
    assert relied_on(CERTIFIED, (), "", CERTIFICATE).identities == relied.identities
    assert relied_on(FILE, (), "", b"no certificate").identities == ()


def test_many_that_count_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hide none that counts; where there are too many to look at, it is said."""
    entries = [by_log(DIGEST, HEX), *map(forged, range(250))]
    found = find_revocations(client(*entries), [relied_on(FILE)])
    assert [index for index, _ in found.found] == [0]
    assert not found.unproven
    monkeypatch.setattr(revocations, "MOST", 100)
    found = find_revocations(client(*entries), [relied_on(FILE)])
    assert found.found == ()
    assert "more than 100 revocations" in found.unproven


def test_a_large_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its index leads there, and proves that there is none; without one nobody knows."""
    numbers = [b"%d" % number for number in range(4096)]
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    reading = client(*numbers[:4095], by_log(DIGEST, HEX), b"tail", indexed=True)
    assert [index for index, _ in find_revocations(reading, [relied_on(FILE)]).found] == [4095]
    other = find_revocations(reading, [relied_on(numbers[0])])
    assert (other.found, other.unproven) == ((), "")
    found = find_revocations(client(*numbers, by_log(DIGEST, HEX)), [relied_on(FILE)])
    assert found.found == ()
    assert "no index of revoked/1" in found.unproven


def test_by_a_key_that_the_log_has_retired() -> None:
    """What it has revoked while the log had it stays revoked, to whoever knows the new key; nothing later does."""
    new = signing_key(LOG.verifier.name, b"\x09" * 32)
    both = (LOG.verifier, new.verifier)
    tree = TreeHead(1, Hash(bytes(32)))
    said = [KeyChange(0, ADD, new.verifier, tree, both[:1]), KeyChange(1, RETIRE, LOG.verifier, tree, both)]
    statements = {key_change_path(one.number): sign_key_change(one, [LOG, new]).data for one in said}
    objects = log_of([by_log(DIGEST, HEX), by_log(DIGEST, HEX, "by its thief")])
    objects = cosigned(objects, new) | statements

    def found(**changes: bytes) -> Revocations:
        reader = LogClient(Objects(objects | {"keys/0": objects["keys/0"], **changes}), policy_for(new.verifier))
        return find_revocations(reader, [relied_on(FILE)])

    assert [index for index, _ in found().found] == [0]
    assert found().unproven == ""
    spoiled = found(**{"keys/0": b"junk"})
    assert spoiled.found == ()
    assert "what the log says of its keys will not do" in spoiled.unproven
