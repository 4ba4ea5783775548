"""What strangers bring to a page: keys that nobody knows, entries that are to spoil others."""

from __future__ import annotations

from base64 import b64encode

from tests.support.browser import Site
from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG
from tests.support.web_logs import HELLO, log_of, proof_of

# ---- a log, a proof and a link by a key that nobody knows

OURS, THEIRS = LOG.verifier.vkey, OTHER_KEY.verifier.vkey  # of one origin
EVIL = log_of([b"x", HELLO, b"y"], OTHER_KEY)
EVIL_TOO = log_of([b"a", b"b", b"c"], OTHER_KEY)
EVIL_PROOF = proof_of(EVIL, 1, OTHER_KEY)


def policy_of(*logs: str) -> bytes:
    """Return a policy that names these keys of logs."""
    return b"".join(f"log {one}\n".encode() for one in logs) + b"quorum none\n"


def all_the_same(one: Site) -> None:
    """Take the key of the link."""
    one.page.click("#head button:has-text('all the same')")
    one.page.wait_for_selector("#head .card:not(:has(button:has-text('all the same')))")


# ---- entries

HOSTILE = [
    b"<img src=x onerror=\"document.title='owned'\">",
    b"<script>document.title='owned'</script>",
    "\u202e✓ Verified by the log\u202c\u200b".encode(),
    b"\0\x1b[2J\xff\xfe",
    b"x" * 65_535,
    b"",
    b'{"kind":"<img src=x onerror=alert(1)>","__proto__":{"a":1},"spec":null}',
    b'{"kind":"hashedrekord","spec":{"signature":{"verifier":{"x509Certificate":{"rawBytes":"BgNVHREEAf8w"}}}}}',
    b"\xef\xbb\xbftiletree/file/v1\nsha256 " + b"0" * 64 + b"\nsize 1\n",
    b"javascript:alert(1)",
    '{"kind":"rekord","spec":{"\u202eturned":{"algorithm":"sha256","value":"\u202e"}}}'.encode(),
    b'{"kind":"%s"}' % (b"W" * 60),  # a word that is wider than a phone
]

# a subjectAltName of 14,000 e-mail addresses of one letter
NAMES = b"\x06\x03\x55\x1d\x11\x04\x83\0\xa4\x15\x30\x83\0\xa4\x10" + b"\x81\x01a" * 14_000
REKOR = b'{"kind":"hashedrekord","apiVersion":%s,"spec":%s}'
SPOILING = {  # what goes wrong where it is described
    "an object for a version": REKOR % (b"{}", b"{}"),
    "a version that is no text": REKOR % (b'{"toString":1,"valueOf":1}', b"null"),
    "a list of lists for a version": REKOR % (b"[" * 20_000 + b"]" * 20_000, b"{}"),
    "brackets in brackets": b"[" * 32_767 + b"]" * 32_767,
    "objects in objects": b'{"a":' * 9000 + b"1" + b"}" * 9000,
    "a kind without an end": b'{"kind":"%s"}' % (b"k" * 60_000),
    "numbers everywhere": b'{"kind":"hashedrekord","spec":7}',
    "a digest of lists": REKOR % (b'"1"', b'{"data":{"digest":[],"hash":{"value":{}}}}'),
    "names without an end": REKOR
    % (b'"1"', b'{"signature":{"verifier":{"x509Certificate":{"rawBytes":"%s"}}}}' % b64encode(NAMES)),
}
