"""What a log and a witness send each other (https://c2sp.org/tlog-witness): add-checkpoint, and its answers.

    old <size of the last tree that the witness cosigned>\\n
    <hash of a consistency proof in base64>\\n              0 to MAX_PROOF_LINES
    \\n
    <the checkpoint, a signed note>

The answer 200 is signature lines; 409 is the size that the witness holds. Parsing them verifies nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from tiles.errors import Malformed, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64
from tiles.notes.note import MAX_NOTE_SIZE, MAX_SIGNATURES, Signature, parse_signature
from tiles.tree.merkle import MAX_TREE_SIZE, Hash, to_hash

ADD_CHECKPOINT = "add-checkpoint"  # below the submission prefix
SIZE_TYPE = "text/x.tlog.size"  # "The response MUST have a Content-Type of"
MAX_PROOF_LINES = 63  # "The client MUST NOT send more than 63 consistency proof lines"
MAX_REQUEST_SIZE = MAX_NOTE_SIZE + 4096  # bytes: the lines before the note have less than 4,096
MAX_ANSWER_SIZE = MAX_NOTE_SIZE  # bytes

_WHAT = "add-checkpoint request"
_ANSWER = "add-checkpoint response"
_OLD = "old "
_SEEN = re.compile(r"[0-9a-f]{64}/checkpoint", re.ASCII)


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The body of an add-checkpoint request; nothing about it is verified.

    old_size   0 to 2^63 - 1: the size of the last tree that the witness cosigned, as far as the sender knows
    proof      of consistency from that tree to the checkpoint's, at most MAX_PROOF_LINES hashes
    signed     the checkpoint, signed by the log, perhaps cosigned
    """

    old_size: int
    proof: tuple[Hash, ...]
    signed: SignedCheckpoint

    def __post_init__(self) -> None:
        if not 0 <= self.old_size <= MAX_TREE_SIZE:
            raise UsageError(f"an old size is 0 to {MAX_TREE_SIZE}, not {self.old_size}")
        if len(self.proof) > MAX_PROOF_LINES:
            raise UsageError(f"a consistency proof has at most {MAX_PROOF_LINES} hashes, not {len(self.proof)}")

    @property
    def data(self) -> bytes:
        """The body, as it is sent."""
        lines = [f"{_OLD}{self.old_size}", *map(encode_base64, self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.signed.data


def parse_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Return the request whose `AddCheckpoint.data` is `data`. Raises Malformed if there is none."""
    if len(data) > MAX_REQUEST_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_REQUEST_SIZE} bytes", len(data))
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise Malformed(_WHAT, "no empty line after the proof")
    old, *hashes = decode_text(head + b"\n", _WHAT).removesuffix("\n").split("\n")
    if not old.startswith(_OLD):
        raise Malformed(_WHAT, "does not begin with the old size", old)
    if len(hashes) > MAX_PROOF_LINES:
        raise Malformed(_WHAT, f"more than {MAX_PROOF_LINES} lines of proof", len(hashes))
    size = decode_decimal(old.removeprefix(_OLD), _WHAT)
    request = AddCheckpoint(
        size, tuple(to_hash(decode_base64(line, _WHAT)) for line in hashes), parse_signed_checkpoint(note)
    )
    if request.data != data:
        raise Malformed(_WHAT, "not in canonical form")
    return request


def format_signatures(signatures: tuple[Signature, ...]) -> bytes:
    """Return the body of the answer 200: "a sequence of one or more note signature lines"."""
    return "".join(f"{signature.line}\n" for signature in signatures).encode()


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Return the lines in the body of an answer 200, 1 to MAX_SIGNATURES, none of them verified. Raises Malformed."""
    if len(data) > MAX_ANSWER_SIZE:
        raise Malformed(_ANSWER, f"more than {MAX_ANSWER_SIZE} bytes", len(data))
    *lines, after = decode_text(data, _ANSWER).split("\n")
    if after or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise Malformed(_ANSWER, f"not 1 to {MAX_SIGNATURES} lines that each end in newline")
    return tuple(map(parse_signature, lines))


def format_size(size: int) -> bytes:
    """Return the body of the answer 409: "the tree size of the latest cosigned checkpoint in decimal"."""
    return f"{size}\n".encode()


def parse_size(data: bytes) -> int:
    """Return the size in the body of an answer 409, which is a hint and proves nothing. Raises Malformed."""
    text = decode_text(data[:100], _ANSWER)
    if not text.endswith("\n"):
        raise Malformed(_ANSWER, "the size does not end in newline", text)
    return decode_decimal(text.removesuffix("\n"), _ANSWER)


def seen_path(origin: str) -> str:
    """Return where a witness shows the last checkpoint that it cosigned of a log, below its monitoring prefix."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"


def is_seen_path(path: str) -> bool:
    """Whether a path is one that `seen_path` returns."""
    return _SEEN.fullmatch(path) is not None
