"""Searching on the page by who signed, by key and by subject: as typed, and as a link says."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.attestation_texts import AB, EXAMPLE
from tests.support.browser import Chromium, site
from tests.support.certificate_texts import ONE, WORKFLOW, certificate, der, names
from tests.support.entry_texts import rekor
from tests.support.revocation_texts import ID, VKEY, revocation
from tests.support.sampling import quickly
from tests.support.signed_text import LOG
from tests.support.web_logs import POLICY, log_of
from tiles.rekor.revoke import signed_by
from tiles.signing.artifact_key import generate_key
from tiles.sigstore.image_signature import signed_digests
from tiles.sigstore.revocation import Revocation, Statement

pytest_plugins = ["tests.support.browser_fixture"]

IMAGE = "12" * 32
ENTRIES = [
    rekor(verifier="x509Certificate", raw=ONE).encode(),
    rekor(verifier="x509Certificate", raw=certificate(names(der(0x86, WORKFLOW)))).encode(),
    rekor(raw=b"another").encode(),
    EXAMPLE.encode(),
    revocation(f"identity {ID}", "broken%20%3Cb%3E"),
    rekor(digest=signed_digests(bytes.fromhex(IMAGE))[1]).encode(),
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
    f"registry.example.com:5000/app@sha256:{IMAGE}": 5,
    f"image:sha256:{IMAGE}": 5,
    IMAGE: 5,
    f"app@sha256:{AB}": "signatures with annotations, and attestations, are not found",
    "nobody@example.com": "as who signed, in what certificates claim, and as the name of a file",
    "https://github.com/org": "only a whole address, a domain with @ before it",
    "key:12": "Not understood",
    "identity:a b": "Not understood",
}


@pytest.mark.parametrize("every", quickly([3, 1], [3]), ids=lambda every: f"one in {every}")
def test_by_signer(chromium: Chromium, every: int) -> None:
    """Each finds its entry; what is not there is said to be looked for as what it is."""
    objects = {**log_of(ENTRIES), "policy.txt": POLICY}
    with site(chromium, objects, faults=True, own=True) as one:
        one.open()
        for asked, found in list(ASKED.items())[::every]:
            one.ask(asked)
            _, headline, text = one.said()
            if isinstance(found, int):
                assert headline == f"In the log: entry {found} of 6", (asked, text)
            else:
                assert found.lower() in text.lower(), asked
        one.ask("4")
        _, headline, text = one.said()
        for said in ("revocation", ID, "broken <b>", VKEY, "this page does not verify it"):
            assert said in text


@pytest.mark.slow
def test_revoked(chromium: Chromium) -> None:
    """Asked for, the revocation that counts is said, of several that are there; or that there is none."""
    signer = generate_key()
    one, two, three = (sha256(data).hexdigest() for data in (b"1", b"2", b"3"))
    said = [Statement("sha256", digest, "why <b>", log=LOG.verifier.vkey) for digest in (one, three)]
    entries = [
        rekor(digest=bytes.fromhex(one), raw=signer.public.spki).encode(),
        b"2",
        b"3",
        signed_by(generate_key(), "sha256", one, "by nobody").data,
        Revocation(said[0], bytes(64)).data,
        signed_by(signer, "sha256", one, "does not start").data,
        signed_by(signer, "sha256", two, "by nobody").data,
        Revocation(said[1], LOG.sign(said[1].text)).data,
    ]
    cases = {
        one: "✗ Revoked by entry 5, signed by the key that signed it: does not start.",
        two: "No: none of the 8 entries revokes it.",
        three: "✗ Revoked by entry 7, signed by the log: why <b>.",
    }
    with site(chromium, {**log_of(entries), "policy.txt": POLICY}, faults=True, own=True) as opened:
        opened.open()
        for index, (digest, words) in enumerate(cases.items()):
            opened.ask(f"sha256:{digest}")
            assert opened.said()[1] == f"In the log: entry {index} of 8"
            opened.page.click("#results button:has-text('Was it revoked?')")
            opened.page.wait_for_selector(f"#results p:has-text('{words}')")
            assert opened.said()[2].count("Revoked by entry") == words.count("Revoked by entry")
