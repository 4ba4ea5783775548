"""Files whose signature by SSH is logged: the page shows the entry, and says that it does not verify the signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.browser import Chromium, check_accessible, site
from tests.support.signature_texts import DATA, S512, stored, text
from tests.support.web_logs import POLICY, log_of, proof_of
from tiles.entries.proof_extra import ProofExtra
from tiles.entries.signer_keys import key_value
from tiles.notes.tlog_proof import parse_tlog_proof
from tiles.signatures.digests import signed
from tiles.signatures.entry import entry_by
from tiles.signatures.formats import parse_signature, parse_signer_key

pytest_plugins = ["tests.support.browser_fixture"]

KEY = parse_signer_key("ssh", stored("ssh_ed25519.pub"))
ENTRY = entry_by(KEY, parse_signature("ssh", stored("ssh_ed25519.sig")), signed(DATA)).data
OBJECTS = {**log_of([b"first", ENTRY, text("pgp").encode(), text("ssh", S512).encode()]), "policy.txt": POLICY}
PROOF = replace(parse_tlog_proof(proof_of(OBJECTS, 1)), extra=ProofExtra(ENTRY).data).data


def test_a_file_and_the_proof_of_its_signature(chromium: Chromium) -> None:
    """It is no green card: who signed is what the entry says. Another file is not what was signed."""
    with site(chromium, OBJECTS, faults=True) as one:  # days of which no checkpoint is kept are asked for
        one.open()
        one.drop(("app", DATA), ("app.tlog-proof", PROOF))
        state, headline, said = one.said()
        assert (state, headline) == ("signer-unchecked", "Who signed is not checked here; logged as entry 1 of 4")
        assert "A signature over your file is logged. This page does not check whose it is." in said
        assert "Signed with SSH key, as it says" in said
        assert KEY.shown.removeprefix("SSH key ") in said
        one.ask(f"key:{key_value(stored('ssh_ed25519.pub')).hex()}")
        assert one.said()[1] == "In the log: entry 1 of 4"
        one.ask("2")
        assert "a key that cannot be read" in one.said()[2]
        one.drop(("app", DATA + b"!"), ("app.tlog-proof", PROOF))
        assert one.said(state="inclusion")[0] == "inclusion"


@pytest.mark.slow
def test_accessible(chromium: Chromium) -> None:
    """axe-core finds nothing in the card and the entry's row."""
    with site(chromium, OBJECTS, faults=True) as one:
        one.open()
        one.drop(("app", DATA), ("app.tlog-proof", PROOF))
        assert one.said()[0] == "signer-unchecked"
        check_accessible(one.page)
