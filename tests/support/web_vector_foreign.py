"""Vectors of other projects: proofs, keys, notes, tile paths, and Ed25519 signatures that implementations disagree on.

They are in `foreign/cases.jsonl` of the shared data, which says where each is from; none of it was written here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support import key_texts
from tests.support.signed_text import ED25519
from tests.support.web_answers import Case, Cases, b64
from tiles.errors import Malformed
from tiles.notes.keys import SIGNS_TEXT, parse_vkey
from tiles.tree.layout import ENTRIES, TILE_HEIGHT, TILE_WIDTH

# the codes by which it is said that something is wrong
BAD = {"ProofError", "UsageError", "Malformed", "SignatureError"}
# its roots are of 12 bytes: no SHA-256, so nothing is asked of them here, whatever the proof says
STRICTER = {"merkle/testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"}
# implementations differ in what they accept; here (`VerifierKey.verify`) all is refused that CCTV says one of these of
REFUSED = {"low_order_residue", "non_canonical_R"}

# Go's sumdb has the height of a tile in front of its level: tile/<H>/<L>/<N>[.p/<W>]
_OTHER_PATH = re.compile(r"tile/(?P<levels>.*?)/(?P<index>(?:x?[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[0-9]+))?")


def add_to(made: Cases, shared: Path) -> Iterator[tuple[dict[str, Any], list[Case]]]:
    """Add all of them, and yield each foreign case with what was made of it."""
    lines = (shared / "foreign" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    foreign = [json.loads(line) for line in lines]
    vkeys = list(dict.fromkeys(one["vkey"] for one in foreign if one["op"] == "vkey" and _signs_text(one["vkey"])))
    for one in foreign:
        before = len(made.cases)
        if one["op"] == "note":
            _note(made, one, vkeys)
        else:
            _MAKERS[one["op"]](made, one)
        yield one, made.cases[before:]


def wanted(one: dict[str, Any]) -> set[str] | None:
    """Return the codes of which the answers to a foreign case must have one; None where it is not known."""
    if one["op"] == "ed":
        return {"SignatureError"} if REFUSED & set(one["name"].split()) else {"ok"}
    return BAD if one["name"] in STRICTER else {"ok": {"ok"}, "bad": BAD}.get(one["want"])


def _signs_text(vkey: str) -> bool:
    try:
        return parse_vkey(vkey).type in SIGNS_TEXT
    except Malformed:
        return False


def _head(size: int, root: str) -> dict[str, str]:
    return {"size": str(size), "root": root}


def _inclusion(made: Cases, one: dict[str, Any]) -> None:
    head = _head(one["size"], one["root"])
    arguments = {"leaf": one["leaf"], "index": str(one["index"]), "head": head, "proof": one["proof"]}
    made.add("inclusion", None, one["name"], **arguments)


def _consistency(made: Cases, one: dict[str, Any]) -> None:
    old, latest = _head(one["s1"], one["r1"]), _head(one["s2"], one["r2"])
    made.add("consistency", None, one["name"], old=old, latest=latest, proof=one["proof"])


def _ed25519(made: Cases, one: dict[str, Any]) -> None:
    """A signature of what is no note, since its text has no newline at the end: the primitive alone is asked."""
    vkey = key_texts.vkey("example.com", ED25519, bytes.fromhex(one["key"]))
    data, signature = b64(bytes.fromhex(one["msg"])), b64(bytes.fromhex(one["sig"]))
    made.add("signature", None, one["name"], data=data, vkey=vkey, signature=signature)


def _vkey(made: Cases, one: dict[str, Any]) -> None:
    made.add("vkey", None, one["name"], vkey=one["vkey"])


def _note(made: Cases, one: dict[str, Any], vkeys: list[str]) -> None:
    made.add("note", None, one["name"], data=one["note"])
    made.add("checkpoint", None, one["name"], data=one["note"])
    made.add("verify_note", None, one["name"], data=one["note"], vkeys=vkeys)


def _path(made: Cases, one: dict[str, Any]) -> None:
    """The tiles that a path of sumdb's might name: none of them has that path."""
    match = _OTHER_PATH.fullmatch(one["path"])
    assert match, one["path"]
    index = int(re.sub("[x/]", "", match["index"]))
    for word in match["levels"].split("/"):
        level = int(word) if word.isdigit() else ENTRIES
        size = (index * TILE_WIDTH + int(match["width"] or TILE_WIDTH)) << TILE_HEIGHT * max(level, 0)
        made.add("tile_path", None, one["name"], size=str(size), level=level, index=str(index))


_MAKERS: dict[str, Callable[[Cases, dict[str, Any]], None]] = {
    "incl": _inclusion,
    "cons": _consistency,
    "ed": _ed25519,
    "vkey": _vkey,
    "path": _path,
}
