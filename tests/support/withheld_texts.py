"""Records of withheld entries, and texts that are none."""

from __future__ import annotations

from tests.support.signed_text import LOG
from tiles.notes.withheld import MAX_REASON_SIZE, Entry, Withheld
from tiles.tree.merkle import Hash

LEAF = Hash(bytes(range(32)))
SAID = Withheld(LOG.verifier.name, 1, (Entry(256, LEAF, "personal data"), Entry(511, LEAF, "é, case 17")))
LONGEST = Withheld("log", 0, tuple(Entry(index, LEAF, "\U0001f600" * MAX_REASON_SIZE) for index in range(256)))
RECORDS = {"two": SAID.text, "longest": LONGEST.text}


def changed(old: str, new: str) -> bytes:
    """Return the record of two entries with something else in it."""
    text = SAID.text.decode()
    assert old in text
    return text.replace(old, new).encode()


NOT_RECORDS = {
    "nothing": b"",
    "another title": changed("withheld/v1", "withheld/v2"),
    "no entry": b"\n".join(SAID.text.split(b"\n")[:3]) + b"\n",
    "another bundle": changed("\n1\n", "\n2\n"),
    "a number in another form": changed("\n1\n", "\n01\n"),
    "twice": changed("511 ", "256 "),
    "not by index": changed("256 ", "300 ").replace(b"511 ", b"299 "),
    "no reason": changed(" personal data", ""),
    "a space before the reason": changed(" personal", "  personal"),
    "an empty reason": changed("personal data", ""),
    "a control character": changed("personal data", "a\tb"),
    "a long reason": changed("personal data", "a" * (MAX_REASON_SIZE + 1)),
    "a short hash": changed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAEC"),
    "no newline": SAID.text[:-1],
    "more": SAID.text + b"\n",
}
