"""Vectors of other people's logs: keys and tree heads of logs of certificates, checksum databases, what is damaged."""

from __future__ import annotations

import gzip

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.key_texts import vkey
from tests.support.other_logs import (
    CT_ORIGIN,
    GOOD_HEAD,
    HEAD_TIME,
    SUMDB_KEY,
    SUMDB_ORIGIN,
    WRONG_HEADS,
    ct_checkpoint,
    ct_key,
    ct_private,
    opaque,
    spki,
    static_ct,
    sumdb,
    tile_leaf,
    timestamped,
    tree_head_signature,
)
from tests.support.reference import flipped
from tests.support.signed_text import LOG, RFC6962, TREE, VECTORS, W1, sign, signed
from tests.support.web_answers import Cases, b64
from tiles.notes.checkpoint import Checkpoint, with_signatures
from tiles.notes.keys import VerifierKey
from tiles.notes.note import Signature
from tiles.read.go_sumdb import parse_lookup
from tiles.tree.merkle import TreeHead, leaf_hash

Objects = dict[str, bytes]
GOLANG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB = {"layout": "sumdb", "vkey": SUMDB_KEY.verifier.vkey, "origin": SUMDB_ORIGIN}
CT = {"layout": "static-ct", "vkey": ct_key().vkey}


def add_to(made: Cases) -> None:
    """Add all of them."""
    _heads(made)
    _origins(made)
    _reading(made)
    _damaged(made)
    _lookups(made)


def _heads(made: Cases) -> None:
    made.add("vkey", "ok", "of a log of certificates", vkey=ct_key().vkey)
    made.add("vkey", "Malformed", "its key is empty", vkey=vkey(CT_ORIGIN, 5, b""))
    made.add("vkey", "Malformed", "its id is of the key", vkey=vkey(CT_ORIGIN, 5, spki(ct_private())))

    def add(
        expect: str,
        what: str,
        signature: bytes,
        checkpoint: Checkpoint | None = None,
        key: VerifierKey | None = None,
    ) -> None:
        key = key or ct_key()
        note = with_signatures(checkpoint or Checkpoint(CT_ORIGIN, TREE), [Signature(key.name, key.key_id, signature)])
        made.add("accept_as", expect, f"tree head, {what}", vkey=key.vkey, data=b64(note.data))

    add("ok", "right", GOOD_HEAD)
    for what, signature in WRONG_HEADS.items():
        add("SignatureError", what, signature)
    for bit in range(0, 8 * len(GOOD_HEAD), 29):
        add("SignatureError", f"bit {bit}", flipped(GOOD_HEAD, bit))
    add("SignatureError", "an extension line", GOOD_HEAD, Checkpoint(CT_ORIGIN, TREE, ("more",)))
    add(
        "SignatureError",
        "another origin",
        GOOD_HEAD,
        Checkpoint("other.example.com", TREE),
        ct_key("another.example.com"),
    )
    rsa_key = rsa.generate_private_key(65537, 2048)
    key = VerifierKey(CT_ORIGIN, RFC6962, spki(rsa_key))
    right = tree_head_signature(TREE, rsa_key, HEAD_TIME)
    add("ok", "RSA", right, key=key)
    add("SignatureError", "RSA, and it says ECDSA", right[:9] + b"\3" + right[10:], key=key)
    add("SignatureError", "RSA, a bit", flipped(right, 8 * len(right) - 9), key=key)
    made.add("policy", "Malformed", "no witness", data=b64(f"witness w {ct_key().vkey}\nquorum w\n".encode()))


def _origins(made: Cases) -> None:
    """A log is accepted under the origin that was pinned, and no other."""
    for origin in (None, LOG.name, SUMDB_ORIGIN, "other.example.com", "", "two\nlines"):
        for named in (LOG.name, SUMDB_ORIGIN):
            data = signed(Checkpoint(named, TREE), LOG).data
            more = {} if origin is None else {"origin": origin}
            made.add("accept_as", None, f"{named} as {origin}", vkey=LOG.verifier.vkey, data=b64(data), **more)
    data = with_signatures(Checkpoint(SUMDB_ORIGIN, TREE), [sign(Checkpoint(SUMDB_ORIGIN, TREE), LOG)]).data
    made.add("accept_as", "ok", "pinned", vkey=LOG.verifier.vkey, origin=SUMDB_ORIGIN, data=b64(data))
    made.add("accept_as", "UsageError", "as a witness signs", vkey=W1.verifier.vkey, origin="x", data=b64(data))
    made.add(
        "accept_as", "UsageError", "a log of certificates has its own", vkey=ct_key().vkey, origin="x", data=b64(data)
    )


def _reading(made: Cases) -> None:
    for named, objects_of in ((SUMDB, sumdb), (CT, static_ct)):
        for size in (1, 256, 300):
            for index in {0, 1, size - 1, size}:
                for call in ("entry", "prove"):
                    _add(made, None, f"{index} of {size}", objects_of(size), call, index, **named)
        grown = {path: data for path, data in objects_of(600).items() if ".p/" not in path}
        kept = {path: data for path, data in objects_of(300).items() if "/1/" in path or not path.startswith("tile/")}
        _add(made, "ok", "partial tiles are gone", {**grown, **kept}, "entry", 299, **named)
    root = VECTORS / "sumdb"  # that of Go, as it was recorded: what leads from one record to the root
    recorded = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    golang = {"layout": "sumdb", "vkey": GOLANG, "origin": SUMDB_ORIGIN}
    looked = parse_lookup(recorded["lookup/golang.org/x/mod@v0.43.0"])
    _add(made, "ok", "Go's own", recorded, "prove", looked.index, **golang)
    packed = {path: gzip.compress(data, mtime=0) if "/data/" in path else data for path, data in static_ct(300).items()}
    _add(made, "ok", "gzip on the disk", packed, "entry", 299, **CT)
    broken = {**packed, "tile/data/000": packed["tile/data/000"][:-20]}
    _add(made, None, "broken gzip", broken, "entry", 9, **CT)


def _damaged(made: Cases) -> None:
    objects = static_ct(300)
    data = objects["tile/data/000"]
    one = tile_leaf(0)
    for what, wrong in {
        "another name": data.replace(b"host.example.com", b"evil.example.com"),
        "cut short": data[:-1],
        "something behind it": data + b"\0",
        "another index": tile_leaf(1) + data[len(one) :],
        "a chain of odd bytes": one[:-66] + opaque(2, bytes(33)) + data[len(one) :],
        "another type": data[:8] + b"\0\2" + data[10:],
        "another chain, which is in no tree": one[:-1] + bytes([one[-1] ^ 1]) + data[len(one) :],
    }.items():
        for index in (0, 9):
            _add(made, None, what, {**objects, "tile/data/000": wrong}, "entry", index, **CT)
    records = sumdb(300)
    whole = records["tile/8/data/000"]
    for what, wrong in {
        "another record": whole.replace(b"m9 v1", b"m9 v2"),
        "cut short": whole[:-1],
        "a blank line more": whole + b"\n",
        "a blank line first": b"\n" + whole,
        "a record less": whole[: whole.rindex(b"\n\n", 0, -2) + 2],
        "not UTF-8": whole.replace(b"m9", b"\xff9", 1),
        "a tab": whole.replace(b"m9 v", b"m9\tv", 1),
    }.items():
        _add(made, None, what, {**records, "tile/8/data/000": wrong}, "entry", 9, **SUMDB)

    for what, leaf in {
        "another index": tile_leaf(1),
        "of type 2": bytes(9) + b"\2" + tile_leaf(0, is_precert=True)[10:],
    }.items():
        entry = b"\0\0" + leaf[: -2 - 64]
        entry = entry[:-14] if what == "of type 2" else entry  # without "as submitted"
        tree = TreeHead(1, leaf_hash(entry))
        signed_so = {"checkpoint": ct_checkpoint(tree), "tile/0/000.p/1": leaf_hash(entry), "tile/data/000.p/1": leaf}
        _add(made, "TileError", f"{what}, and so it is in the tree", signed_so, "entry", 0, **CT)
    for entry in (b"a\tb\n", b"\xff\n", b"\na\n", b"a\n"):
        checkpoint = Checkpoint(SUMDB_ORIGIN, TreeHead(1, leaf_hash(entry)))
        latest = with_signatures(checkpoint, [sign(checkpoint, SUMDB_KEY)]).data
        signed_so = {"latest": latest, "tile/8/0/000.p/1": leaf_hash(entry), "tile/8/data/000.p/1": entry + b"\n"}
        _add(made, None, f"{entry!r}, and so it is in the tree", signed_so, "entry", 0, **SUMDB)


def _lookups(made: Cases) -> None:
    records = sumdb(300)
    for text in ("example.com/m1@v1.0.0", "example.com/m2@v1.0.0"):
        _add(made, "ok", text, records, "lookup", text, **SUMDB)
    for text in (
        "golang.org/x/mod@v0.36.0", "github.com/Azure/SDK@v1.0.0", "a@b", "a@v1@v2", "../a@v1", "a/../b@v1", "a//b@v1",
        "a b@v1", "a?@v1", "a%2f@v1", "@v1", "a@v", "a" * 1020 + "@v11", "a" * 1021 + "@v11", "a.b/.../c@v1", "a!b@v1",
    ):  # fmt: skip
        made.add("lookup_path", None, text[:40], text=text)
    answer = records["lookup/example.com/m1@v1.0.0"]
    for what, data in {
        "right": answer,
        "junk": b"junk",
        "no number": answer[2:],
        "a zero first": b"0" + answer,
        "no record": answer[:2] + b"\n" + answer.partition(b"\n\n")[2],
        "no checkpoint": answer.partition(b"\n\n")[0] + b"\n\n",
        "too large a number": b"9" * 19 + answer[1:],
    }.items():
        made.add("lookup", None, what, data=b64(data))
    leaf = b"\0\0" + timestamped(7)
    pre = b"\0\0" + timestamped(None, is_precert=True)
    for what, data in {
        "a certificate": leaf, "a precertificate": pre, "cut": leaf[:-1], "more": leaf + b"\0", "v2": b"\1" + leaf[1:],
        "nothing": b"", "text": b"example.com/m v1 h1:\n", "type 2": leaf[:10] + b"\0\2" + leaf[12:],
        "type 2, else a precertificate": pre[:10] + b"\0\2" + pre[12:],
        "index of 4 bytes": leaf[:-10] + opaque(2, b"\0" + opaque(2, bytes(4))),
        "two indexes": leaf[:-10] + opaque(2, (b"\0" + opaque(2, bytes(5))) * 2),
    }.items():  # fmt: skip
        made.add("ct_entry", "ok", what, entry=b64(data))


def _add(made: Cases, expect: str | None, what: str, objects: Objects, call: str, index: object, **named: str) -> None:
    name = f"{named['layout']}, {what}, {len(objects)}, {hash(tuple(objects.items()))}"
    made.logs.setdefault(name, {path: b64(data) for path, data in objects.items()})
    made.add(
        "other_log", expect, f"{named['layout']}: {what}, {call}", objects=name, call=call, index=str(index), **named
    )
