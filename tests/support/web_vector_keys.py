"""Vectors of a log's statements about its keys: who is known, what is found, and what is no statement."""

from __future__ import annotations

from tests.support.key_statements import HISTORY, NAME, PQ, THIEF, A, B, C, statement
from tests.support.signed_text import key
from tests.support.web_answers import Cases, b64
from tiles.notes.key_change import ADD, MAX_KEY_CHANGE_SIZE, RETIRE, KeyChange
from tiles.notes.keys import SeedKey
from tiles.notes.note import Note, Signature
from tiles.tree.merkle import Hash, TreeHead

TEXT = HISTORY["keys/1"].partition(b"\n\n")[0] + b"\n"
RETIRED_LINE = f"retire\n{A.verifier.vkey}\n".encode()
ADDED = TEXT.replace(RETIRED_LINE, f"add\n{C.verifier.vkey}\n".encode())


def resigned(text: bytes, *by: SeedKey) -> bytes:
    """Return a note of a text that these keys have signed, whatever it says."""
    lines = tuple(Signature(one.name, one.verifier.key_id, one.sign(text)) for one in by)
    return Note(text, lines).data


OTHER_LOG = key("other.example.com", 7)
OTHER = KeyChange(0, RETIRE, OTHER_LOG.verifier, TreeHead(1, Hash(bytes(32))), (OTHER_LOG.verifier,)).text
# the line of B, with the signature of A behind its key id
_LINES = [Signature(NAME, B.verifier.key_id, by.sign(TEXT)).line.encode() for by in (B, A)]
WRONG_LINE = (_LINES[0], _LINES[1])
CHANGED = {
    "junk": b"junk",
    "another number": HISTORY["keys/0"],
    "a wrong signature": HISTORY["keys/1"].replace(b"\nretire\n", b"\nadd\n"),
    "a stranger's": statement(1, ADD, THIEF, A, by=[THIEF]),
    "a signature of another text": HISTORY["keys/1"].replace(b"\n1\nAAAA", b"\n2\nAAAA"),
    "a wrong signature by a key that is led to": HISTORY["keys/1"].replace(*WRONG_LINE),
    "about another log": resigned(OTHER.replace(b"\n0\n", b"\n1\n"), A),
    "to be removed": resigned(TEXT.replace(RETIRED_LINE, f"remove\n{C.verifier.vkey}\n".encode()), A),
    "added where no key was": resigned(b"".join(ADDED.splitlines(keepends=True)[:7]), A),
    "neither add nor retire": resigned(TEXT.replace(b"\nretire\n", b"\nremove\n"), A),
    "an added key that is there": resigned(TEXT.replace(b"\nretire\n", b"\nadd\n"), A),
    "number with a zero": resigned(TEXT.replace(b"\n1\nretire", b"\n01\nretire"), A),
    "size with a zero": resigned(TEXT.replace(b"\n1\nAAAA", b"\n01\nAAAA"), A),
    "no key before": resigned(b"".join(TEXT.splitlines(keepends=True)[:7]), A),
    "a key twice": resigned(TEXT + f"{A.verifier.vkey}\n".encode(), A),
    "a key of another log": resigned(TEXT + f"{OTHER_LOG.verifier.vkey}\n".encode(), A),
    "another origin": resigned(TEXT.replace(f"\n{NAME}\n".encode(), b"\nother.example.com\n"), A),
    "nine keys": resigned(TEXT + "".join(f"{key(NAME, n).verifier.vkey}\n" for n in range(10, 17)).encode(), A),
    "eight keys": resigned(TEXT + "".join(f"{key(NAME, n).verifier.vkey}\n" for n in range(10, 16)).encode(), A),
    "another title": resigned(TEXT.replace(b"/v1\n", b"/v2\n"), A),
    "an empty line": resigned(TEXT + b"\n", A),
    "too long": HISTORY["keys/1"] + b"\xe2\x80\x94 x AAAAAAE=\n" * (MAX_KEY_CHANGE_SIZE // 15),
}


def add_to(made: Cases) -> None:
    """Add all of them."""
    for what, objects in {"the whole history": HISTORY, "nothing": {}}.items():
        for known in ((A,), (B,), (C,), (PQ,), (THIEF,), (A, B, C), (OTHER_LOG, A)):
            _add(made, "ok", what, objects, *known)
    for what, data in CHANGED.items():
        _add(made, None, what, {**HISTORY, "keys/1": data}, A)


def _add(made: Cases, expect: str | None, what: str, objects: dict[str, bytes], *known: SeedKey) -> None:
    vkeys = [one.verifier.vkey for one in known]
    made.add("key_changes", expect, what, objects={path: b64(data) for path, data in objects.items()}, vkeys=vkeys)
