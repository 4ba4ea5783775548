"""Searching on the page by who signed, by key and by subject: as typed, and as a link says."""

from __future__ import annotations

from hashlib import sha256

from tests.support.attestation_texts import AB, EXAMPLE
from tests.support.browser import Chromium, site
from tests.support.certificate_texts import ONE, WORKFLOW, certificate, der, names
from tests.support.entry_texts import rekor
from tests.support.revocation_texts import ID, VKEY, revocation
from tests.support.web_logs import POLICY, log_of

pytest_plugins = ["tests.support.browser_fixture"]

ENTRIES = [
    rekor(verifier="x509Certificate", raw=ONE).encode(),
    rekor(verifier="x509Certificate", raw=certificate(names(der(0x86, WORKFLOW)))).encode(),
    rekor(raw=b"another").encode(),
    EXAMPLE.encode(),
    revocation(f"identity {ID}", "broken%20%3Cb%3E"),
    b"an entry",
]
# what is typed → the entry that is found, or what is said
ASKED = {
    "dev@Example.com": 0,
    "@example.com": 0,
    "https://github.com/Org/repo/": 1,
    "identity:https://github.com": 1,
    "issuer:https://Token.actions.githubusercontent.com": 0,
    f"key:{sha256(b'another').hexdigest()}": 2,
    f"subject:{AB}": 3,
    "nobody@example.com": "as who signed, in what certificates claim, and as the name of a file",
    "https://github.com/org": "only a whole address, a domain with @ before it",
    "key:12": "Not understood",
    "identity:a b": "Not understood",
}


def test_by_signer(chromium: Chromium) -> None:
    """Each finds its entry; what is not there is said to be looked for as what it is."""
    objects = {**log_of(ENTRIES), "policy.txt": POLICY}
    with site(chromium, objects, faults=True, own=True) as one:
        one.open()
        for asked, found in ASKED.items():
            one.ask(asked)
            _, headline, text = one.said()
            if isinstance(found, int):
                assert headline == f"In the log: entry {found} of 6", (asked, text)
            else:
                assert found in text, asked
        one.ask("4")
        _, headline, text = one.said()
        for said in ("revocation", ID, "broken <b>", VKEY, "this page does not verify it"):
            assert said in text
