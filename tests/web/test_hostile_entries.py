"""Entries and names that whoever can log wrote, to harm who reads them."""

from __future__ import annotations

from tests.support.browser import Chromium, check_accessible, site
from tests.support.signed_text import W1, key
from tests.support.web_logs import POLICY, log_of, with_times

pytest_plugins = ["tests.support.browser_fixture"]


HOSTILE = [
    b"<img src=x onerror=\"document.title='owned'\">",
    b"<script>document.title='owned'</script>",
    "\u202e✓ Verified by the log\u202c\u200b".encode(),
    b"\0\x1b[2J\xff\xfe",
    b"x" * 65_535,
    b"",
    b'{"kind":"<img src=x onerror=alert(1)>","__proto__":{"a":1},"spec":null}',
    b'{"kind":"hashedrekord","spec":{"signature":{"verifier":{"x509Certificate":{"rawBytes":"BgNVHREEAf8w"}}}}}',
    b"\xef\xbb\xbftiletree/file/v1\nsha256 " + b"0" * 64 + b"\nsize 1\n",
    b"javascript:alert(1)",
]


def test_hostile_entries(chromium: Chromium) -> None:
    """Entries are text: nothing in them runs, turns other words around, or makes the page wider."""
    with site(chromium, {**log_of(HOSTILE), "policy.txt": POLICY}, viewport={"width": 320, "height": 700}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse svg")
        for summary in one.page.query_selector_all("#browse .card > summary"):
            summary.click()
        for index in range(len(HOSTILE)):
            one.ask(str(index))
            one.page.wait_for_selector(f"h2:has-text('entry {index} of')")
        text = one.page.inner_text("body")
        assert "<img src=x onerror=" in text
        assert "⟨U+202E⟩" in text
        assert "\u202e" not in text
        assert one.page.title() == "Is my file in the log?"
        assert one.page.query_selector_all("img, iframe, main script, a[href^='javascript']") == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        check_accessible(one.page)


def test_hostile_names(chromium: Chromium) -> None:
    """Origins, witness names and file names are text too."""
    name = "<img/src=x/onerror=document.title='owned'>"
    other = key(name, 91)
    policy = f"log {other.verifier.vkey}\nwitness <b>w</b> {W1.verifier.vkey}\nquorum <b>w</b>\n".encode()
    objects = {**with_times(log_of([b"x"], other), (W1, 3)), "policy.txt": policy}
    with site(chromium, objects) as one:
        one.open()
        assert name in one.said("#head")[2]
        one.page.click("#keys > summary")
        one.drop((name, b"x"))
        one.said(state="verified")
        assert one.page.query_selector_all("img, b") == []
