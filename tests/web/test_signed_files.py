"""Signed files: bundles of Sigstore with their files and keys, in any order; what makes a card green, what never."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.readers import OTHER_KEY
from tests.support.rekor_bundles import entry_of, log_key
from tests.support.sampling import quickly
from tests.support.signed_bundles import public, signer
from tests.support.signed_text import LOG as KEY_OF_LOG
from tests.support.signed_text import signed
from tests.support.web_bundles import (
    ENTRY,
    HOSTILE_IDENTITY,
    HOSTILE_ISSUER,
    NAME,
    OTHER,
    PROOF,
    changed,
    flipped_base64,
    pem,
    signed_log,
    uuid_of,
)
from tests.support.web_logs import FILE, POLICY
from tests.support.web_strangers import OURS, all_the_same
from tests.support.web_vector_bundles import by_another_hash
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.policy import parse_policy, policy_for
from tiles.page import VERIFY, verify_page
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]

LOG, BUNDLES = signed_log()
KEY = public(signer()).hint.hex()
BUNDLE = f"{NAME}.sigstore.json"
PUB, ANOTHER = ("signer.pub", pem()), ("other.pub", public(signer(8)).pem)


def look(one: Site) -> str:
    """Return how the first card looks."""
    return str(one.page.get_attribute("#results > .card", "data-look"))


def of_bundles(one: Site) -> list[str]:
    """Return which modules of the page the browser has asked for, or had in its cache, that are of bundles only."""
    found = one.page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    return sorted(path for path in found if re.search(r"/(bundle|json_text|dsse|artifact)\w*\.js$", path))


def test_a_key(chromium: Chromium) -> None:
    """Only a key that the visitor named makes it green, dropped or typed; another one makes it red until forgotten."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop((NAME, FILE))
        one.said(state="verified-log-only")
        assert of_bundles(one) == []  # that code is loaded with the first of them
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["key"]))
        state, headline, words = one.said()
        assert (state, headline) == ("key-unnamed", "Whose key signed this? Logged as entry 2 of 10")
        assert look(one) == "warn"
        assert "/page/bundle_card.js" in of_bundles(one)
        assert KEY in words
        assert "anybody can make a key, sign with it, and log that" in words
        one.page.fill("#results form input", "my key")
        one.page.click("#results button:has-text('Compare')")
        one.page.wait_for_selector("#results [role=alert]:has-text('Expected a public key in PEM')")
        one.page.fill("#results form input", KEY.upper())
        one.page.click("#results button:has-text('Compare')")
        state, headline, words = one.said(state="signed")
        assert headline == "Signed by the key that you named, and logged as entry 2 of 10"
        assert look(one) == "good"
        assert "typed by you" in words
        one.reload()
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["key"]), PUB)
        assert "signer.pub" in one.said(state="signed")[2]
        one.reload()
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["key"]), ANOTHER)
        state, headline, _ = one.said()
        assert (state, headline) == ("another-key", "Signed by another key than you named")
        assert look(one) == "bad"
        one.page.click("#results button:has-text('Forget the keys')")
        one.said(state="key-unnamed")


@pytest.mark.slow
def test_one_after_the_other(chromium: Chromium) -> None:
    """Bundle, file and key are taken in any order, and a bundle waits for the file that it is for."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop((BUNDLE, BUNDLES["key"]))
        assert one.said()[0] == "needs-file"
        assert look(one) == "none"
        one.page.set_input_files("#files", files=[{"name": NAME, "mimeType": "text/plain", "buffer": FILE}])
        one.said(state="key-unnamed")
        assert one.page.query_selector("[data-state=needs-file]") is None
        one.page.set_input_files("#files", files=[{"name": PUB[0], "mimeType": "text/plain", "buffer": PUB[1]}])
        one.said(state="signed")
        one.reload()
        one.ask(PUB[1].decode().replace("\n", " "))  # as it is when it is pasted into the field
        assert one.said()[0] == "key-named"
        one.drop((NAME, FILE))
        one.said(state="verified-log-only")  # it is logged by its digest, too
        one.drop((BUNDLE, BUNDLES["key"]))
        one.said(state="signed")
        one.drop(("anything.json", b"\xef\xbb\xbf\r\n" + BUNDLES["attestation"]))  # its name does not matter
        assert "An attestation of type https://slsa.dev/provenance/v1" in one.said(state="signed")[2]
        one.drop(("all.sigstore.jsonl", BUNDLES["key"] + b"\nnull\n" + BUNDLES["P-384"]), (NAME, FILE))
        one.page.wait_for_selector("#results > .card:nth-child(3)")
        one.page.wait_for_selector("#results:not(:has([data-state=working]))")
        states = one.page.eval_on_selector_all("#results > .card", "cards => cards.map(card => card.dataset.state)")
        assert sorted(states) == ["another-key", "format", "signed"]
        assert "all.sigstore.jsonl, line 2" in one.page.inner_text("#results")


def test_certificates_are_never_green(chromium: Chromium) -> None:
    """What a certificate claims is shown as a claim, with the command that checks it, whatever key is named."""
    with site(chromium, LOG) as one:
        one.open()
        for name in ("certificate", "certified attestation"):
            one.drop((NAME, FILE), (BUNDLE, BUNDLES[name]), ("it.pub", pem(name)))
            _, headline, words = one.said(state="certificate")
            assert "That key is the one that you named, it.pub." in words
            assert headline.startswith("Who signed is not checked here; logged as entry ")
            assert look(one) == "warn"
            assert "Identity, claimed by the certificate\ndev@example.com" in words
            assert "Issuer, claimed by the certificate\nhttps://oidc.example.com" in words
            assert "--certificate-identity IDENTITY --certificate-oidc-issuer ISSUER" in words
            assert one.page.query_selector("#results [data-look=good]") is None


def test_hostile_text(chromium: Chromium) -> None:
    """What a certificate says is text, and no command to be copied has any of it."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["hostile"]))
        words = one.said(state="certificate")[2]
        assert HOSTILE_IDENTITY in words
        assert HOSTILE_ISSUER in words
        commands = one.page.eval_on_selector_all("#results code", "all => all.map(one => one.textContent)")
        commands = [text for text in commands if text.startswith("tiletree")]
        assert commands
        assert not [text for text in commands if "$" in text or "<" in text]
        assert one.page.title() == "Is my file in the log?"
        assert one.page.query_selector_all("img, main script") == []


def another_log() -> bytes:
    """Return the policy of somebody else's log."""
    return policy_for(OTHER_KEY.verifier).data


def b64_of(value: Any) -> str:
    """Return a value as JSON in base64."""
    return b64encode(json.dumps(value).encode()).decode()


def of_key(*path: str | int, to: Any) -> bytes:
    """Return the bundle of a key with the value at a path changed."""
    return changed(BUNDLES["key"], *path, to=to)


def elsewhere() -> str:
    """Return a checkpoint of another log."""
    tree = parse_signed_checkpoint(LOG[CHECKPOINT]).tree
    return signed(Checkpoint("other.example.com", tree), OTHER_KEY).data.decode()


ENVELOPE = (*PROOF, "checkpoint", "envelope")
SPOILED: dict[str, tuple[bytes, str]] = {
    "tree size": (of_key(*PROOF, "treeSize", to="9"), "bundle"),
    "index": (of_key(*ENTRY, "logIndex", to="1"), "bundle"),
    "another log's id": (of_key(*ENTRY, "logId", "keyId", to=flipped_base64), "bundle"),
    "signature": (of_key("messageSignature", "signature", to=flipped_base64), "bundle"),
    "two entries": (of_key(*ENTRY[:-1], to=lambda entries: entries * 2), "bundle"),
    "proof": (of_key(*PROOF, "hashes", 0, to=flipped_base64), "inclusion"),
    "another log": (of_key(*ENVELOPE, to=elsewhere()), "origin"),
    "no entry": (of_key(*ENTRY[:-1], to=[]), "unproven"),
    "no proof": (of_key(*PROOF, to=None), "unproven"),
    "no checkpoint": (of_key(*PROOF, "checkpoint", to={}), "unproven"),
    "no note": (of_key(*ENVELOPE, to="x"), "format"),
    "no body": (of_key(*ENTRY, "canonicalizedBody", to="%"), "format"),
    "a member twice": (BUNDLES["key"].replace(b"{", b'{"mediaType":"",', 1), "format"),
    "payload": (changed(BUNDLES["attestation"], "dsseEnvelope", "payload", to=b64_of({})), "format"),
    "an old kind": (of_key(*ENTRY, "kindVersion", "version", to="0.0.1"), "not-checked"),
}


def test_spoiled(chromium: Chromium) -> None:
    """Another file, and each bundle that contradicts itself or the log, is told in its own words, and never green."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop(PUB)
        one.said(state="key-named")
        for name in ("key", "attestation"):
            one.drop((NAME, OTHER), (BUNDLE, BUNDLES[name]))
            state, headline, words = one.said()
            assert (state, headline) == ("other-file", "This bundle is for another file, or the file was altered")
            assert f"{NAME}, with the bundle {BUNDLE}" in words
            assert look(one) == "bad"
        for what, (data, state) in SPOILED.items():
            one.drop((BUNDLE, data))
            said = one.said()
            assert said[0] == state, what
            assert look(one) == ("none" if state in ("unproven", "not-checked") else "bad"), what
            assert "undefined" not in said[2], what
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["forged"]))
        assert one.said()[:2] == ("artifact-signature", "Wrong signature in the bundle")
        one.drop((NAME, FILE), (BUNDLE, by_another_hash("PKIX_ED25519_PH")))
        assert one.said()[:2] == ("not-checked", "The signature could not be checked here")
        command = (
            f"tiletree verify {NAME} --bundle {NAME}.sigstore.json --vkey {KEY_OF_LOG.verifier.vkey} --key KEY.pub"
        )
        assert command in one.said()[2]
        one.drop(("b.sigstore.json", BUNDLES["of no file"]))
        assert "Something of the type application/json" in one.said(state="of-no-file")[2]
        assert look(one) == "none"


@pytest.mark.slow
def test_another_log(chromium: Chromium) -> None:
    """A bundle of a log that the page does not trust shows nothing; a trusted root, or a link, changes nothing."""
    with site(chromium, {**LOG, "policy.txt": another_log()}, faults=True) as one:
        one.open()
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["key"]), PUB)
        one.said(state="signature")
        root = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": []}
        one.drop(("trusted_root.json", json.dumps(root).encode()))
        assert one.said(state="trusted-root")[1] == "This page takes no trusted root from a file"
        one.open(f"#vkey={OURS}")  # nor does a link that names the log's key
        one.drop((NAME, FILE), (BUNDLE, BUNDLES["key"]), PUB)
        assert one.said()[1] == "A link names a key that is not known here"
        all_the_same(one)
        one.drop((BUNDLE, BUNDLES["key"]))
        assert one.said()[:2] == ("unknown-key", "Unknown key: entry 2 of 10")
        assert one.page.query_selector("#results [data-look=good]") is None


def test_entries_by_uuid(chromium: Chromium) -> None:
    """A link by Rekor's UUID, or by an entry ID of Rekor v1, opens the entry, which says who signed, as a claim."""
    with site(chromium, LOG, faults=True) as one:
        one.open(f"#uuid={uuid_of('key')}")
        assert f"Key, its SHA-256\n{KEY}" in one.said(state="verified-log-only")[2]
        one.clear()
        one.page.evaluate(f"location.hash = 'uuid=108e9186e8c5677a{uuid_of('certificate')}'")
        words = one.said(state="verified-log-only")[2]
        assert "In the log: entry 5 of 10" in words
        assert "Identity, claimed by the certificate\ndev@example.com" in words


@pytest.mark.parametrize("folder", quickly(["rekor2-happy-path", "rekor2-dsse-happy-path"], ["rekor2-dsse-happy-path"]))
def test_real_bundles(chromium: Chromium, shared_vectors: Path, folder: str) -> None:
    """A real Sigstore bundle of a certificate and its artifact: the log and the signature hold, and it is not green."""
    path = shared_vectors / "sigstore-bundles" / folder
    key_of_log = log_key(path, entry_of(path))
    files = [("a.txt", (path.parent / "a.txt").read_bytes()), ("b.json", (path / "bundle.sigstore.json").read_bytes())]
    with site(chromium, {"policy.txt": policy_for(key_of_log).data}, faults=True) as one:
        one.open()
        one.drop(*files)
        assert "extremely-dangerous-public-oidc-beacon" in one.said(state="certificate")[2]
        assert one.page.query_selector("#results [data-look=good]") is None


def test_without_a_network(chromium: Chromium, tmp_path: Path) -> None:
    """verify.html has it too: file first, then bundle, then key."""
    path = tmp_path / VERIFY
    path.write_bytes(verify_page(parse_policy(POLICY)))
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())

    def drop(name: str, data: bytes) -> None:
        page.set_input_files("#files", files=[{"name": name, "mimeType": "text/plain", "buffer": data}])

    drop(NAME, FILE)
    page.wait_for_selector("#results > [data-state=needs-proof]")
    drop(BUNDLE, BUNDLES["key"])
    page.wait_for_selector("#results > [data-state=key-unnamed]")
    assert page.query_selector("[data-state=needs-proof]") is None
    drop(*PUB)
    page.wait_for_selector("#results > [data-state=signed][data-look=good]")
    drop("c.sigstore.json", BUNDLES["certificate"])
    page.wait_for_selector("#results > [data-state=certificate]")
    context.close()


@pytest.mark.slow
def test_accessible(chromium: Chromium) -> None:
    """axe-core finds nothing in any of the states of signed files, nor are they wider than a phone."""
    root = b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    with site(chromium, LOG, viewport={"width": 320, "height": 700}) as one:
        one.open()
        for name in ("key", "certified attestation", "hostile"):
            one.drop((NAME, FILE), (f"{name}.sigstore.json", BUNDLES[name]))
            one.said()
            for more in one.page.query_selector_all("#results details > summary"):
                more.click()
            assert one.page.evaluate("document.documentElement.scrollWidth") <= 320, name
            check_accessible(one.page)
        one.drop(("c.sigstore.json", BUNDLES["certificate"]), ("root.json", root), PUB)
        one.said()
        check_accessible(one.page)


@pytest.mark.slow
def test_a_large_bundle(chromium: Chromium) -> None:
    """A bundle that is too large for the page is told so, and not looked for as a file."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop((BUNDLE, BUNDLES["key"] + b" " * (16 << 20)))
        assert "Bundles of more than 16 MiB cannot be checked here" in one.said(state="not-checked")[2]


@pytest.mark.slow
def test_many_lines(chromium: Chromium) -> None:
    """There is an end to the bundles of one file."""
    with site(chromium, LOG) as one:
        one.open()
        one.drop(("b.jsonl", b"\n".join([BUNDLES["key"]] + [b"{}"] * 70)))
        one.page.wait_for_selector("#results > [data-state=unread]")
        assert "21 bundles were not looked at" in one.page.inner_text("#results")
