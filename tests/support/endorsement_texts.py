"""Endorsements as entries, and bytes that nearly are: for the core, and for the vectors that JavaScript runs."""

from __future__ import annotations

from base64 import b64encode

ROOT = b64encode(bytes(range(32))).decode()
EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
LINE = b64encode(bytes(4 + 64)).decode()
DASH = "\u2014"


def note(
    origin: str = "private.example.com",
    size: str = "7",
    root: str = ROOT,
    more: str = "",
    *names: str,
    line: str = LINE,
) -> bytes:
    """Return a signed note with a line of each name, by default one of the origin; no signature in it is right."""
    signatures = "".join(f"{DASH} {name} {line}\n" for name in names or (origin,))
    return f"{origin}\n{size}\n{root}\n{more}\n{signatures}".encode()


ONE = note()

# entry → the origin that it is found by; None: it is raw
ENDORSEMENTS: dict[bytes, str | None] = {
    ONE: "private.example.com",
    note("example.com/\u00e9"): "example.com/\u00e9",
    note(size="0", root=EMPTY_ROOT): "private.example.com",
    note(more="an extension\n"): "private.example.com",
    note("a", "7", ROOT, "", "a", "a"): "a",
    note("a" * 1000): "a" * 1000,
    note(more="x" * 60_000 + "\n"): "private.example.com",
    note("a", "7", ROOT, "", "b"): None,  # by another name
    note("a", "7", ROOT, "", "a", "witness.example.com"): None,  # a cosignature
    note("a b", "7", ROOT, "", "a"): None,  # an origin that no key can be named as
    note(size="07"): None,
    note(size="-7"): None,
    note(size="0"): None,  # the empty tree has another root
    note(root=ROOT[:-1]): None,
    note(more="\n"): None,
    note(line="AAAA"): None,
    ONE[:-1]: None,
    ONE + b"\n": None,
    ONE.replace(b"\n", b"\r\n"): None,
    ONE.replace(DASH.encode(), b"-"): None,
    ONE + b"\xff": None,
    ONE[:100]: None,
}
