"""The vectors that hold the Python core and the JavaScript verifier to the same verdicts: keys, notes, policies.

Those of trees and tiles are in `web_vector_trees`, of whole logs in `web_vector_logs`, of bundles of Sigstore in
`web_vector_bundles`.

    python -m tests.support.web_vectors > vectors.json
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from tests.support import (
    checkpoint_texts,
    key_texts,
    note_texts,
    policy_sets,
    policy_texts,
    proof_files,
    web_vector_bundles,
    web_vector_index,
    web_vector_keys,
    web_vector_layouts,
    web_vector_logs,
    web_vector_quorums,
    web_vector_times,
    web_vector_trees,
)
from tests.support.cosigned_messages import ed25519_message, ml_dsa_message
from tests.support.readers import POLICY
from tests.support.reference import flipped, full_tree
from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    EXAMPLE,
    LOG,
    LOG_LINE,
    MLDSA44,
    ORIGIN,
    TIME,
    TREE,
    VECTORS,
    W1,
    W2,
    WITNESS_LINES,
    WITNESSES,
    cosigned,
    forged,
    key,
    sign,
    signed,
)
from tests.support.web_answers import Cases, b64
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import MAX_ORIGIN, MAX_TIMESTAMP
from tiles.notes.keys import SigningKey
from tiles.notes.note import MAX_NOTE_SIZE, MAX_SIGNATURES, Note, Signature
from tiles.notes.policy import Policy, policy_for
from tiles.tree.merkle import EMPTY_ROOT, MAX_TREE_SIZE, TreeHead

# a point off its curve: the core refuses the key, JavaScript each signature of it
LATER = {"point off the curve"}


def vectors(shared: Path | None = None) -> dict[str, Any]:
    """Return all cases and logs; shared: data of other projects, if it is there."""
    made = Cases()
    for part in (_keys, _notes, _checkpoints, _policies, _accepting, _cosignatures, _proof_files):
        part(made)
    web_vector_bundles.add_to(made, shared)
    web_vector_index.add_to(made)
    web_vector_keys.add_to(made)
    web_vector_layouts.add_to(made)
    web_vector_quorums.add_to(made)
    web_vector_times.add_to(made)
    web_vector_trees.add_to(made)
    web_vector_logs.add_to(made, shared)
    return {"logs": made.logs, "cases": made.cases}


def _table(table: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for named in table.values() for name, value in named.items())


def _keys(made: Cases) -> None:
    for what, (_, vkey) in key_texts.PUBLISHED.items():
        made.add("vkey", "ok", what, vkey=vkey)
    for what, vkey in _table(key_texts.MALFORMED_VKEYS):
        made.add("vkey", "Malformed", what, vkey=vkey)
    for what, data in _table(key_texts.NOT_ECDSA):
        if what not in LATER:
            made.add("vkey", "Malformed", f"ECDSA, {what}", vkey=key_texts.vkey("name", 2, data, leaf_id(data)))
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        _ecdsa(made, curve)


def leaf_id(spki: bytes) -> bytes:
    """Return the key id of an ECDSA key."""
    return sha256(spki).digest()[:4]


def _ecdsa(made: Cases, curve: Any) -> None:
    """Notes signed by an ECDSA key, in the one encoding of its signature and in others."""
    private = ec.derive_private_key(12345, curve)
    spki = key_texts.spki(curve)
    vkey = key_texts.vkey("ecdsa.example.com", 2, spki, leaf_id(spki))
    made.add("vkey", "ok", curve.name, vkey=vkey)
    for hash_, expect in ((SHA256(), "ok"), (SHA384(), "SignatureError")):
        der = private.sign(b"text\n", ec.ECDSA(hash_))
        for at in range(-1, len(der) if expect == "ok" else 0):
            changed = der if at < 0 else flipped(der, 8 * at + at % 8)
            _ecdsa_note(made, vkey, leaf_id(spki), changed, expect if at < 0 else "SignatureError")
        for other in (der + b"\0", der[:-1], b"\0" + der, der[:2]):
            _ecdsa_note(made, vkey, leaf_id(spki), other, "SignatureError")
    for _ in range(16):  # a number whose first bit is set gets a byte more, which happens to every other one
        _ecdsa_note(made, vkey, leaf_id(spki), private.sign(b"text\n", ec.ECDSA(SHA256())), "ok")


def _ecdsa_note(made: Cases, vkey: str, key_id: bytes, der: bytes, expect: str) -> None:
    data = f"text\n\n{Signature('ecdsa.example.com', key_id, der).line}\n".encode()
    made.add("verify_note", expect, "ECDSA", data=b64(data), vkeys=[vkey])


def _notes(made: Cases) -> None:
    for what, data in _table(note_texts.MALFORMED):
        made.add("note", "Malformed", what, data=b64(data))
    for space in note_texts.SPACES:
        data = note_texts.TEXT + f"\n— na{chr(space)}me AAAAAAE=\n".encode()
        made.add("note", "Malformed", f"space {space:x}", data=b64(data))
    odd = "\ufeff— text \u2028 AAAA \x7f\n\n— — AAAAAAE=\n".encode()
    hundred = note_texts.TEXT + b"\n" + note_texts.LINE * MAX_SIGNATURES
    longest = b"x" * (MAX_NOTE_SIZE - len(note_texts.LINE) - 2) + b"\n\n" + note_texts.LINE
    for data in (note_texts.SPEC_NOTE, note_texts.SPEC_POEM, b"\n\n" + note_texts.LINE, odd, hundred, longest):
        made.add("note", "ok", "what a note may hold", data=b64(data))
    vkey = note_texts.SPEC_KEY.vkey
    made.add("verify_note", "ok", "example", data=b64(note_texts.SPEC_NOTE), vkeys=[vkey])
    for bit in range(8 * len(note_texts.SPEC_NOTE)):
        made.add("verify_note", None, f"bit {bit}", data=b64(flipped(note_texts.SPEC_NOTE, bit)), vkeys=[vkey])
    a, b = note_texts.A, note_texts.B
    wrong = Signature(a.name, a.verifier.key_id, a.sign(b"another text\n"))
    same_id = Signature("other.example.com", a.verifier.key_id, b"wrong")
    same_name = Signature(a.name, b"\xff\xff\xff\xff", b"wrong")
    right = [note_texts.signature(a), note_texts.signature(b)]
    keys = [a.verifier.vkey, b.verifier.vkey]
    for what, lines, expect in (
        ("two right ones", right, "ok"),
        ("unknown ones beside it", [same_name, right[0], same_id], "ok"),
        ("wrong one first", [wrong, right[1]], "SignatureError"),
        ("wrong one last", [right[1], wrong], "SignatureError"),
        ("one key's right and wrong", [right[0], wrong], "SignatureError"),
        ("none known", [same_name, same_id], "SignatureError"),
    ):
        data = Note(note_texts.TEXT, tuple(lines)).data
        made.add("verify_note", expect, what, data=b64(data), vkeys=keys)
    made.add("verify_note", "UsageError", "a witness's key", data=b64(note_texts.SPEC_NOTE), vkeys=[W1.verifier.vkey])


def _checkpoints(made: Cases) -> None:
    def note(text: bytes) -> str:
        return b64(text + b"\n" + note_texts.LINE)

    for what, size in _table(checkpoint_texts.MALFORMED_SIZES):
        made.add("checkpoint", "Malformed", f"size {what}", data=note(checkpoint_texts.text(size=size)))
    for what, root in _table(checkpoint_texts.MALFORMED_ROOTS):
        made.add("checkpoint", "Malformed", f"root {what}", data=note(checkpoint_texts.text(root=root)))
    for what, text in _table(checkpoint_texts.MALFORMED_TEXTS):
        made.add("checkpoint", "Malformed", what, data=note(text))
    for size in (1, 2**53 - 1, 2**53, 2**53 + 1, MAX_TREE_SIZE):
        made.add("checkpoint", "ok", f"size {size}", data=note(checkpoint_texts.text(size=str(size))))
    made.add("checkpoint", "ok", "empty", data=note(Checkpoint("o", TreeHead(0, EMPTY_ROOT)).text))
    made.add("checkpoint", "ok", "odd", data=note(Checkpoint("— ö+\x7f", TREE, ("— a AAAAAAE=", " ", "\u2028")).text))
    spec, text = checkpoint_texts.SPEC, checkpoint_texts.SPEC_TEXT
    made.add("checkpoint", "ok", "example", data=b64(spec))
    for data in (text, text + b"\n", b"\n" + spec, spec + b"\n", spec.replace(b"20", b"020")):
        made.add("checkpoint", "Malformed", "signed", data=b64(data))


def _policies(made: Cases) -> None:
    for what, text in {**policy_texts.VALID, "example": EXAMPLE}.items():
        made.add("policy", "ok", what, data=b64((text if text.endswith("\n") else text + "\n").encode()))
    for what, (text, _) in policy_texts.INVALID.items():
        made.add("policy", "Malformed", what, data=b64(text.encode("utf-8", "surrogateescape")))
    made.add("policy", "Malformed", "cut short in a comment", data=b64(f"{LOG_LINE}quorum none\n# cut".encode()))
    torchwood = (VECTORS / "mldsa44-log.vkey").read_text()
    made.add("policy", "ok", "a foreign log", data=b64(f"log {torchwood}quorum none\n".encode()))


def _accept_case(made: Cases, expect: str, what: str, policy: str | Policy, checkpoint: SignedCheckpoint) -> None:
    data = policy.encode() if isinstance(policy, str) else policy.data
    made.add("accept", expect, what, policy=b64(data), data=b64(checkpoint.data))


def _accepting(made: Cases) -> None:
    for names in policy_sets.EVERY_SET:
        enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
        _accept_case(made, "ok" if enough else "PolicyError", "-".join(names), EXAMPLE, cosigned(*names))
    deep = LOG_LINE + policy_sets.DEEP
    for quorum in ("X1", "a", "b", "c", "d", "none"):
        for names in policy_sets.EVERY_SET[::3]:
            made.add("accept", None, quorum, policy=b64(deep.format(quorum).encode()), data=b64(cosigned(*names).data))
    none = f"{LOG_LINE}{WITNESS_LINES}quorum none\n"
    _accept_case(made, "ok", "no quorum", none, cosigned("X1"))
    for name in ("X1", "X2"):
        lines = [sign(CHECKPOINT, LOG), forged(sign(CHECKPOINT, WITNESSES[name])), sign(CHECKPOINT, WITNESSES["Y1"])]
        _accept_case(made, "SignatureError", f"forged {name}", none, with_signatures(CHECKPOINT, lines))
    second, other = key(ORIGIN, 44), key("other.example.com", 43)
    two = f"{LOG_LINE}log {second.verifier.vkey}\nquorum none\n"
    half = with_signatures(CHECKPOINT, [sign(CHECKPOINT, second), forged(sign(CHECKPOINT, LOG))])
    _accept_case(made, "SignatureError", "one log key forged", two, half)
    _accept_case(made, "ok", "the second key", two, signed(CHECKPOINT, second))
    _accept_case(made, "SignatureError", "witnesses only", EXAMPLE, signed(CHECKPOINT, *WITNESSES.values()))
    three = f"log {other.verifier.vkey}\n{two}"
    _accept_case(made, "SignatureError", "signed by another log", three, signed(CHECKPOINT, other))
    elsewhere = replace(CHECKPOINT, origin="other.example.com")
    _accept_case(made, "PolicyError", "unknown log", policy_for(LOG.verifier), signed(elsewhere, LOG))
    _accept_case(made, "PolicyError", "no logs", "quorum none\n", signed(CHECKPOINT, LOG))
    for origin, expect in ((ORIGIN, "ok"), ("other", "PolicyError")):
        made.add("accept", expect, "origin", policy=b64(POLICY.data), data=b64(cosigned().data), origin=origin)
    extended = replace(CHECKPOINT, extensions=("extension",))
    ml_dsa = key(ORIGIN, 41, MLDSA44)
    both = f"log {ml_dsa.verifier.vkey}\n{LOG_LINE}{WITNESS_LINES}quorum X2\n"
    witness = WITNESSES["X2"]
    _accept_case(made, "ok", "ML-DSA log", both, signed(CHECKPOINT, ml_dsa, witness))
    _accept_case(made, "ok", "extension, both", both, signed(extended, ml_dsa, LOG, witness))
    _accept_case(made, "SignatureError", "extension, ML-DSA only", both, signed(extended, ml_dsa, witness))
    own = f"log {ml_dsa.verifier.vkey}\nwitness w {ml_dsa.verifier.vkey}\nquorum w\n"
    _accept_case(made, "ok", "its own witness", own, signed(CHECKPOINT, ml_dsa))
    foreign = parse_signed_checkpoint((VECTORS / "mldsa44-log.checkpoint").read_bytes())
    torchwood = (VECTORS / "mldsa44-log.vkey").read_text()
    _accept_case(made, "ok", "a foreign ML-DSA log", f"log {torchwood}quorum none\n", foreign)


def _cosignatures(made: Cases) -> None:
    def add(by: SigningKey, line: Signature, checkpoint: Checkpoint, expect: str | None, what: str) -> None:
        policy = f"log {key(checkpoint.origin, 1).verifier.vkey}\nwitness w {by.verifier.vkey}\nquorum w\n"
        lines = [sign(checkpoint, key(checkpoint.origin, 1)), line]
        data = with_signatures(checkpoint, lines).data
        made.add("accept", expect, f"{by.name} {what}", policy=b64(policy.encode()), data=b64(data))

    for by in (W1, W2):
        for timestamp in (0, 1, TIME, MAX_TIMESTAMP):
            add(by, sign(CHECKPOINT, by, timestamp), CHECKPOINT, "ok", f"time {timestamp}")
        whole = sign(CHECKPOINT, by)
        for bit in (*range(64), 64, 8 * len(whole.signature) - 1):
            changed = replace(whole, signature=flipped(whole.signature, bit))
            add(by, changed, CHECKPOINT, "SignatureError", f"bit {bit}")
        data = whole.signature
        for wrong in (data[:1], data[:8], data[:9], data[:-1], data + b"\0", data[8:]):
            add(by, replace(whole, signature=wrong), CHECKPOINT, "SignatureError", f"{len(wrong)} bytes")
        for origin in ("o" * 255, "o" * 256, "ö" * 100):
            checkpoint = Checkpoint(origin, TREE)
            shortened = Checkpoint(origin[:255], TREE)
            signable = len(origin) <= MAX_ORIGIN or by.verifier.type == COSIGNATURE
            line = sign(checkpoint if signable else shortened, by, 1)
            add(by, line, checkpoint, "ok" if signable else "SignatureError", f"origin of {len(origin)}")
        add(by, sign(replace(CHECKPOINT, origin="other"), by), CHECKPOINT, "SignatureError", "of another log")
    for timestamp in (2**63, 2**64 - 1):
        for by, message in (
            (W1, ed25519_message(timestamp, CHECKPOINT)),
            (W2, ml_dsa_message(W2.name.encode(), timestamp, ORIGIN.encode(), TREE)),
        ):
            line = Signature(by.name, by.verifier.key_id, timestamp.to_bytes(8, "big") + by.sign(message))
            add(by, line, CHECKPOINT, "SignatureError", f"time {timestamp}")
    text = Signature(W1.name, W1.verifier.key_id, TIME.to_bytes(8, "big") + W1.sign(CHECKPOINT.text))
    add(W1, text, CHECKPOINT, "SignatureError", "over the text alone")


def _proof_files(made: Cases) -> None:
    this = proof_files
    for what, text in _table(this.MALFORMED):
        made.add("proof", "Malformed", what, data=b64(text.encode()))
    for data in (
        b"\xff" + this.PROOF.data,
        this.PROOF.data.replace(b"index", b"\xffindex"),
        this.PROOF.data + b"\xff\n",
    ):
        made.add("proof", "Malformed", "not UTF-8", data=b64(data))
    made.add("proof", "ok", "extra", data=b64(replace(this.PROOF, extra=b"extra").data))

    def add(proof: Any, expect: str | None, what: str, leaf: bytes = this.LEAF, policy: Policy = this.POLICY) -> None:
        data = proof if isinstance(proof, bytes) else proof.data
        made.add("verify_proof", expect, what, data=b64(data), leaf=b64(leaf), policy=b64(policy.data))

    for bit in range(8 * len(this.PROOF.data)):
        add(flipped(this.PROOF.data, bit), None, f"bit {bit}")
    add(this.PROOF, "ok", "example")
    for number, wrong in enumerate(this.WRONG_PROOFS):
        add(wrong, "ProofError", f"wrong {number}")
    both = replace(this.PROOF, checkpoint=signed(this.CHECKPOINT, LOG, W1, W2))
    add(both, "ok", "quorum", policy=this.QUORUM)
    one = replace(this.PROOF, checkpoint=signed(this.CHECKPOINT, LOG, W1))
    add(one, "PolicyError", "no quorum", policy=this.QUORUM)
    for signer in ((W1, W2), (key(ORIGIN, 9),)):
        add(replace(this.PROOF, checkpoint=signed(this.CHECKPOINT, *signer)), "SignatureError", "not by the log")
    add(this.PROOF, "PolicyError", "another log", policy=policy_for(key("other.example.com", 1).verifier))
    for size in range(1, 18):
        log = full_tree(size)
        checkpoint = signed(Checkpoint(ORIGIN, log.head(size)), LOG)
        for index in range(size):
            proof = replace(this.PROOF, index=index, hashes=tuple(log.path(index, size)), checkpoint=checkpoint)
            add(proof, "ok", f"{index} of {size}", log.leaf(index))
            add(proof, "ProofError" if size > 1 else None, "of another", log.leaf((index + 1) % size))


if __name__ == "__main__":
    print(json.dumps(vectors()))
