"""Signatures by SSH, minisign and OpenPGP: files that their tools have made, entries, and bytes that nearly are."""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from hashlib import blake2b, sha256, sha512
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

os.environ["RUST_LIB_BACKTRACE"] = "0"  # PySequoia's errors cost ten times as much with one

FOLDER = Path(__file__).parents[1] / "vectors" / "signatures"
DATA = b"test"  # what the files in the folder are over, but for those of OpenSSH's own tests
OPENSSH_DATA, OPENSSH_NAMESPACE = b"This is a test, this is only a test", b"unittest"
DIGEST = sha256(b"").digest()


def stored(name: str) -> bytes:
    """Return a file of the folder."""
    return (FOLDER / name).read_bytes()


# format, file with the key, file with the signature
GOOD = [
    *(
        ("ssh", f"ssh_{name}.pub", f"ssh_{name}.sig")
        for name in ("ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa2048")
    ),
    ("ssh", "ssh_ed25519.pub", "ssh_ed25519_sha256.sig"),
    ("minisign", "minisign.pub", "minisign_prehashed.minisig"),
    ("minisign", "minisign.pub", "minisign_legacy.minisig"),
    ("pgp", "pgp_ed25519.pub", "pgp_ed25519.asc"),
    ("pgp", "pgp_rsa.pub", "pgp_rsa.asc"),
]


def text(format_: str, *digests: str, key: bytes = b"key", signature: bytes = b"signature") -> str:
    """Return what is an entry if its parts are right."""
    lines = [f"format {format_}", f"sha256 {DIGEST.hex()}", *digests]
    lines += [f"key {b64encode(key).decode()}", f"signature {b64encode(signature).decode()}"]
    return "".join(f"{line}\n" for line in ("tiletree/signature/v1", *lines))


def packet(body: bytes, *length: int) -> bytes:
    """Return an OpenPGP packet with a public key. length: as written"""
    return bytes([0xC6, *length]) + body


S512, B512 = f"sha512 {sha512(b'').hexdigest()}", f"blake2b512 {'ab' * 64}"
CLAIMED = ("sha256/1", DIGEST)
KEY = ("key/1", sha256(b"key").digest())
MINISIGN_KEY = b"Ed" + bytes(range(0xA1, 0xA9)) + bytes(32)
ONE = text("ssh")
_SHORT, _LONG = bytes(range(191)), bytes(191) + b"\x01"  # bodies of lengths that take one octet and two

# what is in it → the value of key/1; None: it is no primary key
PRIMARY: dict[bytes, bytes | None] = {
    packet(_SHORT, 191): _SHORT,
    packet(_SHORT, 191) + b"more": _SHORT,
    packet(_LONG, 192, 0): _LONG,
    packet(bytes(8383), 223, 255): bytes(8383),
    packet(b"x", 1): b"x",
    packet(b"", 0): None,
    packet(_SHORT, 192): None,
    packet(_LONG, 192, 1): None,
    packet(bytes(8383), 224, 255): None,
    packet(bytes(8639), 224, 255): None,
    packet(bytes(4), 255, 0, 0, 0, 4): None,
    b"\xc6": None,
    b"\xc6\xc0": None,
    b"\x99\x00\x01x": None,
    b"\xc2\x01x": None,
}

# entry → its keys besides leaf/1; None: it is raw
SIGNATURES: dict[bytes, list[tuple[str, bytes]] | None] = {
    ONE.encode(): [CLAIMED, KEY],
    text("ssh", S512).encode(): [CLAIMED, ("sha512/1", sha512(b"").digest()), KEY],
    text("minisign").encode(): [CLAIMED, KEY],
    text("minisign", B512).encode(): [CLAIMED, KEY],
    text("minisign", key=MINISIGN_KEY).encode(): [CLAIMED, ("key/1", sha256(MINISIGN_KEY).digest())],
    text("pgp").encode(): [CLAIMED],
    **{
        text("pgp", key=key).encode(): [CLAIMED, *([] if body is None else [("key/1", sha256(body).digest())])]
        for key, body in PRIMARY.items()
    },
    text("ssh", key=bytes(32_768), signature=bytes(12_288)).encode(): [
        CLAIMED,
        ("key/1", sha256(bytes(32_768)).digest()),
    ],
    text("ssh", key=bytes(32_769)).encode(): None,
    text("ssh", signature=bytes(12_289)).encode(): None,
    text("ssh", key=b"").encode(): None,
    text("ssh", signature=b"").encode(): None,
    text("ssh", B512).encode(): None,
    text("minisign", S512).encode(): None,
    text("pgp", S512).encode(): None,
    text("pgp", B512).encode(): None,
    text("ssh", S512, S512).encode(): None,
    text("ssh", S512[:-1]).encode(): None,
    text("ssh", S512.upper().replace("SHA512", "sha512")).encode(): None,
    text("x509").encode(): None,
    ONE.replace(DIGEST.hex(), DIGEST.hex()[:-2]).encode(): None,
    ONE.replace("sha256", "sha512").encode(): None,
    ONE.replace("v1", "v2").encode(): None,
    ONE.replace("\n", "\r\n").encode(): None,
    ONE.replace("key ", "key  ").encode(): None,
    ONE.replace("key a2V5", "key a2V5=").encode(): None,
    text("ssh", key=b"k").replace("aw==", "ax==").encode(): None,  # the same byte, in base64 that is not canonical
    ONE[:-1].encode(): None,
    ONE.encode() + b"\n": None,
    b"\xef\xbb\xbf" + ONE.encode(): None,
    ONE.replace("a2V5", "a2V\u0665").encode(): None,
    ONE.encode().replace(b"a2V5", b"a2V\xff"): None,
}


def minisign_files(data: bytes, comment: str) -> tuple[bytes, bytes]:
    """Return the files of a key of minisign, and of its signature over some data."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    first = private.sign(blake2b(data).digest())
    lines = [b64encode(b"ED" + bytes(8) + first), b64encode(private.sign(first + comment.encode()))]
    head = b"untrusted comment: \n"
    key = head + b64encode(b"Ed" + bytes(8) + private.public_key().public_bytes_raw())
    return key, head + b"\n".join([lines[0], f"trusted comment: {comment}".encode(), lines[1]])


def blob(name: str) -> bytes:
    """Return what is armored in a file of the folder, or in base64 in a line of it: by nothing that is tested."""
    data = stored(name).decode()
    if name.endswith(".pub"):
        return b64decode(data.split(" ")[1])
    return b64decode(re.sub(r"-----.*?-----|\s", "", data))
