"""Checkpoints (https://c2sp.org/tlog-checkpoint): a signed note that states a log's origin, tree size and root hash.

    <origin>
    <tree size, decimal>
    <root hash, base64>
    <extension line>                                    zero or more

Parsing is not verifying: what `parse_signed_checkpoint` returns is a claim until a policy has accepted it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64, is_line
from tiles.notes.keys import SIGNS_TEXT, SigningKey
from tiles.notes.note import MAX_NOTE_SIZE, Note, Signature, parse_note
from tiles.tree.merkle import EMPTY_ROOT, HASH_SIZE, MAX_TREE_SIZE, TreeHead, to_hash

_WHAT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states, unsigned.

    origin       not empty, one line
    tree         0 ≤ size ≤ MAX_TREE_SIZE; of size 0 the root is EMPTY_ROOT
    extensions   lines, none of them empty; not covered by ML-DSA-44 signatures
    text         the note text, computed: what is signed
    Raises UsageError for what no checkpoint can state.
    """

    origin: str
    tree: TreeHead
    extensions: tuple[str, ...] = ()
    text: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not is_line(self.origin):
            raise UsageError("an origin is one line, not empty, without control characters")
        if not 0 <= self.tree.size <= MAX_TREE_SIZE:
            raise UsageError(f"a tree size is between 0 and {MAX_TREE_SIZE}, not {self.tree.size}")
        if len(self.tree.root) != HASH_SIZE:
            raise UsageError(f"a root hash has {HASH_SIZE} bytes, not {len(self.tree.root)}")
        # tlog-witness "add-checkpoint": "size zero MUST have the root hash of the empty tree"
        if self.tree.size == 0 and self.tree.root != EMPTY_ROOT:
            raise UsageError("the tree of size 0 has the root hash of the empty tree")
        if not all(is_line(extension) for extension in self.extensions):
            raise UsageError("an extension is one line, not empty, without control characters")
        lines = (self.origin, str(self.tree.size), encode_base64(self.tree.root), *self.extensions, "")
        object.__setattr__(self, "text", "\n".join(lines).encode())


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return the checkpoint in an unsigned note text. Raises Malformed unless it is exactly `Checkpoint.text`."""
    if len(text) > MAX_NOTE_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_NOTE_SIZE} bytes", len(text))
    lines = decode_text(text, _WHAT).removesuffix("\n").split("\n")
    # "Note text": "a sequence of at least three non-empty lines"
    if len(lines) < 3 or "" in lines:
        raise Malformed(_WHAT, "not at least three lines, none of them empty")
    origin, size, root, *extensions = lines
    tree = TreeHead(decode_decimal(size, f"{_WHAT} size"), to_hash(decode_base64(root, f"{_WHAT} root hash")))
    try:
        checkpoint = Checkpoint(origin, tree, tuple(extensions))
    except UsageError as error:
        raise Malformed(_WHAT, error.message) from None
    if checkpoint.text != text:
        raise Malformed(_WHAT, "does not end in newline, or is not in canonical form")
    return checkpoint


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the note it came in; the signatures are NOT verified. `Policy.accept` verifies them.

    Raises UsageError if the note does not state the checkpoint.
    """

    checkpoint: Checkpoint
    note: Note

    def __post_init__(self) -> None:
        if self.note.text != self.checkpoint.text:
            raise UsageError("the text of the note is not that of the checkpoint")

    @property
    def tree(self) -> TreeHead:
        """Size and root, as claimed."""
        return self.checkpoint.tree

    @property
    def origin(self) -> str:
        """The log's origin, as claimed."""
        return self.checkpoint.origin

    @property
    def data(self) -> bytes:
        """The whole signed note."""
        return self.note.data


def parse_signed_checkpoint(data: bytes) -> SignedCheckpoint:
    """Return the checkpoint in a signed note. VERIFIES NOTHING: anyone can write such bytes. Raises Malformed."""
    note = parse_note(data)
    return SignedCheckpoint(parse_checkpoint(note.text), note)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> SignedCheckpoint:
    """Return the checkpoint, signed by the log's own ED25519 key.

    Raises UsageError if the key is of another type (`tiles.notes.cosignature.cosign` signs with those: they need a
    time) or is not named as the origin ("Signatures": "The log's key name in its signature line SHOULD match the
    origin line"; a policy requires it).
    """
    if key.verifier.type not in SIGNS_TEXT:
        raise UsageError(f"{key.verifier} signs with a timestamp: use cosign")
    if key.verifier.name != checkpoint.origin:
        raise UsageError(f"the key is named {key.verifier.name}, the origin is {checkpoint.origin}")
    signature = Signature(key.verifier.name, key.verifier.key_id, key.sign(checkpoint.text))
    return with_signatures(checkpoint, [signature])


def with_signatures(checkpoint: Checkpoint, signatures: Iterable[Signature]) -> SignedCheckpoint:
    """Return the checkpoint with these signature lines, in this order, none of them verified; at least one."""
    return SignedCheckpoint(checkpoint, Note(checkpoint.text, tuple(signatures)))
