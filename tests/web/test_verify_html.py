"""verify.html, the page as one file: reproducible, without a network, and put into a log with the rest of the page."""

from __future__ import annotations

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import check_accessible, site
from tests.support.signed_text import LOG, W1, W2
from tests.support.web_logs import FILE, FRESH, MLDSA, NO_CRYPTO, NO_MLDSA, PLAIN, WITNESSED, proof_of, with_times
from tests.support.web_server import PAGE
from tiles.notes.policy import parse_policy, policy_for
from tiles.page import VERIFY, install_page, page_files, verify_page
from tiles.store.memory import MemoryStore

pytest_plugins = ["tests.support.browser_fixture"]

POLICY = policy_for(LOG.verifier)


def test_the_same_for_the_same_policy() -> None:
    """The same policy gives the same bytes; another policy another file."""
    assert verify_page(POLICY) == verify_page(POLICY)
    assert verify_page(POLICY) != verify_page(parse_policy(WITNESSED))


class Parts(HTMLParser):
    """What an HTML file refers to, and its inline parts."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down a tag."""
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]


def test_one_file() -> None:
    """It refers to nothing outside itself, and no import or export is left in its one script."""
    page = verify_page(POLICY).decode()
    parts = Parts()
    parts.feed(page)
    assert parts.links == []
    assert (parts.tags.count("script"), parts.tags.count("style")) == (1, 1)
    assert "connect-src" not in page
    assert not re.search(r"^\s*(?:import|export)\b|\bimport\(", page, re.MULTILINE)


def test_installing() -> None:
    """The page's files are put into a log's public part; again, nothing changes; what differs is replaced."""
    store = MemoryStore()
    changed = install_page(store, POLICY)
    assert changed == list(page_files(POLICY))
    assert {"index.html", "page/app.js", "verifier/tlog.js", "style.css", "icon.svg", VERIFY} <= set(changed)
    assert {listed.path for listed in store.list("")} == set(changed)
    assert install_page(store, POLICY) == []
    assert install_page(store, parse_policy(WITNESSED)) == [VERIFY]
    edited = store.read("page/entry.js")
    store.swap("page/entry.js", b"// ours", edited.version)
    assert install_page(store, parse_policy(WITNESSED)) == []
    files = page_files(POLICY)
    imported = {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        for name, data in files.items()
        for path in re.findall(r'"(\.{1,2}/[\w/]+\.js)"', data.decode())
    }
    assert "verifier/tlog.js" in imported
    assert imported <= set(changed)


def opened(chromium: Any, path: Path, policy: bytes, script: str = "") -> Any:
    """Return verify.html, opened from a disk, in a browser without a network."""
    path.write_bytes(verify_page(parse_policy(policy)))
    context = chromium.new_context(offline=True)
    context.trouble = []
    context.on("console", lambda message: context.trouble.append(message.text))
    context.on("weberror", lambda error: context.trouble.append(str(error.error)))
    page = context.new_page()
    if script:
        page.add_init_script(script)
    page.goto(path.as_uri())
    return page


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    """Choose files."""
    chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    page.set_input_files("#files", files=chosen)


def test_from_a_disk(chromium: Any, tmp_path: Path) -> None:
    """From file://, offline: a good proof is verified, a bad one is not, in any order, and the page asks nobody."""
    page = opened(chromium, tmp_path / VERIFY, PLAIN["policy.txt"])
    page.wait_for_selector("#head [data-state=ready]")
    proof = proof_of(PLAIN, 300)
    drop(page, ("a.txt", FILE), ("a.tlog-proof", proof))
    page.wait_for_selector("#results > :first-child[data-state=verified-log-only]")
    assert "built into this file" in page.text_content("#results")
    drop(page, ("b.txt", b"other"), ("a.tlog-proof", proof))
    page.wait_for_selector("#results > :first-child[data-state=inclusion]")
    page.reload()
    drop(page, ("a.txt", FILE))
    page.wait_for_selector("#results > :first-child[data-state=needs-proof]")
    check_accessible(page)
    drop(page, ("a.tlog-proof", proof))
    page.wait_for_selector("#results > :first-child[data-state=verified-log-only]")
    check_accessible(page)
    page.reload()
    drop(page, ("a.txt", FILE))
    page.wait_for_selector("#results > :first-child[data-state=needs-proof]")
    drop(page, ("a.txt", FILE), ("a.tlog-proof", proof))  # the file once more, and it is still one
    page.wait_for_selector("#results > :first-child[data-state=verified-log-only]")
    assert page.locator("#results > *").count() == 1
    assert page.context.trouble == []
    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')")
    assert refused == "refused"
    assert "Content Security Policy" in " ".join(page.context.trouble)
    page.context.close()


def test_a_quorum_from_a_disk(chromium: Any, tmp_path: Path) -> None:
    """The policy in the file decides: witnesses it asks for must have cosigned."""
    page = opened(chromium, tmp_path / VERIFY, WITNESSED)
    drop(page, ("a.txt", FILE), ("a.tlog-proof", proof_of(FRESH, 300)))
    page.wait_for_selector("#results > :first-child[data-state=verified]")
    drop(page, ("a.txt", FILE), ("a.tlog-proof", proof_of(PLAIN, 300)))
    page.wait_for_selector("#results > :first-child[data-state=quorum]")
    assert W1.verifier.vkey in page.text_content("#head")
    assert page.context.trouble == []
    page.context.close()


@pytest.mark.parametrize("script", ["", NO_MLDSA], ids=["native", "library"])
def test_mldsa_from_a_disk(chromium: Any, tmp_path: Path, script: str) -> None:
    """A policy with an ML-DSA-44 key brings the library along, and no other does."""
    policy = f"{MLDSA}quorum w2\n".encode()
    assert b"FIPS 204" in verify_page(parse_policy(policy))
    assert b"FIPS 204" not in verify_page(parse_policy(WITNESSED))
    page = opened(chromium, tmp_path / VERIFY, policy, script)
    drop(page, ("a.txt", FILE), ("a.tlog-proof", proof_of(with_times(PLAIN, (W2, 60)), 300)))
    page.wait_for_selector("#results > :first-child[data-state=verified]")
    assert page.context.trouble == []
    page.context.close()


def test_without_cryptography(chromium: Any, tmp_path: Path) -> None:
    """Where the browser has no cryptography, it says so."""
    page = opened(chromium, tmp_path / VERIFY, WITNESSED, NO_CRYPTO)
    page.wait_for_selector("#head [data-state=insecure]")
    page.context.close()


def test_from_a_log(chromium: Any) -> None:
    """The page links to it, and it works from there too."""
    with site(chromium, {**PLAIN, **page_files(POLICY)}) as one:
        one.open()
        one.page.goto(f"{one.server.url}{VERIFY}")
        one.page.wait_for_selector("#head [data-state=ready]")
        drop(one.page, ("a.txt", FILE), ("a.tlog-proof", proof_of(PLAIN, 300)))
        assert one.said()[0] == "verified-log-only"
    assert set(page_files(POLICY)) - {VERIFY} == set(PAGE) - {"page/offline.js", "verify.template.html"}
