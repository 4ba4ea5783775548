"""Files, proofs and bundles, dropped in any order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.browser import Chromium, downloads, site
from tests.support.readers import entry, make_log
from tests.support.signed_text import LOG
from tests.support.web_logs import FILE, FRESH, HELLO, PLAIN, POLICY, proof_of
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
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


def test_json_that_is_no_bundle(chromium: Chromium) -> None:
    """What only mentions a bundle of Sigstore is a file as any other."""
    with site(chromium, PLAIN) as one:
        one.open()
        for data in (b'{"text": "application/vnd.dev.sigstore.bundle"}', b'{"mediaType": 7}', b"{" * 9000):
            one.drop(("a.json", data))
            assert one.said()[0] == "absent"


def test_looking_through_a_large_log(chromium: Chromium) -> None:
    """A log above the limit is looked through when told to, and then absence is an answer."""
    with site(chromium, {**make_log(17_000), "policy.txt": POLICY}, faults=True) as one:
        one.open()
        for name, data, state in (("in", entry(16_999), "verified-log-only"), ("out", b"never", "absent")):
            one.drop((name, data))
            one.said(state="not-searched")
            one.page.click("#results button:has-text('Look through all')")
            one.said(state=state)


# a bar that is there for a moment only is seen, whatever else the machine does
WATCHING = """
    new MutationObserver(() => { window.progressed ||= document.querySelector("progress") !== null; })
        .observe(document, { childList: true, subtree: true });
"""


@pytest.mark.parametrize("size", [25_000_000, pytest.param(100_000_000, marks=pytest.mark.slow)])
def test_a_big_file(chromium: Chromium, tmp_path: Path, size: int) -> None:
    """A file of 100 MB is read as a stream, in seconds, with progress; a file of 25 MB is what is tested each time."""
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    with site(chromium, PLAIN, script=WATCHING) as one:
        one.open()
        started = time.monotonic()
        one.page.set_input_files("#files", path)
        assert one.said(state="absent")[0] == "absent"
        assert one.page.evaluate("window.progressed")
        assert time.monotonic() - started < 20
