"""What a visit remembers, and what the next one makes of it."""

from __future__ import annotations

from tests.support.browser import Chromium, check_accessible, downloads, site
from tests.support.signed_text import LOG
from tests.support.web_logs import GROWN, OTHERS, PLAIN, SMALLER
from tiles.notes.fork_evidence import check_fork
from tiles.notes.policy import policy_for
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]


def test_evidence_of_a_fork(chromium: Chromium) -> None:
    """The evidence that the page saves is what the core accepts; a reload finds the fork again."""
    with site(chromium, SMALLER) as one:
        one.open()
        one.become(OTHERS)
        for _ in range(2):
            one.reload()
            assert one.said("#head")[0] == "fork"
        older, newer = check_fork(downloads(one, "#head"), policy_for(LOG.verifier))
        assert (older.data, newer.data) == (SMALLER[CHECKPOINT], OTHERS[CHECKPOINT])
        one.become(GROWN)
        one.reload()
        assert one.said("#head")[0] == "verified-log-only"


def test_another_key_during_a_visit(chromium: Chromium) -> None:
    """Who enters a key sees the log once more: it extends what this visit has seen, a moment ago."""
    with site(chromium, PLAIN) as one:
        one.open()
        assert "First visit on this browser" in one.said("#head")[2]
        one.page.evaluate("key => { location.hash = `vkey=${encodeURIComponent(key)}`; }", LOG.verifier.vkey)
        one.page.wait_for_selector('#head :text("this page\'s address")', state="attached")
        said = one.said("#head")[2]
        assert "It extends what you saw" in said
        assert "days ago" not in said


def test_damaged_memory(chromium: Chromium) -> None:
    """A memory that is damaged is said to be, and can be forgotten."""
    with site(chromium, PLAIN) as one:
        one.open()
        for where in ("#head", "#keys"):
            one.page.evaluate(
                "for (const id of Object.keys(localStorage)) "
                "if (/^tlog:[0-9a-f]+$/.test(id)) localStorage.setItem(id, 'x')"
            )
            one.reload()
            assert one.said("#head")[:2] == ("memory", "What this browser remembers of the log is damaged")
            check_accessible(one.page)
            one.page.click("#keys > summary")
            one.page.click(f"{where} button:has-text('Forget what this browser remembers')")
            one.page.wait_for_selector("#head [data-state=verified-log-only]")


def test_a_browser_that_keeps_nothing(chromium: Chromium) -> None:
    """Where there is no storage, the page works, and says that it is the first visit."""
    script = (
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    with site(chromium, PLAIN, script=script) as one:
        for _ in range(2):
            one.open()
            assert "First visit on this browser" in one.said("#head")[2]
