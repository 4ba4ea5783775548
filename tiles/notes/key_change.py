"""What a log says when its keys change: the key statement at `keys/<number>`, a signed note of a kind of its own.

    tiletree/key-change/v1
    <origin>
    <number of the statement, from 0>
    add | retire
    <verifier key that is added or retired>
    <tree size>
    <root hash, base64>
    <verifier key of the log before the change>        one or more

Of a key that is added, it is the tree that was published when it was; checkpoints of larger trees have its signature.
Of one that is retired, it is the last tree that it has signed. It is signed by the log's Ed25519 keys: by those before
the change, the retired one included, and by an Ed25519 key that is added, which shows that the log holds it. A reader
who knows one of them can tell that the log says so; that is all a statement is good for, because whoever steals a key
can make one. No such text is a checkpoint: its third line has no 44 characters. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64
from tiles.notes.keys import SIGNS_TEXT, SigningKey, VerifierKey, parse_vkey
from tiles.notes.note import Note, Signature, parse_note, verify_note
from tiles.tree.merkle import MAX_TREE_SIZE, TreeHead, to_hash

MAX_KEY_CHANGE_SIZE = 64 * 1024  # bytes, signed
MAX_KEY_CHANGES = 1000  # of one log
MAX_KEYS = 8  # of one log, at one time

ADD, RETIRE = ACTIONS = ("add", "retire")

_WHAT = "key statement"
_TITLE = "tiletree/key-change/v1"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One statement, unsigned.

    number   0 ≤ number < MAX_KEY_CHANGES
    action   one of ACTIONS
    key      named as the log
    tree     the published tree at the time; of a retired key, the last one that it signed
    before   the keys of the log before the change, those that sign texts first
    Raises UsageError for what no statement can say.
    """

    number: int
    action: str
    key: VerifierKey
    tree: TreeHead
    before: tuple[VerifierKey, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.number < MAX_KEY_CHANGES or self.action not in ACTIONS:
            raise UsageError(f"a key statement has a number below {MAX_KEY_CHANGES}, and is one of {ACTIONS}")
        if not 0 <= self.tree.size <= MAX_TREE_SIZE:
            raise UsageError(f"a tree size is between 0 and {MAX_TREE_SIZE}, not {self.tree.size}")
        if not self.before or len(set(self.before)) != len(self.before) or len(self.before) > MAX_KEYS:
            raise UsageError(f"a log has 1 to {MAX_KEYS} keys before the change, and each once")
        names = {key.name for key in (*self.before, self.key)}
        if (self.key in self.before) != (self.action == RETIRE) or len(names) > 1:
            raise UsageError("a key is added that the log does not have, or retired that it has, and all have its name")

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.key.name

    @property
    def text(self) -> bytes:
        """The note text: what is signed."""
        tree = (str(self.tree.size), encode_base64(self.tree.root))
        before = (key.vkey for key in self.before)
        lines = (_TITLE, self.origin, str(self.number), self.action, self.key.vkey, *tree, *before)
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def words(self) -> str:
        """What it says, in words."""
        if self.action == ADD:
            return f"{self.key} was added at size {self.tree.size}"
        return f"{self.key} was retired at size {self.tree.size}, the last that it signed"


def parse_key_change(text: bytes) -> KeyChange:
    """Return the statement in an unsigned note text. Raises Malformed unless it is exactly `KeyChange.text`."""
    lines = decode_text(text, _WHAT).removesuffix("\n").split("\n")
    if len(lines) < 8 or lines[0] != _TITLE:
        raise Malformed(_WHAT, f"not {_TITLE} and at least seven lines more", lines[0])
    _, _, number, action, vkey, size, root, *before = lines
    tree = TreeHead(decode_decimal(size, _WHAT), to_hash(decode_base64(root, _WHAT)))
    try:
        keys = tuple(map(parse_vkey, before[: MAX_KEYS + 1]))
        found = KeyChange(decode_decimal(number, _WHAT), action, parse_vkey(vkey), tree, keys)
    except UsageError as error:
        raise Malformed(_WHAT, error.message) from None
    if found.text != text:
        raise Malformed(_WHAT, "the key is not named as the log, or it is not in canonical form")
    return found


def sign_key_change(said: KeyChange, keys: Iterable[SigningKey]) -> Note:
    """Return the statement, signed by these Ed25519 keys of the log, in this order."""
    signatures = []
    for key in keys:
        if key.verifier.type not in SIGNS_TEXT or key.verifier.name != said.origin:
            raise UsageError(f"{key.verifier} signs no key statement of {said.origin}")
        signatures.append(Signature(key.verifier.name, key.verifier.key_id, key.sign(said.text)))
    return Note(said.text, tuple(signatures))


def read_key_change(data: bytes) -> tuple[KeyChange, Note]:
    """Return the statement in a signed note. VERIFIES NOTHING: anyone can write such bytes. Raises Malformed."""
    if len(data) > MAX_KEY_CHANGE_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_KEY_CHANGE_SIZE} bytes", len(data))
    note = parse_note(data)
    return parse_key_change(note.text), note


def open_key_change(data: bytes, keys: Iterable[VerifierKey]) -> KeyChange:
    """Return a statement that one of these keys has signed, all of whose signatures by them are right.

    Keys that sign checkpoints only have signed no statement. Raises Malformed; SignatureError.
    """
    said, note = read_key_change(data)
    verify_note(note, [key for key in keys if key.type in SIGNS_TEXT and key.name == said.origin])
    return said
