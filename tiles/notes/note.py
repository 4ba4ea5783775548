"""Signed notes (https://c2sp.org/signed-note): a text, a blank line, and signature lines.

    <text, ending in newline>
    <newline>
    — <key name> <base64(key id || signature)>          one or more

Parsing a note does not verify it: "The text MUST be ignored unless the note is signed by a trusted key and the
signature has been verified."
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.encoding import decode_base64, decode_text, encode_base64
from tiles.notes.keys import KEY_ID_SIZE, SIGNS_TEXT, VerifierKey, check_name

MAX_NOTE_SIZE = 1 << 20  # bytes, the whole note
MAX_SIGNATURES = 100  # lines; "MUST accept at least up to 16"

_WHAT = "signed note"
_LEAD = "\u2014 "  # em dash, space


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; nothing about it is verified.

    name        key name
    key_id      4 bytes; name and key_id together say which key is claimed
    signature   what follows the key id, at least one byte
    """

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key_id) != KEY_ID_SIZE or not self.signature:
            raise UsageError(f"a signature line has {KEY_ID_SIZE} bytes of key id and at least one of signature")

    @property
    def line(self) -> str:
        """The signature line, without its newline."""
        return f"{_LEAD}{self.name} {encode_base64(self.key_id + self.signature)}"

    def claims(self, key: VerifierKey) -> bool:
        """Whether the line says it was made by key ("The tuple of key name and key ID uniquely identifies the key")."""
        return self.key_id == key.key_id and self.name == key.name


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines, as parsed or put together; nothing about them is verified.

    text         bytes, ending in newline; the separating blank line is not part of it
    signatures   1 to MAX_SIGNATURES
    data         the whole note, computed
    Raises UsageError for what cannot be a note.
    """

    text: bytes
    signatures: tuple[Signature, ...]
    data: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            decode_text(self.text, _WHAT)
        except Malformed as error:
            raise UsageError(error.message) from None
        if not self.text.endswith(b"\n"):
            raise UsageError("the text of a note ends in newline")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise UsageError(f"a note has 1 to {MAX_SIGNATURES} signatures, not {len(self.signatures)}")
        data = self.text + b"\n" + "".join([f"{signature.line}\n" for signature in self.signatures]).encode()
        if len(data) > MAX_NOTE_SIZE:
            raise UsageError(f"a note has at most {MAX_NOTE_SIZE} bytes, not {len(data)}")
        object.__setattr__(self, "data", data)


def parse_note(data: bytes) -> Note:
    """Return the note in data. Verifies nothing. Raises Malformed unless data is exactly `Note.data` of the result."""
    if len(data) > MAX_NOTE_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_NOTE_SIZE} bytes", len(data))
    whole = decode_text(data, _WHAT)
    # "the text is separated from the signatures by the last empty line in the note"
    text, blank, lines = whole.rpartition("\n\n")
    if not blank:
        raise Malformed(_WHAT, "no blank line between text and signatures")
    if lines.count("\n") > MAX_SIGNATURES:
        raise Malformed(_WHAT, f"more than {MAX_SIGNATURES} signatures", lines.count("\n"))
    note = Note(f"{text}\n".encode(), tuple(parse_signature(line) for line in lines.removesuffix("\n").split("\n")))
    if note.data != data:
        raise Malformed(_WHAT, "does not end in newline, or is not in canonical form")
    return note


def parse_signature(line: str) -> Signature:
    """Return the signature in a line (without newline). Raises Malformed for what `Signature.line` does not print."""
    name, space, encoded = line.removeprefix(_LEAD).partition(" ")
    if not line.startswith(_LEAD) or not space:
        raise Malformed("signature line", "not \u2014 <key name> <base64>", line)
    decoded = decode_base64(encoded, "signature line")
    try:
        signature = Signature(name, decoded[:KEY_ID_SIZE], decoded[KEY_ID_SIZE:])
    except UsageError as error:
        raise Malformed("signature line", error.message, line) from None
    return signature


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[Signature, ...]:
    """Return the signatures made by `keys` over the text, all of them verified, in the order of the note; at least one.

    For note-signing keys (ED25519, ECDSA); a checkpoint is verified by a policy, which knows the other types, the
    origin and the quorum.

    Raises SignatureError if a known key's signature is wrong, even if another one is right, and if there is none;
    UsageError for a key of another type, and for two keys of the same name and key id.
    """
    keys = tuple(keys)
    for key in keys:
        if key.type not in SIGNS_TEXT:
            raise UsageError(f"{key} signs checkpoints, not the text of a note")
    verified = []
    for signature, key in claimed(note, keys):
        try:
            key.verify(note.text, signature.signature)
        except SignatureError as error:
            raise SignatureError(error.message, evidence={"note": note.data}) from None
        verified.append(signature)
    if not verified:
        raise no_known_signature(note, keys)
    return tuple(verified)


def claimed(note: Note, keys: Iterable[VerifierKey]) -> list[tuple[Signature, VerifierKey]]:
    """Return the signature lines that say they were made by one of `keys`, each with that key, NOT yet verified.

    Raises UsageError for two different keys of the same name and key id.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise UsageError(f"two different keys are called {key}")
    # "MUST ignore signatures from unknown keys, even if they share a name or ID (but not both) with a known key"
    pairs = ((signature, known.get((signature.name, signature.key_id))) for signature in note.signatures)
    return [(signature, key) for signature, key in pairs if key]


def no_known_signature(note: Note, keys: Iterable[VerifierKey]) -> SignatureError:
    """Return the error that names the keys that were looked for, and those that the note claims."""
    looked_for = ", ".join(str(key) for key in keys) or "no key"
    there = ", ".join(f"{signature.name}+{signature.key_id.hex()}" for signature in note.signatures)
    return SignatureError(f"no signature by {looked_for}; signed by {there}", evidence={"note": note.data})
