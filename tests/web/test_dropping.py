"""Files, proofs and bundles, dropped in any order."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.browser import Chromium, downloads, site
from tests.support.readers import OTHER_KEY, entry, make_log
from tests.support.rekor_bundles import entry_of, log_key
from tests.support.signed_text import LOG, signed
from tests.support.web_logs import FILE, FRESH, HELLO, PLAIN, POLICY, log_of, proof_of
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash

pytest_plugins = ["tests.support.browser_fixture"]


def test_offline(chromium: Chromium) -> None:
    """With the network gone, a proof and its file are checked all the same, in either order."""
    with site(chromium, FRESH, faults=True, own=True) as one:
        one.open()
        one.ask("1")
        one.said()
        one.context.set_offline(True)
        one.drop(("a.tlog-proof", proof_of(FRESH, 300)))
        assert one.said()[0] == "needs-file"
        one.drop(("a.txt", FILE))
        assert one.said()[:2] == ("verified", "In the log: entry 300 of 302")
        one.drop(("a.txt", FILE), ("a.tlog-proof", proof_of(FRESH, 300)))
        assert "2 of 2 witnesses" in one.said()[2]
        one.drop(("b.txt", b"other"), ("a.tlog-proof", proof_of(FRESH, 300)))
        assert one.said(state="inclusion")[0] == "inclusion"


def test_files_and_proofs_in_any_order(chromium: Chromium) -> None:
    """Each file finds its proof, whatever the order; what failed once does not stand in the way of the next file."""
    first, second = proof_of(PLAIN, 300), proof_of(PLAIN, 301)
    with site(chromium, PLAIN) as one:
        one.open()
        for files in (
            [("1", first), ("2", second), ("a", FILE), ("b", b"raw entry")],
            [("b", b"raw entry"), ("c", b"never logged"), ("2", second), ("1", first), ("a", FILE)],
        ):
            one.drop(*files)
            one.page.wait_for_selector("h2:has-text('entry 300')")
            one.page.wait_for_selector("h2:has-text('entry 301')")
        one.page.wait_for_selector("#results > [data-state=absent]")  # no proof was left: it was looked for
        one.drop(("c", b"never logged"), ("1", first))
        one.said(state="inclusion")
        one.drop(("a", FILE))
        assert one.said()[1] == "In the log: entry 300 of 302"
        one.drop(("2", second), ("1", first), ("a", FILE))
        one.page.wait_for_selector("h2:has-text('entry 300')")
        one.said(state="needs-file")
        one.drop(("b", b"raw entry"))
        assert one.said()[1] == "In the log: entry 301 of 302"


def test_the_proof_that_is_saved(chromium: Chromium) -> None:
    """What "Save proof" saves is a proof that the core verifies."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.drop(("a.txt", FILE))
        one.said()
        (proof,) = downloads(one, "#results").values()
        verify_tlog_proof(parse_tlog_proof(proof), leaf_hash(HELLO), policy_for(LOG.verifier))


def test_several_files(chromium: Chromium) -> None:
    """Each of several files gets its own card."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.drop(("a.txt", FILE), ("b", b"raw entry"), ("c", b"nothing"))
        one.page.wait_for_selector("#results > .card:nth-child(3)")
        one.page.wait_for_selector("#results > [data-state=absent]")
        states = one.page.eval_on_selector_all("#results > .card", "cards => cards.map(card => card.dataset.state)")
        assert sorted(states) == ["absent", "verified-log-only", "verified-log-only"]


def test_a_sigstore_bundle(chromium: Chromium) -> None:
    """A Sigstore bundle whose entry is in this log is verified from the bundle alone; one of another log is not."""
    digest = b64encode(hashlib.sha256(FILE).digest()).decode()
    spec = {"hashedRekordV002": {"data": {"algorithm": "SHA2_256", "digest": digest}}}
    body = json.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}).encode()
    objects = {**log_of([b"x", body, b"y"]), "policy.txt": POLICY}
    proof = parse_tlog_proof(proof_of(objects, 1))

    def bundle(checkpoint: bytes) -> bytes:
        hashes = [b64encode(one).decode() for one in proof.hashes]
        inclusion = {"logIndex": "1", "hashes": hashes, "checkpoint": {"envelope": checkpoint.decode()}}
        line = {"canonicalizedBody": b64encode(body).decode(), "inclusionProof": inclusion}
        material = {"tlogEntries": [line]}
        made = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": material}
        return json.dumps(made).encode()

    with site(chromium, objects) as one:
        one.open()
        one.drop(("a.sigstore.json", bundle(objects[CHECKPOINT])))
        assert one.said()[:2] == ("verified-log-only", "In the log: entry 1 of 3")
        assert "Drop the file with it" in one.said()[2]
        one.drop(("hello.txt", FILE), ("a.sigstore.json", bundle(objects[CHECKPOINT])))
        one.page.wait_for_selector("text=It is about hello.txt: it holds its SHA-256.")
        other = signed(
            Checkpoint("other.example.com", parse_signed_checkpoint(objects[CHECKPOINT]).tree), OTHER_KEY
        ).data
        one.drop(("b.sigstore.json", bundle(other)))
        assert one.said(state="origin")[1] == "This is a different log"


@pytest.mark.parametrize("folder", ["rekor2-happy-path", "rekor2-checkpoint-cosigned"])
def test_a_bundle_of_rekor(chromium: Chromium, shared_vectors: Path, folder: str) -> None:
    """A real Sigstore bundle and its artifact are verified from them alone, by the key of its log."""
    path = shared_vectors / "sigstore-bundles" / folder
    key_of_log = log_key(path, entry_of(path))
    files = [("a.txt", (path.parent / "a.txt").read_bytes()), ("b.json", (path / "bundle.sigstore.json").read_bytes())]
    with site(chromium, {"policy.txt": policy_for(key_of_log).data}, faults=True) as one:
        one.open()
        assert one.said("#head")[0] == "network"
        one.drop(*files)
        words = one.said(state="verified-log-only")[2]
        assert "It is about a.txt" in words
        changed = json.loads(files[1][1])
        changed["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["logIndex"] = "0"
        one.drop(("c.json", json.dumps(changed).encode()))
        assert one.said(state="inclusion")[0] == "inclusion"


def test_looking_through_a_large_log(chromium: Chromium) -> None:
    """A log above the limit is looked through when told to, and then absence is an answer."""
    with site(chromium, {**make_log(17_000), "policy.txt": POLICY}) as one:
        one.open()
        for name, data, state in (("in", entry(16_999), "verified-log-only"), ("out", b"never", "absent")):
            one.drop((name, data))
            one.said(state="not-searched")
            one.page.click("#results button:has-text('Look through all')")
            one.said(state=state)


@pytest.mark.parametrize("size", [25_000_000, pytest.param(100_000_000, marks=pytest.mark.slow)])
def test_a_big_file(chromium: Chromium, tmp_path: Path, size: int) -> None:
    """A file of 100 MB is read as a stream, in seconds, with progress; a file of 25 MB is what is tested each time."""
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    with site(chromium, PLAIN) as one:
        one.open()
        started = time.monotonic()
        one.page.set_input_files("#files", path)
        one.page.wait_for_selector("progress")
        assert one.said(state="absent")[0] == "absent"
        assert time.monotonic() - started < 20
