"""The page of a log in a browser that WebDriver drives: what `tests.support.browser.Site` is for Chromium."""

from __future__ import annotations

import os
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.interop.webdriver import ENTER, PATIENCE, TAB, Window
from tests.support.browser import HASTE
from tests.support.web_server import PAGE, LogServer

REPLACED = ("verifier/lookup.js", "verifier/mldsa.js")  # by what some tests have in their place, or without it
BLANK = b"<!doctype html><title>blank</title>"
# runs before the page's own scripts, and takes down what no visitor should see
WATCHING = """
window.trouble = [];
addEventListener("error", (event) => trouble.push(`page error: ${event.message}`));
addEventListener("unhandledrejection", (event) => trouble.push(`page error: ${event.reason}`));
document.addEventListener("securitypolicyviolation", (event) => trouble.push(`policy: ${event.violatedDirective}`));
for (const name of ["error", "warn"]) console[name] = (...words) => trouble.push(`console: ${words.join(" ")}`);
"""
FIRST_CARD = """
const [where, wanted] = arguments;
const state = wanted ? `[data-state=${wanted}]` : "[data-state]:not([data-state=working])";
const card = document.querySelector(`${where} > .card${state}`);
if (!card) return null;
if (where === "#head") card.querySelectorAll(":scope > details").forEach((one) => (one.open = true));
return [card.dataset.state, card.querySelector("h2").lastChild.textContent, card.innerText];
"""
DROP = """
const data = new DataTransfer();
const bytes = (base64) => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
for (const [name, base64] of arguments[0]) data.items.add(new File([bytes(base64)], name));
const event = { dataTransfer: data, bubbles: true, cancelable: true };
for (const kind of ["dragenter", "dragover", "drop"])
  document.querySelector("#drop").dispatchEvent(new DragEvent(kind, event));
return data.files.length;
"""
FOCUSED = """
const found = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(found);
const seen = found.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
return [found.id || found.textContent.trim(), seen ? `${outlineStyle} ${outlineWidth}` : ""];
"""
# an engine draws what a script has changed with the next frame, and a picture is of what is drawn
PAINTED = """
window.painted = false;
requestAnimationFrame(() => requestAnimationFrame(() => (window.painted = true)));
"""


class EnginePage:
    """A page in a window. `begin` makes it one that has never seen the log."""

    def __init__(self, name: str, window: Window, folder: Path) -> None:
        """Take over a window of an engine that was started in a folder; what is chosen is put there too."""
        self.name = name
        self.page = window
        self.server = LogServer({})
        self._home = folder / "home"
        self._folder = folder / "chosen"
        self._folder.mkdir()
        self._drops = 0
        self._page: dict[str, bytes] = {}

    def begin(self, objects: Mapping[str, bytes], script: str = "") -> None:
        """Serve this log, and forget what was seen before; script: what runs before the page's own scripts."""
        before = '<script src="before.js"></script>\n<script type="module"'
        index = PAGE["index.html"].replace(b'<script type="module"', before.encode())
        # the server lets browsers keep what is an object of PAGE; a copy of it is asked for each time
        copies = {path: bytes(bytearray(PAGE[path])) for path in REPLACED}
        self._page = {**PAGE, **copies, "index.html": index, "blank.html": BLANK}
        self._page["before.js"] = (HASTE + WATCHING + script).encode()
        self.server.begin({**self._page, **objects})
        self.page.open(f"{self.server.url}blank.html")
        self.page.run("localStorage.clear()")

    def become(self, objects: Mapping[str, bytes]) -> None:
        """Serve this log from now on, to a browser that has seen the other one."""
        self.server.objects = {**self._page, **objects}

    def open(self, fragment: str = "") -> None:
        """Open the page, and wait for what it says of the log."""
        self.page.open(f"{self.server.url}{fragment}")
        self.page.until("return document.querySelector('#head [data-state]') !== null")

    def reload(self) -> None:
        """Open the page again."""
        self.page.reload()
        self.page.until("return document.querySelector('#head [data-state]') !== null")

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Choose files, as `Site.drop` does; what was said before is cleared away."""
        self.clear()
        self._drops += 1
        folder = self._folder / str(self._drops)
        folder.mkdir()
        for name, data in files:
            (folder / name).write_bytes(data)
        self.page.choose("#files", *(folder / name for name, _ in files))

    def drag(self, *files: tuple[str, bytes]) -> None:
        """Let go of files above the page: the events that a mouse causes, with a DataTransfer that holds the files."""
        self.clear()
        assert self.page.run(DROP, [(name, b64encode(data).decode()) for name, data in files]) == len(files)

    def ask(self, text: str) -> None:
        """Type into the field; what was said before is cleared away."""
        self.clear()
        self.page.run(
            "document.querySelector('#text').focus(); document.querySelector('#text').value = arguments[0]", text
        )
        self.page.press(ENTER)

    def stop(self) -> tuple[str, str]:
        """Press Tab; return what has the focus then, and how it is seen: its outline's style and width, or ""."""
        self.page.press(TAB)
        found = self.page.run(FOCUSED)
        return found[0], found[1]

    def clear(self) -> None:
        """Take all results off the page."""
        self.page.run("document.querySelector('#results').replaceChildren()")

    def said(self, where: str = "#results", state: str = "") -> tuple[str, str, str]:
        """Return state, headline and all words of the first card, once it is not at work any more."""
        found = self.page.until(FIRST_CARD, where, state)
        return found[0], found[1], found[2]

    def saved(self, name: str) -> bytes:
        """Return a file that was saved, once it has been written."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for path in self._home.rglob(name):  # Firefox has a folder for what it saves, MiniBrowser none
                if data := path.read_bytes():
                    path.unlink()
                    return data
            time.sleep(0.05)
        pytest.fail(f"{name} was not saved")

    def save_picture(self, name: str) -> None:
        """Save a picture of the window where PICTURES names a folder, for people to look at."""
        if folder := os.environ.get("PICTURES"):
            self.page.run(PAINTED)
            self.page.until("return window.painted")
            path = Path(folder) / f"{self.name}-{re.sub('[^a-z0-9]+', '-', name.lower())}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.page.picture())

    def judge(self) -> None:
        """Fail if the page did anything unasked: an error, a violation of its policy, a request to somebody else."""
        asked = self.page.run("return performance.getEntriesByType('resource').map((one) => one.name)")
        own = urlsplit(self.server.url).netloc
        elsewhere = [url for url in asked if urlsplit(url).netloc != own and not url.startswith(("blob:", "data:"))]
        trouble = self.page.run("return window.trouble ?? ['before.js did not run']")
        if trouble or elsewhere:
            pytest.fail(f"in the page: {trouble}, {elsewhere}")

    def close(self) -> None:
        """Stop the server."""
        self.server.close()
