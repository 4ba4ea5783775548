"""Vectors of docs/entry-formats.md and docs/index-format.md: the keys of entries, and index heads."""

from __future__ import annotations

from tests.support import certificate_texts, entry_texts, index_texts, revocation_texts, signature_texts
from tests.support.entry_texts import b64
from tests.support.web_answers import Cases


def add_to(made: Cases) -> None:
    """Add entries with their keys, extra data of proof files, index heads and live runs."""
    for entry in entry_texts.ENTRIES:
        made.add("keys", "ok", repr(entry[:60]), entry=b64(entry))
    for name in ("a", "résumé v2.txt", "e\u0301", "\u1e9b\u0323", "..", "a/b", "", "x" * 256, "\U0001f333"):
        made.add("digest_entry", "ok", f"named {name[:20]}", data=b64(b"content"), name=name)
    for what, extra in {
        **{name: data for name, (data, _) in entry_texts.LEADING.items()},
        **entry_texts.IGNORED,
    }.items():
        made.add("entry_of", "ok", what, extra=b64(extra), sha256=entry_texts.HEX, size=0)
    for what, text in index_texts.HEADS.items():
        made.add("index_head", "ok", what, data=b64(text))
    for what, text in index_texts.NOT_HEADS.items():
        made.add("index_head", "Malformed", what, data=b64(text))
    _add_certificates(made)
    _add_signed(made)
    for covered in (0, 4096, 16384, 20480, 999_424, 2**48 - 4096, 2**48):
        made.add("live_runs", "ok", str(covered), covered=str(covered))
    for covered in (-4096, 1, 4095, 4097, 2**48 + 4096):
        made.add("live_runs", "UsageError", str(covered), covered=str(covered))
    for kind, value in (
        ("leaf/1", bytes(32)),
        ("name/1", "é".encode()),
        ("name/1", b""),
        ("name/11", b""),
        ("a.b/1", b"x"),
    ):
        made.add("key_prefix", "ok", kind, kind=kind, value=b64(value))


def _add_signed(made: Cases) -> None:
    for number, entry in enumerate(revocation_texts.REVOCATIONS):
        made.add("revocation", "ok", f"{number}: {entry[23:60]!r}", entry=b64(entry))
    for number, entry in enumerate(signature_texts.SIGNATURES):
        made.add("signer", "ok", f"{number}: {entry[22:60]!r}", entry=b64(entry))


def _add_certificates(made: Cases) -> None:
    for number, data in enumerate((*certificate_texts.GOOD, *certificate_texts.BAD, *certificate_texts.damaged(400))):
        made.add("certificate", "ok", f"{number}: {data[-20:].hex()}", data=b64(data))
    for identity in certificate_texts.KEYS:
        made.add("identity_keys", "ok", identity, identities=[identity, "Another@identity.example"])
