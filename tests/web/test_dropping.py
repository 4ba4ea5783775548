"""Files, proofs and bundles, dropped in any order."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Chromium, Site, downloads, site
from tests.support.readers import OTHER_KEY, entry, make_log
from tests.support.rekor_bundles import entry_of, log_key
from tests.support.sampling import quickly
from tests.support.signed_text import LOG, signed
from tests.support.web_logs import FILE, FRESH, HELLO, PLAIN, POLICY, proof_of
from tests.support.web_strangers import Bundles, bundle
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


@pytest.mark.slow
def test_several_files(chromium: Chromium) -> None:
    """Each of several files gets its own card."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.drop(("a.txt", FILE), ("b", b"raw entry"), ("c", b"nothing"))
        one.page.wait_for_selector("#results > .card:nth-child(3)")
        one.page.wait_for_selector("#results > [data-state=absent]")
        states = one.page.eval_on_selector_all("#results > .card", "cards => cards.map(card => card.dataset.state)")
        assert sorted(states) == ["absent", "verified-log-only", "verified-log-only"]


def all_said(one: Site, count: int) -> list[tuple[str, str]]:
    """Return state and headline of so many cards, the last one first."""
    one.page.wait_for_selector(f"#results > .card:nth-child({count})")
    one.page.wait_for_selector("#results:not(:has([data-state=working]))")
    cards = one.page.query_selector_all("#results > .card")
    return [(card.get_attribute("data-state"), card.query_selector("h2").inner_text()[2:]) for card in cards]


def test_a_sigstore_bundle(chromium: Chromium) -> None:
    """A Sigstore bundle whose entry is in this log is verified from the bundle alone; one of another log is not."""
    made = Bundles()
    with site(chromium, made.objects) as one:
        one.open()
        one.drop(("a.sigstore.json", bundle(made.entry())))
        assert one.said()[:2] == ("verified-log-only", "In the log: entry 1 of 3")
        assert "Drop the file with it" in one.said()[2]
        one.drop(("hello.txt", FILE), ("a.sigstore.json", bundle(made.entry())))
        one.page.wait_for_selector("text=It is about hello.txt: it holds its SHA-256.")
        tree = parse_signed_checkpoint(made.objects[CHECKPOINT]).tree
        other = signed(Checkpoint("other.example.com", tree), OTHER_KEY).data
        one.drop(("b.sigstore.json", bundle(made.entry(checkpoint=other))))
        assert one.said(state="origin")[1] == "This is a different log"


def test_a_bundle_whose_kind_comes_last(chromium: Chromium) -> None:
    """The order of a bundle's parts, and what is before its beginning, do not matter."""
    made = Bundles()
    parts = json.loads(bundle(made.entry()))
    turned = json.dumps({"dsse": "x" * 9000, **dict(reversed(parts.items()))}).encode()
    with site(chromium, made.objects) as one:
        one.open()
        for data in (turned, b"\xef\xbb\xbf\r\n" + json.dumps(json.loads(turned), indent=4).encode()):
            one.drop(("a.json", data))
            assert one.said()[:2] == ("verified-log-only", "In the log: entry 1 of 3")
        for data in (b'{"text": "application/vnd.dev.sigstore.bundle"}', b'{"mediaType": 7}', b"{" * 9000):
            one.drop(("a.json", data))
            assert one.said()[0] == "absent"  # any file


WITHOUT: dict[str, tuple[Any, str]] = {
    "no checkpoint": ({"inclusionProof": {"logIndex": "1", "hashes": []}}, "unproven"),
    "a promise only": ({"inclusionProof": None, "inclusionPromise": {"signedEntryTimestamp": "AAAA"}}, "unproven"),
    "a checkpoint of nothing": ({"inclusionProof": {"checkpoint": {}}}, "unproven"),
    "a checkpoint that is none": ({"inclusionProof": {"checkpoint": {"envelope": "x"}}}, "format"),
    "a list for one": ({"inclusionProof": {"checkpoint": {"envelope": ["x"]}}}, "format"),
    "no body": ({"canonicalizedBody": None}, "format"),
    "a body of something": ({"canonicalizedBody": "%"}, "format"),
}


def test_an_entry_that_cannot_be_checked(chromium: Chromium) -> None:
    """Each entry of a bundle is judged by itself, and in the page's own words."""
    made = Bundles(3)
    with site(chromium, made.objects) as one:
        one.open()
        for what, (change, state) in WITHOUT.items():
            one.drop(("a.json", bundle({**made.entry(0), **change})))
            assert one.said()[0] == state, what
            assert "undefined" not in one.said()[2], what
            one.drop(("hello.txt", FILE), ("a.json", bundle(made.entry(0), {**made.entry(1), **change}, made.entry(2))))
            said = sorted(name for name, _ in all_said(one, 3))
            assert said == sorted(["verified-log-only", state, "verified-log-only"]), what
            assert one.page.inner_text("#results").count("It is about hello.txt") == 2, what
            words = one.page.inner_text("#results")
            assert [f"a.json, entry {number}" in words for number in (1, 2, 3)] == [True] * 3, what


@pytest.mark.slow
def test_bundles_line_by_line(chromium: Chromium) -> None:
    """JSON Lines: each line is a bundle; one that is none spoils no other, and there is an end to them."""
    made = Bundles(2)
    lines = [bundle(made.entry(0)), b"", b"{not JSON", b'{"mediaType":1}', b"null", bundle(), bundle(made.entry(1))]
    with site(chromium, made.objects) as one:
        one.open()
        one.drop(("a.jsonl", b"\n".join(lines)))
        said = all_said(one, 6)
        assert [name for name, _ in said].count("verified-log-only") == 2
        assert [name for name, _ in said].count("format") == 4
        assert "a.jsonl, line 7" in one.page.inner_text("#results")
        one.drop(("b.jsonl", b"\n".join([bundle(made.entry(0))] + [bundle()] * 70)))
        assert ("unread", "21 entries were not looked at") in all_said(one, 51)


@pytest.mark.parametrize(
    "folder", quickly(["rekor2-happy-path", "rekor2-checkpoint-cosigned"], ["rekor2-checkpoint-cosigned"])
)
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
    with site(chromium, {**make_log(17_000), "policy.txt": POLICY}, faults=True) as one:
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
