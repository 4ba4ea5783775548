"""Transparency log proofs (https://c2sp.org/tlog-proof): one file that shows, offline, that an entry is in a log.

    c2sp.org/tlog-proof@v1
    extra <base64>                                      left out if there is no extra data
    index <decimal>
    <hash, base64>                                      the inclusion proof, leaf's sibling first; zero or more
    <empty line>
    <signed checkpoint, verbatim>

Verifying it takes only the entry and a policy; no key is ever taken from the file.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tiles.errors import Malformed, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Accepted, Policy
from tiles.tree.merkle import HASH_SIZE, MAX_TREE_SIZE, Hash, to_hash
from tiles.tree.proof import verify_inclusion

MAX_HASHES = 63  # the height of a tree of MAX_TREE_SIZE
MAX_PROOF_SIZE = MAX_NOTE_SIZE + (8 << 10)  # bytes, the whole file; 63 hash lines take 2835

FILE_SUFFIX = ".tlog-proof"  # of the names of such files, by custom
_WHAT = "tlog-proof"
_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A claim that an entry is in a log; nothing about it is verified. `verify_tlog_proof` verifies it.

    index        0 ≤ index < MAX_TREE_SIZE
    hashes       the inclusion proof, at most MAX_HASHES, the leaf's sibling first
    checkpoint   the tree they lead to
    extra        application data, NOT authenticated by anything
    data         the whole file, computed
    Raises UsageError for what no file can state.
    """

    index: int
    hashes: tuple[Hash, ...]
    checkpoint: SignedCheckpoint
    extra: bytes = b""
    data: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_TREE_SIZE:
            raise UsageError(f"an index is between 0 and {MAX_TREE_SIZE - 1}, not {self.index}")
        if len(self.hashes) > MAX_HASHES or not {HASH_SIZE}.issuperset(map(len, self.hashes)):
            raise UsageError(f"an inclusion proof has at most {MAX_HASHES} hashes of {HASH_SIZE} bytes")
        extra = f"extra {encode_base64(self.extra)}\n" if self.extra else ""
        first = f"{_HEADER}\n{extra}index {self.index}\n".encode()
        # b2a_base64 ends what it returns with a newline
        data = b"".join([first, *map(b2a_base64, self.hashes), b"\n", self.checkpoint.data])
        if len(data) > MAX_PROOF_SIZE:
            raise UsageError(f"a tlog-proof has at most {MAX_PROOF_SIZE} bytes, not {len(data)}")
        object.__setattr__(self, "data", data)


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Return the proof in a file. Verifies nothing. Raises Malformed unless data is exactly `TlogProof.data`."""
    if len(data) > MAX_PROOF_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_PROOF_SIZE} bytes", len(data))
    head, blank, checkpoint = bytes(data).partition(b"\n\n")  # "zero or more non-empty lines … and an empty line"
    if not blank:
        windows = b"\r\n" in data
        raise Malformed(_WHAT, "lines end in CR LF" if windows else "no empty line before the checkpoint")
    header, *lines = decode_text(head, _WHAT).split("\n")
    if header == f"\ufeff{_HEADER}":
        raise Malformed(_WHAT, "a byte order mark before the first line")
    if header != _HEADER:
        raise Malformed(_WHAT, f"the first line is not {_HEADER}", header)
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), f"{_WHAT} extra data")
    if not lines or not lines[0].startswith("index "):
        raise Malformed(_WHAT, "no index line where there must be one", "".join(lines[:1]))
    index = decode_decimal(lines.pop(0).removeprefix("index "), f"{_WHAT} index", maximum=MAX_TREE_SIZE - 1)
    if len(lines) > MAX_HASHES:
        raise Malformed(_WHAT, f"more than {MAX_HASHES} hashes", len(lines))
    proof = TlogProof(index, _parse_hashes(lines), parse_signed_checkpoint(checkpoint), extra)
    if proof.data != data:
        _parse_hashes(lines, canonical=True)
        # an empty "extra" line, for one: "If no extra data is present, this line is omitted"
        raise Malformed(_WHAT, "not in canonical form")
    return proof


def _parse_hashes(lines: Sequence[str], *, canonical: bool = False) -> tuple[Hash, ...]:
    """Return the hashes in lines of base64. Raises Malformed for what is none; if asked, for what is not canonical too.

    To encode each of them again would be half of parsing a proof, and `parse_tlog_proof` compares the whole file.
    """
    if not canonical:
        with suppress(ValueError):
            hashes = [Hash(a2b_base64(line, strict_mode=True)) for line in lines]
            if {HASH_SIZE}.issuperset(map(len, hashes)):
                return tuple(hashes)
    return tuple(to_hash(decode_base64(line, f"{_WHAT} hash")) for line in lines)


def is_tlog_proof(data: bytes) -> bool:
    """Whether a file says that it is one; `parse_tlog_proof` tells whether it is."""
    return data.startswith(f"{_HEADER}\n".encode())


def verify_tlog_proof(proof: TlogProof, leaf: Hash, policy: Policy) -> Accepted:
    """Return the checkpoint, accepted by the policy, in whose tree `leaf` (a leaf hash) is at `proof.index`.

    Raises SignatureError or PolicyError ("Verifying a tlog proof", steps 2 and 3) as `Policy.accept` does, and
    ProofError (step 4).
    """
    accepted = policy.accept(proof.checkpoint)
    verify_inclusion(leaf, proof.index, accepted.signed.tree, proof.hashes)
    return accepted
