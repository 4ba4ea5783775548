"""Logs of others on the page: a checksum database of Go, a log of certificates, a key with another origin."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.opened_offline import dropped, opened_offline
from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN, ct_key, record, static_ct, sumdb, timestamped
from tests.support.readers import Objects, make_log
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.layouts import STATIC_CT

pytest_plugins = ["tests.support.browser_fixture"]

SUMDB = f"#vkey={quote(SUMDB_KEY.verifier.vkey)}&layout=sumdb&origin={quote(SUMDB_ORIGIN)}"
CT = f"#vkey={quote(ct_key().vkey)}&layout=static-ct"


def take_it(one: Site, link: str) -> None:
    """Follow a link, and take its key, which nothing else names."""
    one.open(link)
    state, _, words = one.said("#head")
    assert (state, "It is to be read as" in words) == ("unknown-key", True)
    assert "0" not in words.split("\n")  # a number of keys, in the place of a button
    check_accessible(one.page)
    one.page.click("#head button:has-text('all the same')")
    one.page.wait_for_selector("#head .card:not([data-state=unknown-key])")


@pytest.mark.slow
def test_a_checksum_database(chromium: Chromium) -> None:
    """Opened by a link with layout and origin, remembered, looked up, proven, extended; another history is a fork."""
    with site(chromium, sumdb(300), faults=True) as one:
        take_it(one, SUMDB)
        assert one.said("#head")[1] == "Signed by the log (no witnesses): 300 entries"
        one.ask("example.com/m2@v1.0.0")
        state, headline, words = one.said()
        assert (state, headline) == ("verified-log-only", "In the log: entry 2 of 300")
        assert "example.com/m2 v1.0.0/go.mod\nh1:BBBB" in words
        one.ask("example.com/m9@v1.0.0")
        assert one.said()[0] == "network"
        one.drop(("a record", record(299)))
        assert one.said()[1] == "In the log: entry 299 of 300"
        one.become(sumdb(600))
        one.open()
        one.reload()
        words = one.said("#head")[2]
        assert "600 entries" in words
        assert "read as sumdb" in words
        assert "It extends what you saw" in words
        one.page.click("#browse > summary")
        one.page.wait_for_selector("text=Entries 580 to 599 of 600")
        lying = sumdb(600)["lookup/example.com/m1@v1.0.0"].replace(b"1\n", b"2\n", 1)
        one.become({**sumdb(600), "lookup/example.com/m1@v1.0.0": lying})
        one.ask("example.com/m1@v1.0.0")
        assert one.said()[0] == "tile"
        damaged = {**sumdb(600), "tile/8/data/000": sumdb(600)["tile/8/data/000"].replace(b"m9 v1", b"m9 v2")}
        one.become(damaged)
        one.reload()
        one.ask("9")
        state, _, words = one.said()
        assert (state, "tile/8/data/000" in words) == ("tile", True)


def test_a_log_of_certificates(chromium: Chromium) -> None:
    """Its tree head is verified, entries say what they are of, and are proven; damage is named by the log's paths."""
    with site(chromium, static_ct(300), faults=True) as one:
        take_it(one, CT)
        assert one.said("#head")[1] == "Signed by the log (no witnesses): 300 entries"
        one.ask("3")
        state, headline, words = one.said()
        assert (state, headline) == ("verified-log-only", "In the log: entry 3 of 300")
        assert "What it is: certificate" in words
        assert "host.example.com" in words
        assert "Sun, 01 Mar 2026" in words
        check_accessible(one.page)
        one.ask("4")
        assert "What it is: precertificate" in one.said()[2]
        one.drop(("leaf", b"\0\0" + timestamped(6)))
        assert one.said()[1] == "In the log: entry 6 of 300"
        data = static_ct(300)["tile/data/000"]
        for wrong in (data[:-1], data.replace(b"host.example.com", b"evil.example.com", 1)):
            one.become({**static_ct(300), "tile/data/000": wrong})
            one.reload()
            one.ask("3")
            state, _, words = one.said()
            assert (state, "tile/data/000" in words) == ("tile", True)
        one.become({**static_ct(300), "checkpoint": static_ct(1)["checkpoint"]})
        one.reload()
        assert one.said("#head")[0] == "rollback"
        signature = static_ct(300)["checkpoint"]
        one.become({**static_ct(300), "checkpoint": signature.replace(b"\n300\n", b"\n301\n")})
        one.reload()
        assert one.said("#head")[0] == "signature"


def test_typed_instead_of_linked(chromium: Chromium) -> None:
    """Key, layout and origin can be typed, by keyboard alone; the page says what it cannot do."""
    with site(chromium, sumdb(1), faults=True) as one:
        one.open()
        one.page.click("#keys > summary")
        one.page.click("#keys summary:has-text('another kind')")
        assert "few logs let pages of others read them (CORS)" in one.page.inner_text("#keys")
        check_accessible(one.page)
        one.page.fill("#vkey", SUMDB_KEY.verifier.vkey)
        one.page.select_option("#layout", "sumdb")
        one.page.fill("#origin", SUMDB_ORIGIN)
        one.page.press("#origin", "Enter")
        one.page.wait_for_selector("#head [data-state=unknown-key]")
        assert "go.sum database tree" in one.said("#head")[2]


@pytest.mark.parametrize(
    ("more", "state", "words"),
    [
        ("&layout=serverless", "call", "serverless is no layout that is read here: tlog-tiles, sumdb, static-ct"),
        ("&layout=sumdb", "unknown-key", ""),
        ("&origin=%0A", "unknown-key", ""),
    ],
)
def test_what_a_link_may_not(chromium: Chromium, more: str, state: str, words: str) -> None:
    """A layout that is none is said to be; nothing is read before the key is taken."""
    with site(chromium, make_log(3), faults=True) as one:
        one.open(f"#vkey={quote(SUMDB_KEY.verifier.vkey)}{more}")
        assert one.said("#head")[0] == "unknown-key"
        assert "checkpoint" not in one.server.asked
        if state != "unknown-key":
            one.page.click("#head button:has-text('all the same')")
            one.page.wait_for_selector(f"#head [data-state={state}]")
            assert words in one.said("#head")[2]


@pytest.mark.slow
def test_a_proof_of_a_log_of_certificates_offline(chromium: Chromium, tmp_path: Path) -> None:
    """verify.html verifies it: its policy names the key."""
    policy = f"log {ct_key().vkey}\nquorum none\n".encode()
    client = LogClient(Objects(static_ct(300)), policy_for(ct_key()), log_format=STATIC_CT)
    leaf, proof = client.entry(7), client.prove(7).data
    with opened_offline(chromium, tmp_path, policy) as page:
        assert dropped(page, ("leaf", leaf), ("a.tlog-proof", proof))[0] == "verified-log-only"
        at = proof.rindex(b" ") + 40
        assert dropped(page, ("leaf", leaf), ("b.tlog-proof", proof[:at] + b"x" + proof[at + 1 :]))[0] == "signature"
