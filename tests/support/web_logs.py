"""Logs that the page's tests show in a browser, and what to break in them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

from tests.support.readers import Objects as Fetcher
from tests.support.readers import entry, make_log
from tests.support.signed_text import LOG, W1, W2, W3, sign
from tiles.entries.file_digest import digest_entry
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.keys import SigningKey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.write.sequencer import Sequencer

Objects = dict[str, bytes]

FILE = b"hello, world"
HELLO = digest_entry(hashlib.sha256(FILE).hexdigest(), len(FILE))
POLICY = f"log {LOG.verifier.vkey}\nquorum none\n".encode()
WITNESSED = (
    f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w3 {W3.verifier.vkey}\n"
    "group both all w1 w3\nquorum both\n"
).encode()
MLDSA = f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"


def log_of(entries: list[bytes], key: SigningKey = LOG) -> Objects:
    """Return the public objects of a log of these entries."""
    public, memory = MemoryStore(), MemoryStore()
    sequencer = Sequencer(public, MemoryStore(), Signer(key, memory))
    sequencer.create()
    if entries:
        sequencer.append(entries)
    return {listed.path: public.read(listed.path).data for listed in public.list("")}


def with_times(objects: Mapping[str, bytes], *by: tuple[SigningKey, float]) -> Objects:
    """Return the log with cosignatures of these keys, so many seconds ago."""
    found = parse_signed_checkpoint(objects[CHECKPOINT])
    lines = [sign(found.checkpoint, key, max(0, int(time.time() - ago))) for key, ago in by]
    return {**objects, CHECKPOINT: with_signatures(found.checkpoint, [*found.note.signatures, *lines]).data}


def without_time(objects: Mapping[str, bytes], *by: SigningKey) -> Objects:
    """Return the log with cosignatures that say no time."""
    return with_times(objects, *((key, 1e12) for key in by))


PLAIN = {**log_of([*(entry(index) for index in range(300)), HELLO, b"raw entry"]), "policy.txt": POLICY}
FRESH = {**with_times(PLAIN, (W1, 120), (W3, 90)), "policy.txt": WITNESSED}
GROWN, SMALLER, OTHERS = (
    {**made, "policy.txt": POLICY} for made in (make_log(300, 600), make_log(300), make_log(600, tag="other"))
)


SIX = make_log(300, 600)


def proof_of(objects: Objects, index: int, key: SigningKey = LOG) -> bytes:
    """Return the proof file of an entry of a log; key: the one that signs it."""
    return LogClient(Fetcher(objects), policy_for(key.verifier)).prove(index).data


def flip(data: bytes, bit: int) -> bytes:
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# ---- scripts that take something away from a browser before the page's own scripts run

NO_MLDSA = """
const original = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
  if (algorithm.name === "ML-DSA-44") return Promise.reject(new DOMException("unknown", "NotSupportedError"));
  return original.call(this, format, key, algorithm, ...rest);
};
"""
NO_ED25519 = NO_MLDSA.replace("ML-DSA-44", "Ed25519")
NO_CRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', {get: () => undefined});"
