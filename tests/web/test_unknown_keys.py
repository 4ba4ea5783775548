"""A link that names a key: it chooses among those that the site or this browser knows, and makes no other one known."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.browser import Chromium, Site, check_accessible, downloads, site
from tests.support.readers import OTHER_KEY, make_log
from tests.support.sampling import quickly
from tests.support.signed_text import LOG
from tests.support.web_logs import FILE, PLAIN, SMALLER
from tests.support.web_strangers import EVIL, EVIL_PROOF, EVIL_TOO, OURS, THEIRS, all_the_same, policy_of
from tiles.notes.fork_evidence import check_fork, fork_signers
from tiles.notes.policy import parse_policy
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]

NO_POLICY = {path: data for path, data in PLAIN.items() if path != "policy.txt"}
ASKED = "A link names a key that is not known here"


def nothing_is_green(one: Site) -> None:
    """Fail if any card is, or says that something is in the log."""
    assert one.page.query_selector_all("[data-look=good]") == []
    assert "In the log" not in one.page.inner_text("main")


@pytest.mark.parametrize(("visited", "name"), quickly([(False, "vkey"), (True, "%76key")], [(True, "%76key")]))
def test_a_link_with_a_key_of_its_maker(chromium: Chromium, visited: bool, name: str) -> None:
    """A link, a file and a proof, all by one stranger: unknown on the card, before the click and after it."""
    with site(chromium, PLAIN) as one:
        if visited:
            one.open()
            one.page.goto("about:blank")
        one.open(f"#{name}={quote(THEIRS)}")
        state, headline, words = one.said("#head")
        assert (state, headline) == ("unknown-key", ASKED)
        assert OURS in words
        assert THEIRS in words
        check_accessible(one.page)
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        assert one.said()[:2] == ("unknown-key", ASKED)
        nothing_is_green(one)
        all_the_same(one)
        assert one.said("#head")[:2] == ("unknown-key", "Unknown key: Wrong signature")  # the log is not signed by it
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        assert one.said()[:2] == ("unknown-key", "Unknown key: entry 1 of 3")
        assert "Neither this site nor this browser knows the key" in one.said()[2]
        check_accessible(one.page)
        nothing_is_green(one)
        one.page.goto("about:blank")
        one.open()  # without the link everything is as it was
        assert one.said("#head")[0] == "verified-log-only"
        one.drop(("a.txt", FILE))
        assert one.said()[1] == "In the log: entry 300 of 302"
        one.page.goto("about:blank")
        one.open(f"#vkey={quote(THEIRS)}")  # and the click is not remembered
        assert one.said("#head")[1] == ASKED


def test_a_log_under_an_unknown_key(chromium: Chromium) -> None:
    """Where the log itself is signed by that key, each of its verdicts says that the key is unknown."""
    with site(chromium, {**EVIL, "policy.txt": policy_of(OURS)}) as one:
        one.open(f"#vkey={THEIRS}&i=1")
        assert one.said()[1] == ASKED
        one.clear()
        all_the_same(one)
        assert one.said("#head")[:2] == ("unknown-key", "Unknown key: 3 entries")
        assert one.said()[:2] == ("unknown-key", "Unknown key: entry 1 of 3")  # what the link asks for, asked again
        check_accessible(one.page)
        for name, data, headline in (
            ("in", FILE, "Unknown key: entry 1 of 3"),
            ("out", b"never logged", "Unknown key: none of 3 entries"),
            ("head", EVIL[CHECKPOINT], "Unknown key: one history"),
            ("fork", EVIL_TOO[CHECKPOINT], "Unknown key: Two different histories"),
        ):
            one.drop((name, data))
            assert one.said()[:2] == ("unknown-key", headline)
            nothing_is_green(one)
        one.drop(("a.tlog-proof", EVIL_PROOF))
        assert "Signed by a key that only a link names" in one.said(state="needs-file")[2]
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry]")
        entries = one.page.text_content("#browse")
        assert entries.count("of an unknown key's log") == 3
        assert "verified" not in entries
        one.page.goto("about:blank")
        one.open()
        assert one.said("#head")[0] == "signature"  # what the site's key did not sign is wrong, as before


def test_back_to_the_known_key(chromium: Chromium) -> None:
    """The other button leaves the link's key alone."""
    with site(chromium, PLAIN) as one:
        one.open(f"#vkey={THEIRS}")
        one.page.click("#head button:has-text('Use the key that is known')")
        one.page.wait_for_selector("#head [data-state=verified-log-only]")
        assert THEIRS not in one.page.url


@pytest.mark.slow
def test_a_key_that_is_typed(chromium: Chromium) -> None:
    """A key that is entered is as unknown as one of a link: whoever made it may have asked for it to be entered."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.page.click("#keys > summary")
        one.page.fill("#vkey", THEIRS)
        one.page.press("#vkey", "Enter")
        one.page.wait_for_selector("#head [data-state=unknown-key]")
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        assert one.said()[1] == ASKED


def test_a_link_that_chooses(chromium: Chromium) -> None:
    """Among the keys that the site names a link may choose, for this visit only."""
    with site(chromium, {**PLAIN, "policy.txt": policy_of(OURS, THEIRS)}) as one:
        one.open(f"#vkey={THEIRS}")
        assert one.said("#head")[0] == "signature"
        one.page.goto("about:blank")
        one.open(f"#vkey={OURS}")
        assert "chosen by this page's address" in one.said("#head")[2]
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        assert one.said()[0] != "verified-log-only"
        one.page.goto("about:blank")
        one.open()
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        words = one.said(state="fork")[2]  # the site names both keys, so what the other one signed counts, and differs
        assert "Two different keys signed them" in words


@pytest.mark.slow
@pytest.mark.parametrize(("keys", "words"), [(2, "Two different keys signed them"), (1, "The log signed both")])
def test_a_fork_of_a_log_with_two_keys(chromium: Chromium, keys: int, words: str) -> None:
    """It says whether one key has signed two histories, or two keys one each, in a visit and of what is dropped."""
    policy, by = policy_of(OURS, THEIRS), make_log(300, tag="other", key=OTHER_KEY if keys == 2 else LOG)
    with site(chromium, {**SMALLER, "policy.txt": policy}) as one:
        one.open()
        one.drop(("other", by[CHECKPOINT]))
        assert words in one.said(state="fork")[2]
        check_accessible(one.page)
        one.become({**by, "policy.txt": policy})
        one.reload()
        state, _, said = one.said("#head")
        assert state == "fork"
        assert words in said
        assert ("--policy" in said) == (keys == 2)
        older, newer = check_fork(downloads(one, "#head"), parse_policy(policy))
        assert len(set(fork_signers(older, newer, parse_policy(policy)))) == keys


@pytest.mark.parametrize(
    ("link", "state"),
    quickly([(THEIRS, "key-changed"), (OURS, "signature"), ("", "key-changed")], [(THEIRS, "key-changed")]),
)
def test_a_site_with_another_key_than_before(chromium: Chromium, link: str, state: str) -> None:
    """A link to the new key does not hide that the key is not the one that this browser remembers."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.become({**EVIL, "policy.txt": policy_of(THEIRS)})
        one.page.goto("about:blank")
        one.open(f"#vkey={link}" if link else "")
        assert one.said("#head")[0] == state
        nothing_is_green(one)


@pytest.mark.slow
def test_a_log_without_a_policy(chromium: Chromium) -> None:
    """Where nothing names a key, that of a link is known from the click on, if it signed the log; it is remembered."""
    with site(chromium, NO_POLICY, faults=True) as one:
        one.open(f"#vkey={OURS}")
        assert one.said("#head")[1] == ASKED
        nothing_is_green(one)
        all_the_same(one)
        assert one.said("#head")[0] == "verified-log-only"
        assert "accepted by you" in one.said("#head")[2]
        one.page.goto("about:blank")
        one.open()
        assert "remembered from an earlier visit" in one.said("#head")[2]
        one.page.goto("about:blank")
        one.open(f"#vkey={THEIRS}")
        assert one.said("#head")[1] == ASKED
        assert OURS in one.said("#head")[2]


@pytest.mark.slow
def test_a_wrong_key_without_a_policy(chromium: Chromium) -> None:
    """A key that did not sign the log stays unknown after the click, and is not remembered."""
    with site(chromium, NO_POLICY, faults=True) as one:
        one.open(f"#vkey={THEIRS}")
        all_the_same(one)
        assert one.said("#head")[:2] == ("unknown-key", "Unknown key: Wrong signature")
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        assert one.said()[:2] == ("unknown-key", "Unknown key: entry 1 of 3")
        nothing_is_green(one)
        one.page.goto("about:blank")
        one.open()
        assert one.said("#head")[0] == "no-key"
