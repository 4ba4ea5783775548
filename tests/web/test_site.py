"""Whose log it is: site.txt, which an operator edits, and which decides nothing."""

from __future__ import annotations

import json

import pytest

from tests.support.browser import Chromium, check_accessible, site
from tests.support.node import Session
from tests.support.web_logs import PLAIN

pytest_plugins = ["tests.support.browser_fixture", "tests.support.web_fixtures"]

NAMED = (
    b"# of our releases\n\nname Example <b>Project\xe2\x80\xae</b>\n"
    b"link https://example.org/\ncontact mailto:log@example.org\n"
)
WRONG = {
    "no name": b"link https://example.org/\n",
    "another key": b"name a\nowner b\n",
    "twice": b"name a\nname b\n",
    "two spaces": b"name  a\n",
    "a script": b"name a\nlink javascript:alert(1)\n",
    "no TLS": b"name a\nlink http://example.org/\n",
    "credentials": b"name a\nlink https://me:you@example.org/\n",
    "mail for a link": b"name a\nlink mailto:log@example.org\n",
    "a script to write to": b"name a\ncontact javascript:alert(1)\n",
    "quotes": b'name a\ncontact mailto:a"onclick=b@example.org\n',
    "a long name": b"name " + b"a" * 81 + b"\n",
    "line ends of Windows": b"name a\r\n",
    "no text": b"name \xff\n",
}


def test_whose_log_it_is(chromium: Chromium) -> None:
    """Name, link and contact are shown, as text; so is whom to ask where a file is not in the log."""
    with site(chromium, {**PLAIN, "site.txt": NAMED}) as one:
        one.open()
        one.page.wait_for_selector("#site > a + a")
        name = "Example <b>Project⟨U+202E⟩</b>"
        assert one.page.title() == f"{name}: is my file in the log?"
        assert one.page.inner_text("#site > a") == name
        links = one.page.eval_on_selector_all("#site > a", "links => links.map(link => link.getAttribute('href'))")
        assert links == ["https://example.org/", "mailto:log@example.org"]
        one.drop(("c.txt", b"never logged"))
        assert f"or whoever runs this log ({name}, log@example.org)." in one.said()[2]
        assert one.page.query_selector("b") is None
        check_accessible(one.page)


def parsed(session: Session, data: bytes) -> str:
    """Return what the page makes of a site file, or the code of its error."""
    return session.run(f"print(JSON.stringify(parseSite(Uint8Array.from({[*data]}))));")


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_site_file(session: Session, data: bytes) -> None:
    """What is not in the form is an error."""
    assert parsed(session, data) == "Malformed"


def test_what_is_a_site_file(session: Session) -> None:
    """All three lines, or the name alone."""
    name, link, contact = "Example <b>Project\u202e</b>", "https://example.org/", "mailto:log@example.org"
    assert json.loads(parsed(session, NAMED)) == {"name": name, "link": link, "contact": contact}
    assert json.loads(parsed(session, b"name a")) == {"name": "a"}


def test_a_wrong_site_file(chromium: Chromium) -> None:
    """It is said to be one, names nobody, links nowhere, and is in the way of nothing."""
    with site(chromium, {**PLAIN, "site.txt": WRONG["a script"]}) as one:
        one.open()
        one.page.wait_for_selector("#site:has-text('site.txt')")
        assert one.page.query_selector("#site a") is None
        assert one.page.title() == "Is my file in the log?"
        one.ask("7")
        assert one.said()[0] == "verified-log-only"


def test_without_a_site_file(chromium: Chromium) -> None:
    """It may be missing, or too long to be one."""
    for more in ({}, {"site.txt": b"name " + b"a" * 2000}):
        with site(chromium, {**PLAIN, **more}) as one:
            one.open()
            one.ask("7")
            assert one.said()[0] == "verified-log-only"
            assert one.page.inner_text("#site") == "A transparency log"
