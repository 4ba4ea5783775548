"""Texts of checkpoints, as they may be and as they may not."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from tiles.notes.note import MAX_NOTE_SIZE

# tlog-checkpoint, the example at its top
SPEC = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()
SPEC_TEXT = SPEC.partition(b"\n\n")[0] + b"\n"


def text(origin: str = "o", size: str = "5", root: str = "", *more: str) -> bytes:
    """Return a checkpoint's text of whatever is given; the root is 32 bytes unless given."""
    root = root or b64encode(b"r" * 32).decode()
    return "".join(f"{line}\n" for line in (origin, size, root, *more)).encode()


MALFORMED_SIZES = {
    "checkpoint size: not a decimal number without sign and leading zeros:": {
        "plus": "+5",
        "minus": "-1",
        "minus zero": "-0",
        "space and underscore": " 5_0",
        "underscore": "5_0",
        "space before": " 5",
        "space after": "5 ",
        "leading zeros": "007",
        "two zeros": "00",
        "Arabic digit": "٥",
        "full-width digit": "５",
        "superscript": "⁵",
        "hexadecimal": "0x5",
        "a fraction": "5.0",
        "an exponent": "5e0",
        "letters": "five",
        "2^64 + 5": str(2**64 + 5),
        "20 digits": "9" * 20,
        "10,000 digits": "9" * 10_000,
    },
    "checkpoint: not at least three lines, none of them empty": {
        "nothing": "",
    },
    "checkpoint size: number above 9223372036854775807:": {
        "2^63": str(2**63),
    },
}
MALFORMED_ROOTS = {
    "hash: 3 bytes instead of 32:": {
        "3 bytes": b64encode(b"abc").decode(),
    },
    "hash: 31 bytes instead of 32:": {
        "31 bytes": b64encode(bytes(31)).decode(),
    },
    "hash: 33 bytes instead of 32:": {
        "33 bytes": b64encode(bytes(33)).decode(),
    },
    "hash: 64 bytes instead of 32:": {
        "64 bytes": b64encode(bytes(64)).decode(),
    },
    "checkpoint root hash: not canonical base64:": {
        "no padding": b64encode(bytes(32)).decode()[:-1],
        "more padding": b64encode(bytes(32)).decode() + "=",
        "bits left over": b64encode(bytes(32)).decode()[:-2] + "B=",
        "junk inside": "!" + b64encode(bytes(32)).decode(),
        "space inside": b64encode(bytes(32)).decode().replace("A", "A ", 1),
        "space after": b64encode(bytes(32)).decode() + " ",
        "URL alphabet": "-_" + b64encode(bytes(32)).decode()[2:],
    },
    "hash: 48 bytes instead of 32:": {
        "hexadecimal": sha256().hexdigest(),
    },
}
MALFORMED_TEXTS = {
    "checkpoint: not at least three lines, none of them empty": {
        "nothing": b"",
        "a newline": b"\n",
        "two lines": b"o\n5\n",
        "blank line before": b"\n" + text(),
        "two blank lines before": b"\n\n" + text(),
        "blank line after": text() + b"\n",
        "blank line inside": text().replace(b"5\n", b"5\n\n"),
        "no origin": text(origin=""),
        "empty extension": text("o", "5", "", "", "extension"),
        "empty last extension": text("o", "5", "", "extension", ""),
        "size and root swapped": b"o\n" + b"\n".join(text().split(b"\n")[:0:-1]),
    },
    "checkpoint: does not end in newline, or is not in canonical form": {
        "no last newline": text()[:-1],
    },
    "checkpoint: control character:": {
        "carriage returns": text().replace(b"\n", b"\r\n"),
        "tab in the origin": text(origin="o\t"),
        "null in an extension": text("o", "5", "", "exten\0sion"),
    },
    "checkpoint: not UTF-8 at byte 49:": {
        "not UTF-8": text() + b"\xff\n",
    },
    "checkpoint: the tree of size 0 has the root hash of the empty tree": {
        "size 0 with the root of something": text(size="0"),
    },
    "checkpoint: more than 1048576 bytes:": {
        "too long": text("o", "5", "", "x" * MAX_NOTE_SIZE),
    },
}
