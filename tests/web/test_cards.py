"""What all cards have: whom they are about, their order, a way to clear them; and many files as a table."""

from __future__ import annotations

from tests.support.browser import Chromium, check_accessible, site
from tests.support.readers import entry
from tests.support.web_logs import FILE, OTHERS, PLAIN, SMALLER, WITNESSED, proof_of
from tiles.notes.policy import parse_policy
from tiles.page import verify_page

pytest_plugins = ["tests.support.browser_fixture"]


def test_each_card_names_what_it_is_about(chromium: Chromium) -> None:
    """The newest is on top, each names its file or what was asked, and all are cleared with what waited."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.drop(("a.txt", FILE))
        one.said()
        one.page.set_input_files("#files", files=[{"name": "b", "mimeType": "", "buffer": b"never logged"}])
        one.said(state="absent")
        one.page.fill("#text", "dist/c.whl")
        one.page.press("#text", "Enter")
        one.page.wait_for_selector("#results > :nth-child(3)")
        one.page.wait_for_selector("#results:not(:has([data-state=working]))")
        about = one.page.eval_on_selector_all("#results > .card > .of", "lines => lines.map(line => line.textContent)")
        assert about == ["dist/c.whl", "b", "a.txt"]
        one.page.set_input_files("#files", files=[{"name": "p", "mimeType": "", "buffer": proof_of(PLAIN, 301)}])
        one.said(state="needs-file")
        one.page.click("text=Clear results")
        assert one.page.query_selector("#results > *") is None
        assert not one.page.is_visible("text=Clear results")
        assert one.page.evaluate("document.activeElement.id") == "files"
        one.drop(("x", b"never logged"))
        assert one.said()[0] == "absent"  # the proof does not wait any more


def test_the_fork_is_told_once(chromium: Chromium) -> None:
    """Evidence is offered beside the tree head, and not with each file; names of errors are in the details only."""
    with site(chromium, SMALLER) as one:
        one.open()
        one.become(OTHERS)
        one.reload()
        assert one.page.query_selector_all("#head > .card > details:not([open])")
        assert "ForkError" not in one.page.inner_text("main")
        one.drop(("a.txt", FILE))
        assert one.said()[0] == "fork-above"
        assert one.page.query_selector("#results button:has-text('Save')") is None
        assert len(one.page.query_selector_all("h2:has-text('Two different histories')")) == 1


def test_many_files(chromium: Chromium) -> None:
    """Each has a row with its verdict, which opens to its card; proofs among them are used; names are text."""
    with site(chromium, PLAIN, viewport={"width": 320, "height": 700}) as one:
        one.open()
        name = "<b>a-very-long-name-of-a-file-1.2.3-py3-none-any.whl"
        one.drop(
            (name, FILE),
            ("a.tlog-proof", proof_of(PLAIN, 300)),
            ("b", b"raw entry"),
            ("c", b"nothing"),
            ("d", entry(7)),
        )
        headline = one.page.wait_for_selector("h2:has-text('4 files: 3 in the log, 1 not in the log')")
        assert headline is not None
        rows = one.page.query_selector_all("#results tbody > tr")
        assert [row.query_selector("th").inner_text() for row in rows] == [name, "b", "c", "d"]
        verdicts = [row.query_selector("summary").inner_text() for row in rows]
        assert verdicts == [
            "✓ In the log: entry 300 of 302",
            "✓ In the log: entry 301 of 302",
            "✗ Not in the log",
            "✓ In the log: entry 7 of 302",
        ]
        assert [row.get_attribute("data-verdict") for row in rows][2] == "absent"
        assert not rows[2].query_selector("div > .card").is_visible()
        rows[2].query_selector("summary").click()
        assert "What to do" in rows[2].inner_text()
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        assert one.page.query_selector("b") is None
        check_accessible(one.page)


def test_verify_html_leads_nowhere(chromium: Chromium) -> None:
    """In the page that is one file no link leads anywhere, and no section is named that it does not have."""
    page = verify_page(parse_policy(WITNESSED)).decode()
    assert "\N{KEY}" not in page
    with site(chromium, {**PLAIN, "verify.html": verify_page(parse_policy(PLAIN["policy.txt"]))}) as one:
        one.page.goto(f"{one.server.url}verify.html")
        one.page.wait_for_selector("#head [data-state=ready]")
        one.drop(("a.txt", FILE), ("a.tlog-proof", proof_of(PLAIN, 300)))
        one.said(state="verified-log-only")
        one.drop(("root.json", b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'))
        words = one.said(state="trusted-root")[2]
        assert ("on the log's own page, says how" in words, "Whom this page trusts" in words) == (True, False)
        one.drop(*((f"{number}.txt", FILE + b"%d" % number) for number in range(4)), ("a.txt", FILE))
        one.page.wait_for_selector("h2:has-text('5 files: 5 to look at')")
        assert one.page.query_selector_all("a[href]") == []
        check_accessible(one.page)


def test_a_file_with_the_name_of_what_a_command_needs(chromium: Chromium) -> None:
    """What stands in a command for the log's key is replaced, and not the same word in the name of a file."""
    script = """async () => (await import(new URL("page/commands.js", document.baseURI))).commandLine(
      "verify FILE --vkey VKEY", { name: "VKEY.FILE", policy: { logs: [{ key: { vkey: "a+b+c" } }] } })"""
    with site(chromium, PLAIN) as one:
        one.open()
        assert one.page.evaluate(script) == "verify VKEY.FILE --vkey a+b+c"
