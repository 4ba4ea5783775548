"""What pictures of the page showed to be wrong: names in other scripts, long ones, no JavaScript, print, what next."""

from __future__ import annotations

import pytest

from tests.support.browser import Chromium, Site, site
from tests.support.maintainer_log import LONGEST, NAMES, RELEASE, maintained
from tests.support.signed_text import LOG
from tests.support.web_logs import PLAIN, POLICY, log_of
from tests.support.web_server import PAGE
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]


def test_a_file_under_another_name(chromium: Chromium) -> None:
    """A file that a browser has renamed is found in a small log, and said to be logged under another name."""
    with site(chromium, maintained(), faults=True) as one:
        one.open()
        one.drop(("orbit-2.8.0-py3-none-any (1).whl", RELEASE))
        state, headline, words = one.said()
        assert (state, headline) == ("verified", "In the log: entry 298 of 300")
        assert "Your file is exactly the one that was logged." in words
        assert "It was logged under another name: see below." in words
        assert "orbit-2.8.0-py3-none-any.whl" in words


def test_names_in_a_list(chromium: Chromium) -> None:
    """A long name keeps its end, a name has its own direction, and no character that is seen as one is torn apart."""
    with site(chromium, maintained(), faults=True, viewport={"width": 320, "height": 640}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse svg")
        shown = one.page.eval_on_selector_all("#browse .line > code", "all => all.map(one => one.textContent)")
        long, ends = NAMES[0], [name for name in shown if "…" in name]
        assert f"{long[:44]}…{long[-20:]}" in ends
        assert f"{LONGEST[:44]}…{LONGEST[-20:]}" in ends
        assert NAMES[3] in shown
        bidi = "all => all.map(one => getComputedStyle(one).unicodeBidi)"
        assert set(one.page.eval_on_selector_all("#browse .line > code", bidi)) == {"plaintext"}
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_how_to_check_without_the_page(chromium: Chromium) -> None:
    """The command has the log's key in it, so that it can be copied; verify.html is offered."""
    with site(chromium, maintained(), faults=True) as one:
        one.open()
        one.page.click("#self > summary")
        command = one.page.wait_for_selector("#self pre")
        assert f"tiletree verify FILE --proof FILE.tlog-proof --vkey {LOG.verifier.vkey}" in command.inner_text()
        assert one.page.get_attribute("#self a", "href") == "verify.html"


def test_an_empty_log(chromium: Chromium) -> None:
    """It says that nothing was published yet, and not that another number should be typed."""
    with site(chromium, {**log_of([]), "policy.txt": POLICY}, faults=True) as one:
        one.open()
        one.page.click("[data-sample=newest]")
        assert one.said()[:2] == ("call", "The log has no entries yet")
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse:has-text('They are listed here once something is published.')")


@pytest.mark.slow
def test_without_javascript(chromium: Chromium) -> None:
    """What does nothing without it is not shown; what to use instead is."""
    one = Site(chromium, java_script_enabled=False)
    one.server.begin({**PAGE, **maintained()})
    one.page.goto(one.server.url)
    assert one.page.is_visible("noscript > .card")
    assert [part for part in ("#ask", "#head", "#samples", "#more") if one.page.is_visible(part)] == []
    one.close()


@pytest.mark.slow
def test_on_paper(chromium: Chromium) -> None:
    """A verdict is printed without what can only be pressed, and dark on light."""
    with site(chromium, maintained(), faults=True, color_scheme="dark") as one:
        one.open()
        one.drop(("orbit-2.8.0-py3-none-any.whl", RELEASE))
        one.said(state="verified")
        one.page.emulate_media(media="print")
        assert one.page.is_visible("h2:has-text('In the log: entry 298 of 300')")
        assert [part for part in ("#ask", "#more", "#samples", "#results button") if one.page.is_visible(part)] == []
        assert one.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


@pytest.mark.slow
def test_a_slow_line(chromium: Chromium) -> None:
    """What is opened while the log or its entries are still read says so."""
    entry_bundles = {path for path in PLAIN if path.startswith("tile/entries/")}
    for hang, where in (({CHECKPOINT}, "#browse > div > p"), (entry_bundles, "#browse [role=status]")):
        with site(chromium, PLAIN, faults=True) as one:
            one.server.hang = hang
            one.page.goto(one.server.url)
            one.page.click("#browse > summary")
            one.page.wait_for_selector(f"{where}:has-text('Reading …')")
