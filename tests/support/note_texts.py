"""Signed notes, as they may be and as they may not."""

from __future__ import annotations

from tests.support.signed_text import key
from tiles.notes.keys import SigningKey, parse_vkey
from tiles.notes.note import (
    MAX_NOTE_SIZE,
    MAX_SIGNATURES,
    Signature,
)

# signed-note, "Verifier keys", "Example"
SPEC_KEY = parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# signed-note, the note at its top
SPEC_POEM = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()
TEXT = b"text\n"
LINE = "— name AAAAAAE=\n".encode()
A, B, C = (key("signer.example.com", number) for number in (5, 6, 7))
# White_Space in Unicode's PropList.txt, without the control characters
SPACES = [0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]


def signature(by: SigningKey) -> Signature:
    """Return the signature line of a key over TEXT."""
    return Signature(by.name, by.verifier.key_id, by.sign(TEXT))


MALFORMED = {
    "signed note: no blank line between text and signatures": {
        "nothing": b"",
        "a newline": b"\n",
        "no blank line": TEXT + LINE,
        "no text": b"\n" + LINE,
    },
    "signature line: not — <key name> <base64>:": {
        "no signature": TEXT + b"\n",
        "no signature, two blank lines": TEXT + b"\n\n",
        "blank line at the end": TEXT + b"\n" + LINE + b"\n",
        "text after the signatures": TEXT + b"\n" + LINE + b"text\n",
        "text before the signatures": TEXT + b"\ntext\n" + LINE,
        "hyphen instead of em dash": TEXT + b"\n- name AAAAAAE=\n",
        "en dash instead of em dash": TEXT + "\n– name AAAAAAE=\n".encode(),
        "no space after the dash": TEXT + "\n—name AAAAAAE=\n".encode(),
        "no signature in the line": TEXT + "\n— name\n".encode(),
    },
    "signed note: does not end in newline, or is not in canonical form": {
        "no last newline": TEXT + b"\n" + LINE[:-1],
        "blank line between signatures": TEXT + b"\n" + LINE + b"\n" + LINE[:-1],
    },
    "signature line: not canonical base64:": {
        "two spaces after the dash": TEXT + "\n—  name AAAAAAE=\n".encode(),
        "two spaces before the signature": TEXT + "\n— name  AAAAAAE=\n".encode(),
        "space at the end": TEXT + "\n— name AAAAAAE= \n".encode(),
        "base64 without padding": TEXT + "\n— name AAAAAAE\n".encode(),
        "base64 with too much padding": TEXT + "\n— name AAAAAAE==\n".encode(),
        "base64 with bits left over": TEXT + "\n— name AAAAAAF=\n".encode(),
        "base64url": TEXT + "\n— name AAAAAA_-\n".encode(),
        "junk in base64": TEXT + "\n— name AAAA!AAE=\n".encode(),
        "digit of another script in base64": TEXT + "\n— name AAAAAAA\u0661\n".encode(),
    },
    "signature line: a signature line has 4 bytes of key id and at least one of signature:": {
        "empty signature in the line": TEXT + "\n— name \n".encode(),
        "three bytes of key id": TEXT + "\n— name AAAA\n".encode(),
        "key id only": TEXT + "\n— name AAAAAA==\n".encode(),
    },
    "signature line: a key name is not empty and has no space, plus or control character:": {
        "empty name": TEXT + "\n—  AAAAAAE=\n".encode(),
        "plus in the name": TEXT + "\n— na+me AAAAAAE=\n".encode(),
    },
    "signed note: control character:": {
        "tab": b"te\txt\n\n" + LINE,
        "carriage return": b"text\r\n\n" + LINE,
        "null": b"te\0xt\n\n" + LINE,
        "escape": b"te\x1bxt\n\n" + LINE,
        "control character in the name": TEXT + "\n— na\x1fme AAAAAAE=\n".encode(),
    },
    "signed note: not UTF-8 at byte 2:": {
        "not UTF-8": b"te\xffxt\n\n" + LINE,
        "overlong UTF-8": b"te\xc0\xafxt\n\n" + LINE,
        "surrogate in UTF-8": b"te\xed\xa0\x80xt\n\n" + LINE,
    },
    "signed note: not UTF-8 at byte 0:": {
        "UTF-16": (TEXT + b"\n" + LINE).decode().encode("utf-16"),
    },
    "signed note: more than 100 signatures:": {
        "too many signatures": TEXT + b"\n" + LINE * (MAX_SIGNATURES + 1),
    },
    "signed note: more than 1048576 bytes:": {
        "too long": b"x" * (MAX_NOTE_SIZE - len(LINE) - 1) + b"\n\n" + LINE,
    },
}
