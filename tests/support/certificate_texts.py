"""Certificates made element by element, good ones and ones that break a rule, for Python and for JavaScript.

What is expected is written down here, from docs/index-format.md, "Certificates" and "Identities".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

Claims = tuple[list[str], str | None]  # identities as they are written, and the issuer

SPKI = bytes.fromhex("300a300506032b6570030100")
FULCIO = bytes.fromhex("2b0601040183bf3001")
NAMES, ISSUER, OLD_ISSUER, USER = bytes.fromhex("551d11"), FULCIO + b"\x08", FULCIO + b"\x01", FULCIO + b"\x07"

MAIL, WORKFLOW = b"Dev@Example.com", b"https://GitHub.com/Org/repo/.github/workflows/release.yml@refs/heads/main"
SPIFFE, OIDC = b"spiffe://Example.org/ns/build", b"https://Token.actions.githubusercontent.com"


def der(tag: int, *contents: bytes) -> bytes:
    """Return an element."""
    content = b"".join(contents)
    size = len(content)
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, *([size] if size < 0x80 else [0x80 + len(digits), *digits])]) + content


def extension(name: bytes, value: bytes, *critical: bytes) -> bytes:
    """Return an extension."""
    return der(0x30, der(0x06, name), *critical, der(0x04, value))


def names(*elements: bytes) -> bytes:
    """Return the extension that has a certificate's names."""
    return extension(NAMES, der(0x30, *elements), b"\x01\x01\xff")


def user(name: bytes, kind: bytes = USER, text: int = 0x0C) -> bytes:
    """Return the name of a user, as Fulcio writes it."""
    return der(0xA0, der(0x06, kind), der(0xA0, der(text, name)))


def issuer(text: bytes, name: bytes = ISSUER) -> bytes:
    """Return the extension that names the issuer of an identity."""
    return extension(name, der(0x0C, text))


VERSION = bytes.fromhex("a003020102")
TIMES = der(0x30, der(0x17, b"250101000000Z"), der(0x18, b"20500228235959Z"))
PARTS = (der(0x02, b"\x01"), der(0x30), der(0x30), TIMES, der(0x30), SPKI)


def certificate(
    *extensions: bytes, version: bytes = VERSION, parts: tuple[bytes, ...] = PARTS, after: bytes = b"", end: bytes = b""
) -> bytes:
    """Return a certificate; after: what stands before its extensions; end: behind its last element."""
    more = der(0xA3, der(0x30, *extensions)) if extensions else b""
    return der(0x30, der(0x30, version, *parts, after, more), der(0x30), der(0x03, b"\0sig"), end)


def _with(place: int, *parts: bytes) -> bytes:
    return certificate(parts=(*PARTS[:place], *parts, *PARTS[place + 1 :]))


_MAIL, _WORKFLOW, _SPIFFE = der(0x81, MAIL), der(0x86, WORKFLOW), der(0x86, SPIFFE)
ONE = certificate(names(_MAIL), issuer(OIDC))
_ONE: Claims = (["Dev@Example.com"], OIDC.decode())
_PASSED_OVER = (der(0x81), der(0x81, b"a b"), der(0x81, b"\xc3\xa9@x"), der(0x86, b"a\0"))
_LONG = b"a@" + b"x" * 1022

# certificates → what they say
GOOD: dict[bytes, Claims] = {
    certificate(): ([], None),
    certificate(version=b""): ([], None),
    certificate(der(0x30, der(0x06, b"\x2a"), der(0x04))): ([], None),
    ONE: _ONE,
    certificate(names(_MAIL), issuer(OIDC), after=der(0x81, b"\0id") + der(0x82, b"\0id")): _ONE,
    certificate(names(_MAIL), issuer(OIDC), after=der(0x82, b"\0id")): _ONE,
    certificate(names(_WORKFLOW, _SPIFFE, _MAIL)): ([WORKFLOW.decode(), SPIFFE.decode(), MAIL.decode()], None),
    certificate(names()): ([], None),
    certificate(names(der(0x82, b"example.com"), der(0x87, bytes(4)), der(0xA4, der(0x30)), der(0x05))): ([], None),
    certificate(names(user(b"Ann!Example.com"), user(b"nobody", bytes.fromhex("2a03")))): (["Ann!Example.com"], None),
    certificate(names(der(0xA0, der(0x06, b"\x2a"), b"\x05\x00\x05\x00"))): ([], None),
    certificate(names(*_PASSED_OVER, _MAIL)): (
        _ONE[0],
        None,
    ),
    certificate(names(der(0x81, _LONG), der(0x81, _LONG + b"x"))): ([_LONG.decode()], None),
    certificate(extension(OLD_ISSUER, OIDC)): ([], OIDC.decode()),
    certificate(extension(OLD_ISSUER, b"old"), issuer(OIDC)): ([], OIDC.decode()),
    certificate(extension(OLD_ISSUER, b"old"), issuer(b"a b")): ([], None),
    certificate(extension(OLD_ISSUER, b"")): ([], None),
    certificate(issuer(OIDC) * 1, extension(b"\x2a", b"") * 2): ([], OIDC.decode()),
    certificate(*[names(*[der(0x81, b"%d@example.com" % number) for number in range(70)])]): (
        [f"{number}@example.com" for number in range(70)],
        None,
    ),
    certificate(names(der(0x86, b"x://" + b"/" * 100), _MAIL)): (["x://" + "/" * 100, MAIL.decode()], None),
    _with(3, der(0x30, b"no times")): ([], None),
    _with(5, der(0x30, bytes(70_000))): ([], None),
}

BAD: tuple[bytes, ...] = (
    b"",
    b"\x30",
    b"\x30\x80\x00\x00",
    ONE + b"\0",
    ONE[:-1],
    b"\x31" + ONE[1:],
    certificate(end=der(0x05)),
    certificate(version=bytes.fromhex("a003020101")),
    certificate(version=bytes.fromhex("a003020100")),
    certificate(version=bytes.fromhex("a00402020002")),
    certificate(after=der(0x82, b"") + der(0x81, b"")),
    certificate(after=der(0x81) * 2),
    certificate(after=der(0xA3, der(0x30)) * 2),
    certificate(after=der(0xA3)),
    certificate(after=der(0xA3, der(0x31))),
    certificate(after=der(0xA3, der(0x30), der(0x30))),
    *(_with(place) for place in range(6)),
    *(_with(place, der(0x31)) for place in range(6)),
    certificate(names(_MAIL), names(_MAIL)),
    certificate(issuer(OIDC), issuer(OIDC)),
    certificate(extension(OLD_ISSUER, b"") * 2),
    certificate(der(0x30)),
    certificate(der(0x31, der(0x06), der(0x04))),
    certificate(der(0x30, der(0x06, NAMES))),
    certificate(der(0x30, der(0x04), der(0x06, b"\x2a"))),
    certificate(der(0x30, der(0x06, b"\x2a"), der(0x04), der(0x01, b"\0"))),
    certificate(extension(NAMES, b"")),
    certificate(extension(NAMES, der(0x31))),
    certificate(extension(NAMES, der(0x30) * 2)),
    certificate(extension(NAMES, der(0x30, b"\x81"))),
    certificate(names(b"\x81\x05a@b")),
    certificate(names(b"\x81\x81\x03a@b")),  # not the shortest length
    certificate(names(b"\x81\x82\x00\x03a@b")),
    certificate(names(b"\x81\x82\x00\x80" + b"a" * 128)),
    certificate(names(b"\x81\x80a@b\0\0")),
    certificate(names(b"\x81\x84\x00\x00\x00\x80" + b"a" * 128)),
    certificate(names(b"\x81\x84\x01\x00\x00\x80" + b"a" * 128)),
    certificate(names(b"\x81\xff")),
    certificate(names(b"\x9f\x01\x01a")),  # a tag of more bytes
    certificate(names(b"\xbf\x81\x01\x00")),
    certificate(names(der(0xA0))),
    certificate(names(der(0xA0, der(0x0C)))),
    certificate(names(der(0xA0, der(0x06, USER)))),
    certificate(names(user(b"ann", text=0x16))),
    certificate(names(der(0xA0, der(0x06, USER), der(0xA0, der(0x0C), der(0x0C))))),
    certificate(names(der(0xA0, der(0x06, USER), der(0xA0, der(0x0C)), der(0x05)))),
    certificate(extension(ISSUER, OIDC)),
    certificate(extension(ISSUER, b"")),
    certificate(extension(ISSUER, der(0x16, OIDC))),
    certificate(extension(ISSUER, der(0x0C, OIDC) + b"\0")),
)

# identity as it is written → its keys
KEYS: dict[str, list[str]] = {
    "Dev@Example.com": ["dev@example.com", "@example.com"],
    "a@b@C": ["a@b@c", "@c"],
    "@Example.com": ["@example.com"],
    "a@": ["a@", "@"],
    "Ann!Example.com": ["Ann!Example.com"],
    WORKFLOW.decode(): [
        "https://github.com/Org/repo/.github/workflows/release.yml@refs/heads/main",
        "https://github.com",
        "https://github.com/Org",
        "https://github.com/Org/repo",
        "https://github.com/Org/repo/.github",
        "https://github.com/Org/repo/.github/workflows",
        "https://github.com/Org/repo/.github/workflows/release.yml",
        "https://github.com/Org/repo/.github/workflows/release.yml@refs",
        "https://github.com/Org/repo/.github/workflows/release.yml@refs/heads",
    ],
    SPIFFE.decode(): ["spiffe://example.org/ns/build", "spiffe://example.org", "spiffe://example.org/ns"],
    "HTTPS://User@Host.example:443": ["https://user@host.example:443"],
    "https://a/": ["https://a/", "https://a"],
    "https://a//B?C#D": ["https://a//B?C#D", "https://a", "https://a/", "https://a//B", "https://a//B?C"],
    "https://A?b": ["https://a?b", "https://a"],
    "file:///X": ["file:///X", "file://"],
    "x+y.z-1://H/p": ["x+y.z-1://h/p", "x+y.z-1://h"],
    "1x://H": ["1x://H"],
    "://H@X": ["://h@x", "@x"],
    "mailto:A@B": ["mailto:a@b", "@b"],
    "urn:X:y": ["urn:X:y"],
}


def damaged(count: int, seeds: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Yield certificates with a byte or a few that were changed, taken out or put in: many are none any more."""
    chance = Random(5280)
    seeds = seeds or [one for one in GOOD if len(one) < 1000]
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at = chance.randrange(len(data))
            what = chance.randrange(4)
            if what == 0:
                data[at] = chance.randrange(256)
            elif what == 1:
                data[at] ^= 1 << chance.randrange(8)
            elif what == 2:
                del data[at]
            else:
                data.insert(at, chance.choice((0, 0x30, 0x80, 0x81, 0x82, 0xA0, 0x06, 0x0C)))
        yield bytes(data)
