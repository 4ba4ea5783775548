"""verify.html, opened from a disk in a browser without a network, and what it says of a file and its proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browser import Chromium
from tiles.notes.policy import parse_policy
from tiles.page import VERIFY, verify_page


@contextmanager
def opened_offline(chromium: Chromium, folder: Path, policy: bytes) -> Iterator[Any]:
    """Return the page; fail if anything is in the console at the end."""
    path = folder / VERIFY
    path.write_bytes(verify_page(parse_policy(policy)))
    context = chromium.new_context(offline=True)
    trouble: list[str] = []
    context.on("console", lambda message: trouble.append(message.text))
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#head [data-state=ready]")
    yield page
    context.close()
    assert trouble == []


def dropped(page: Any, *files: tuple[str, bytes]) -> tuple[str, str]:
    """Drop files together, and return the state and the words of the card that comes of them."""
    page.evaluate("document.querySelector('#results').replaceChildren()")
    chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    page.set_input_files("#files", files=chosen)
    card = page.wait_for_selector("#results > .card[data-state]:not([data-state=working])")
    return card.get_attribute("data-state"), card.inner_text()


def judge_offline(
    chromium: Chromium, folder: Path, policy: bytes, file: tuple[str, bytes], proof: bytes, counted: str
) -> None:
    """Hold what verify.html has to say of a proof: it is green with all of its cosignatures, and names who counted.

    folder    where verify.html is put
    counted   the witnesses by their names in the policy, in the quorum's order: "w1, w2, w3"
    """
    with opened_offline(chromium, folder, policy) as page:
        state, words = dropped(page, file, ("a.tlog-proof", proof))
        assert state == "verified", words
        assert f"Independent witnesses have confirmed it: {counted}." in words
