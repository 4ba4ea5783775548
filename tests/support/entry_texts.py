"""Entries of each kind, and bytes that nearly are: for the core, and for the vectors that JavaScript runs.

What is expected is computed here, from docs/entry-formats.md and docs/index-format.md, by nothing but hashlib.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from hashlib import sha256, sha512

from tests.support.attestation_texts import ATTESTATIONS
from tests.support.certificate_texts import BAD, GOOD, KEYS, SPKI, certificate, der, names
from tests.support.certificate_texts import ONE as CERTIFICATE
from tests.support.endorsement_texts import ENDORSEMENTS
from tests.support.revocation_texts import REVOCATIONS
from tests.support.signature_texts import ONE as SIGNATURE
from tests.support.signature_texts import SIGNATURES

HEX = sha256(b"").hexdigest()
SECRET = bytes(range(32))

PLAIN = f"tiletree/file/v1\nsha256 {HEX}\nsize 0\n"
DIGEST = ("sha256/1", bytes.fromhex(HEX))


def named(encoded: str) -> bytes:
    """Return what is a named digest entry if the name is well encoded."""
    return f"{PLAIN}name {encoded}\n".encode()


def r_of(entry: bytes, secret: bytes = SECRET) -> bytes:
    """Return r for a digest entry."""
    return hmac.new(secret, entry, sha256).digest()


def blinded(entry: bytes, r: bytes) -> bytes:
    """Return the blinded entry of a digest entry."""
    return b"tiletree/blind/v1\nsha256 %s\n" % sha256(b"tiletree/blind/v1\n" + r + entry).hexdigest().encode()


def rekor(
    algorithm: str = "SHA2_256", digest: bytes = bytes(32), raw: bytes = b"key", verifier: str = "publicKey"
) -> str:
    """Return an entry of Rekor v2."""
    encoded = [b64encode(part).decode() for part in (digest, b"signature", raw)]
    return (
        f'{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":"{algorithm}",'
        f'"digest":"{encoded[0]}"}},"signature":{{"content":"{encoded[1]}","verifier":{{"keyDetails":'
        f'"PKIX_ECDSA_P256_SHA_256","{verifier}":{{"rawBytes":"{encoded[2]}"}}}}}}}}}}}}'
    )


# encoded → the name
NAMES = {
    "a": "a",
    "r%C3%A9sum%C3%A9%20v2.txt": "résumé v2.txt",
    "e%CC%81": "e\u0301",  # two characters
    "%C3%A9": "é",  # one
    "-._~": "-._~",
    "...": "...",
    "%25%2B%26%3D%0A%01": "%+&=\n\x01",
    "%EF%BB%BFbom": "\ufeffbom",
    "%E2%80%AE": "\u202e",
    "%F0%9F%8C%B3": "\U0001f333",
    "x" * 255: "x" * 255,
    "%C3%A9" * 127 + "x": "é" * 127 + "x",
}
NOT_NAMES = (
    "",
    ".",
    "..",
    "a/b",
    "a%2Fb",
    "%00",
    "a%2fb",
    "%c3%a9",
    "%61",
    "%7E",
    "%2D",
    "%",
    "%4",
    "%zz",
    "a b",
    "é",
    "a+b",
    "%FF",
    "%C3",
    "%C0%AF",
    "%ED%A0%80",
    "%F5%80%80%80",
    "x" * 256,
    "%C3%A9" * 128,
    "a\nname b",
    "a\n",
)

KEY = ("key/1", sha256(b"key").digest())


def claimed(identities: list[str], issuer: str | None) -> list[tuple[str, bytes]]:
    """Return the keys that tell who signed, of what a certificate with the key SPKI says."""
    keys = [KEYS.get(one) or spelled(one) for one in identities]
    wanted = [*(one[0] for one in keys), *(part for one in keys for part in one[1:])]
    found = [("identity/1", one.encode()) for one in list(dict.fromkeys(wanted))[:64]]
    more = [] if issuer is None else [("issuer/1", issuer.replace("Token", "token").encode())]
    return [("key/1", sha256(SPKI).digest()), *found, *more]


def spelled(text: str) -> list[str]:
    """Return the keys of an identity that is no row of KEYS."""
    if text.startswith("x://"):
        return [text, "x://", *("x://" + "/" * count for count in range(1, 100))]
    return [text, *(["@" + text.rpartition("@")[2]] if "@" in text else [])]


def endorsed(entry: bytes, origin: str) -> list[tuple[str, bytes]]:
    """Return the keys of an endorsement: those of raw bytes, and the origin."""
    digests = [("sha256/1", sha256(entry).digest()), ("sha512/1", sha512(entry).digest())]
    return [*digests, ("origin/1", origin.encode())]


# bytes → its keys besides leaf/1; None: those of a raw entry
ENTRIES: dict[bytes, list[tuple[str, bytes]] | None] = {
    PLAIN.encode(): [DIGEST],
    PLAIN.replace("size 0", f"size {2**63 - 1}").encode(): [DIGEST],
    **{named(encoded): [DIGEST, ("name/1", name.encode())] for encoded, name in NAMES.items()},
    **{named(encoded): None for encoded in NOT_NAMES},
    PLAIN.replace("size 0", f"size {2**63}").encode(): None,
    PLAIN.replace("size 0", "size 00").encode(): None,
    PLAIN.replace("size 0", "size +0").encode(): None,
    PLAIN.replace("size 0", "size \u0660").encode(): None,
    PLAIN.replace(HEX, HEX.upper()).encode(): None,
    PLAIN.replace(HEX, HEX[:-1]).encode(): None,
    PLAIN.replace("v1", "v2").encode(): None,
    PLAIN.replace("\n", "\r\n").encode(): None,
    PLAIN[:-1].encode(): None,
    PLAIN.encode() + b"\n": None,
    b"\xef\xbb\xbf" + PLAIN.encode(): None,
    PLAIN.encode() + b"name \xff\n": None,
    blinded(PLAIN.encode(), bytes(32)): [],
    blinded(PLAIN.encode(), bytes(32))[:-1]: None,
    blinded(PLAIN.encode(), bytes(32)).upper(): None,
    blinded(PLAIN.encode(), bytes(32)) + b"name a\n": None,
    rekor().encode(): [("sha256/1", bytes(32)), KEY],
    rekor(raw=CERTIFICATE).encode(): [("sha256/1", bytes(32)), ("key/1", sha256(CERTIFICATE).digest())],
    rekor("SHA2_512", bytes(64), verifier="x509Certificate").encode(): [("sha512/1", bytes(64))],
    **{rekor(verifier="x509Certificate", raw=one).encode(): [("sha256/1", bytes(32))] for one in BAD[3:10]},
    **{
        rekor(verifier="x509Certificate", raw=one).encode(): [("sha256/1", bytes(32)), *claimed(*said)]
        for one, said in GOOD.items()
        if SPKI in one
    },
    **{
        rekor(verifier="x509Certificate", raw=certificate(names(der(0x81, one.encode())))).encode(): [
            ("sha256/1", bytes(32)),
            *claimed([one], None),
        ]
        for one in KEYS
    },
    rekor("SHA2_384", bytes(48)).encode(): [KEY],
    rekor("SHA2_512").encode(): None,
    rekor("SHA2_256", bytes(31)).encode(): None,
    rekor("SHA1", bytes(20)).encode(): None,
    rekor("MD5", bytes(32)).encode(): None,
    rekor(raw=b"").encode(): None,
    rekor(verifier="publicKeys").encode(): None,
    rekor().replace('":', '": ', 1).encode(): None,
    rekor().replace("AA=", "AB=", 1).encode(): None,  # the same bytes, in base64 that is not canonical
    rekor().replace("0.0.2", "0.0.1").encode(): None,
    rekor().replace("0.0.2", "0x0y2").encode(): None,
    rekor().replace("PKIX", "pkix").encode(): None,
    rekor().replace("PKIX_ECDSA_P256_SHA_256", "P" * 64).encode(): [("sha256/1", bytes(32)), KEY],
    rekor().replace("PKIX_ECDSA_P256_SHA_256", "P" * 65).encode(): None,
    rekor().encode() + b"\n": None,
    **dict.fromkeys(ATTESTATIONS),
    **{entry: None if what is None else [("revoked/1", what.encode())] for entry, what in REVOCATIONS.items()},
    **SIGNATURES,
    **{entry: None if origin is None else endorsed(entry, origin) for entry, origin in ENDORSEMENTS.items()},
    b"": None,
    b"\n": None,
    b"hello": None,
    bytes(range(256)): None,
}


def keys_of(entry: bytes) -> list[tuple[str, bytes]]:
    """Return all keys that an entry of the table has."""
    more = ENTRIES[entry]
    raw = [("sha256/1", sha256(entry).digest()), ("sha512/1", sha512(entry).digest())]
    raw += [("subject/1", bytes.fromhex(digest)) for digest in ATTESTATIONS.get(entry, [])]
    return [("leaf/1", sha256(b"\0" + entry).digest()), *(raw if more is None else more)]


def extra(entry: bytes, *lines: str) -> bytes:
    """Return extra data of a proof file, with more lines after the entry."""
    return "".join(f"{line}\n" for line in ("tiletree/extra/v1", f"entry {b64(entry)}", *lines)).encode()


def b64(data: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(data).decode()


_R = r_of(PLAIN.encode())
_HIDDEN = blinded(PLAIN.encode(), _R)
OTHER = PLAIN.replace("size 0", "size 1").encode()

# what leads to an entry of the empty file
LEADING = {
    "digest": (extra(PLAIN.encode()), PLAIN.encode()),
    "signature": (extra(SIGNATURE.encode()), SIGNATURE.encode()),
    "named": (extra(named("%C3%A9")), named("%C3%A9")),
    "longest name": (extra(named("%C3%A9" * 127)), named("%C3%A9" * 127)),
    "blinded": (extra(_HIDDEN, f"blinding {b64(_R)}"), _HIDDEN),
    "blinded by any 32 bytes": (extra(blinded(PLAIN.encode(), bytes(32)), f"blinding {b64(bytes(32))}"),
                                blinded(PLAIN.encode(), bytes(32))),
}  # fmt: skip
# what does not
IGNORED = {
    "nothing": b"",
    "other bytes": b"\xff\xfe",
    "another title": extra(PLAIN.encode()).replace(b"v1", b"v2", 1),
    "another size": extra(OTHER),
    "another digest": extra(PLAIN.replace(HEX, "0" * 64).encode()),
    "a malformed name": extra(named("%61")),
    "raw bytes": extra(b""),
    "blinded without r": extra(_HIDDEN),
    "digest with r": extra(PLAIN.encode(), f"blinding {b64(_R)}"),
    "another r": extra(_HIDDEN, f"blinding {b64(bytes(32))}"),
    "short r": extra(blinded(PLAIN.encode(), bytes(31)), f"blinding {b64(bytes(31))}"),
    "blinded of another file": extra(blinded(OTHER, r_of(OTHER)), f"blinding {b64(r_of(OTHER))}"),
    "blinded of the name": extra(blinded(named("a"), _R), f"blinding {b64(_R)}"),
    "no newline": extra(PLAIN.encode())[:-1],
    "one more newline": extra(PLAIN.encode()) + b"\n",
    "signature of another file": extra(SIGNATURE.replace(HEX, "ab" * 32).encode()),
    "nearly a signature": extra(SIGNATURE[:-1].encode()),
    "signature, and r": extra(SIGNATURE.encode(), f"blinding {b64(_R)}"),
    "two entries": extra(PLAIN.encode(), f"entry {b64(PLAIN.encode())}"),
    "two r": extra(_HIDDEN, f"blinding {b64(_R)}", f"blinding {b64(_R)}"),
    "r first": b"tiletree/extra/v1\nblinding %s\nentry %s\n" % (b64(_R).encode(), b64(_HIDDEN).encode()),
    "base64 that is not canonical": extra(PLAIN.encode()).replace(b"entry ", b"entry  "),
    "too long": extra(bytes(4096)),
}
