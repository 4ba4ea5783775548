"""Logs as other people have them, made here: a checksum database of Go, and a log of certificates."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.support.signed_text import TREE, key
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.keys import SignatureType, VerifierKey, signing_key
from tiles.notes.note import Signature
from tiles.records.paths import issuer_path
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, parse_tile_path
from tiles.tree.merkle import TreeHead
from tiles.write.sequencer import Sequencer

SUMDB_ORIGIN = "go.sum database tree"
SUMDB_KEY = key("sumdb.example.com", 40)
CT_ORIGIN = "ct.example.com/2026h1"
CT_ISSUER = b"a"  # stands for a certificate: nothing looks into it
Objects = dict[str, bytes]

_NOW = datetime(2026, 3, 1, tzinfo=UTC)


def record(index: int) -> bytes:
    """Return a record of a checksum database."""
    module = f"example.com/m{index}"
    return f"{module} v1.0.0 h1:{'A' * 43}=\n{module} v1.0.0/go.mod h1:{'B' * 43}=\n".encode()


@cache
def ct_private() -> ec.EllipticCurvePrivateKey:
    """Return the key of a log of certificates."""
    return ec.derive_private_key(4242, ec.SECP256R1())


def spki(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Return the public half of a key."""
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ct_key(name: str = CT_ORIGIN) -> VerifierKey:
    """Return the verifier key of that log."""
    return VerifierKey(name, SignatureType.RFC6962, spki(ct_private()))


@cache
def certificate(*names: str) -> x509.Certificate:
    """Return a certificate for names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    return (
        x509.CertificateBuilder(subject, subject, ct_private().public_key(), 77, _NOW, _NOW + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(ct_private(), SHA256())
    )


def opaque(size: int, data: bytes) -> bytes:
    """Return bytes behind their length."""
    return len(data).to_bytes(size, "big") + data


def timestamped(index: int | None, *, is_precert: bool = False, cert: bytes | None = None) -> bytes:
    """Return a TimestampedEntry; index: in its leaf_index extension, if any."""
    found = certificate(f"{'pre' if is_precert else 'host'}.example.com", "www.example.com")
    der = cert if cert is not None else found.tbs_certificate_bytes if is_precert else found.public_bytes(Encoding.DER)
    extensions = b"" if index is None else b"\0" + opaque(2, index.to_bytes(5, "big"))
    head = (1_772_323_200_123 + (index or 0)).to_bytes(8, "big")
    kind = b"\0\1" + sha256(b"issuer key").digest() if is_precert else b"\0\0"
    return head + kind + opaque(3, der) + opaque(2, extensions)


def tile_leaf(index: int | None, *, is_precert: bool = False, cert: bytes | None = None) -> bytes:
    """Return a TileLeaf."""
    pre = opaque(3, b"as submitted") if is_precert else b""
    return timestamped(index, is_precert=is_precert, cert=cert) + pre + opaque(2, sha256(CT_ISSUER).digest() * 2)


def tree_head_signature(tree: TreeHead, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, time: int) -> bytes:
    """Return an RFC6962NoteSignature (static-ct-api, "Checkpoints")."""
    message = b"\0\1" + time.to_bytes(8, "big") + tree.size.to_bytes(8, "big") + tree.root
    if isinstance(private, rsa.RSAPrivateKey):
        return time.to_bytes(8, "big") + b"\4\1" + opaque(2, private.sign(message, padding.PKCS1v15(), SHA256()))
    return time.to_bytes(8, "big") + b"\4\3" + opaque(2, private.sign(message, ec.ECDSA(SHA256())))


HEAD_TIME = 1_772_323_300_000  # milliseconds
GOOD_HEAD = tree_head_signature(TREE, ct_private(), HEAD_TIME)
WRONG_HEADS = {
    "another time": (HEAD_TIME + 1).to_bytes(8, "big") + GOOD_HEAD[8:],
    "cut short": GOOD_HEAD[:-1],
    "something behind it": GOOD_HEAD + b"\0",
    "another hash": GOOD_HEAD[:8] + b"\2" + GOOD_HEAD[9:],
    "another algorithm": GOOD_HEAD[:9] + b"\1" + GOOD_HEAD[10:],
    "no algorithm": GOOD_HEAD[:9] + b"\7" + GOOD_HEAD[10:],
    "empty": GOOD_HEAD[:10] + opaque(2, b""),
    "a byte": b"\0",
    "of another tree": tree_head_signature(TreeHead(TREE.size + 1, TREE.root), ct_private(), HEAD_TIME),
}


def _relaid(
    leaves: Sequence[bytes], bundle: Callable[[int, int], bytes], tiles: str, data: str
) -> tuple[Objects, TreeHead]:
    public = MemoryStore()
    sequencer = Sequencer(public, MemoryStore(), Signer(signing_key("maker.example.com", bytes(32)), MemoryStore()))
    sequencer.create()
    sequencer.append(list(leaves))
    tree = parse_signed_checkpoint(public.read("checkpoint").data).tree
    found: Objects = {}
    for listed in public.list("tile/"):
        tile = parse_tile_path(listed.path)
        content = public.read(listed.path).data
        if tile.level == ENTRIES:
            assert len(parse_bundle(content, tile.width)) == tile.width
            start = tile.index * 256
            found[f"{data}/{listed.path.removeprefix('tile/entries/')}"] = bundle(start, start + tile.width)
        else:
            found[f"{tiles}/{listed.path.removeprefix('tile/')}"] = content
    return found, tree


@cache
def _sumdb(size: int) -> tuple[Objects, TreeHead]:
    records = [record(index) for index in range(size)]
    return _relaid(
        records,
        lambda start, stop: b"".join(each + b"\n" for each in records[start:stop]),
        "tile/8",
        "tile/8/data",
    )


def sumdb(size: int) -> Objects:
    """Return the objects of a checksum database, its lookups included."""
    found, tree = _sumdb(size)
    checkpoint = Checkpoint(SUMDB_ORIGIN, tree)
    line = Signature(SUMDB_KEY.name, SUMDB_KEY.verifier.key_id, SUMDB_KEY.sign(checkpoint.text))
    latest = with_signatures(checkpoint, [line]).data
    lookups = {
        f"lookup/example.com/m{index}@v1.0.0": f"{index}\n".encode() + record(index) + b"\n" + latest
        for index in range(min(size, 3))
    }
    return {**found, "latest": latest, **lookups}


@cache
def _ct(size: int) -> tuple[Objects, TreeHead]:
    kinds = [index % 3 == 1 for index in range(size)]
    leaves = [b"\0\0" + timestamped(index, is_precert=is_precert) for index, is_precert in enumerate(kinds)]
    return _relaid(
        leaves,
        lambda start, stop: b"".join(tile_leaf(index, is_precert=kinds[index]) for index in range(start, stop)),
        "tile",
        "tile/data",
    )


def ct_checkpoint(tree: TreeHead, origin: str = CT_ORIGIN) -> bytes:
    """Return the checkpoint of that log."""
    signature = tree_head_signature(tree, ct_private(), 1_772_323_300_000)
    line = Signature(origin, ct_key(origin).key_id, signature)
    return with_signatures(Checkpoint(origin, tree), [line]).data


def static_ct(size: int) -> Objects:
    """Return the objects of a log of certificates; each third entry is of a precertificate."""
    found, tree = _ct(size)
    return {**found, issuer_path(sha256(CT_ISSUER).digest()): CT_ISSUER, "checkpoint": ct_checkpoint(tree)}


def log_list_key() -> str:
    """Return the key as a list of logs has it."""
    return b64encode(spki(ct_private())).decode()
