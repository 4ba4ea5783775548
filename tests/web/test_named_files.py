"""Files that were logged with their names, or blinded: found by the file, or by what a proof says of exactly it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tests.support.browser import Chromium, site
from tests.support.web_logs import FILE, POLICY, log_of, proof_of
from tiles.entries.blinded import blinded_entry
from tiles.entries.file_digest import DigestEntry
from tiles.entries.proof_extra import ProofExtra
from tiles.notes.tlog_proof import parse_tlog_proof

pytest_plugins = ["tests.support.browser_fixture"]

PLAIN = DigestEntry(hashlib.sha256(FILE).hexdigest(), len(FILE))
NAMED = replace(PLAIN, name="<b>résumé<b>\u202e.txt")
R = bytes(range(32))
OBJECTS = {**log_of([b"first", NAMED.data, blinded_entry(R, PLAIN)]), "policy.txt": POLICY}


def told(index: int, extra: ProofExtra) -> bytes:
    """Return the proof of an entry, with what it says of it."""
    return replace(parse_tlog_proof(proof_of(OBJECTS, index)), extra=extra.data).data


def test_named_and_blinded_files(chromium: Chromium) -> None:
    """By its name or in a proof; the name is text, whoever wrote it; what a proof says of another file is ignored."""
    with site(chromium, OBJECTS, faults=True) as one:  # days of which no checkpoint is kept are asked for
        one.open()
        one.ask(PLAIN.sha256)
        assert one.said()[1] == "In the log: entry 1 of 3"
        one.drop(("<b>re\u0301sume\u0301<b>\u202e.txt", FILE))  # as its system spells it
        state, headline, text = one.said()
        assert (state, headline) == ("verified-log-only", "In the log: entry 1 of 3")
        assert "It is logged by its SHA-256, its size and a name." in text
        assert "<b>résumé<b>" in text
        assert "\u202e" not in text
        one.drop(("renamed", FILE), ("p.tlog-proof", told(1, ProofExtra(NAMED.data))))
        assert one.said()[1] == "In the log: entry 1 of 3"
        one.drop(("renamed", FILE), ("p.tlog-proof", told(2, ProofExtra(blinded_entry(R, PLAIN), R))))
        _, headline, text = one.said()
        assert headline == "In the log: entry 2 of 3"
        assert "It is logged by its SHA-256 and size, blinded." in text
        assert "What it is: file, blinded" in text
        one.drop(("renamed", FILE + b"!"), ("p.tlog-proof", told(1, ProofExtra(NAMED.data))))
        assert one.said(state="inclusion")[0] == "inclusion"
