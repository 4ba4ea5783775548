"""A real Chromium for tests, and pages in it that may do nothing unasked: no error, no violation, no other origin."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.web_server import PAGE, LogServer

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 20_000  # milliseconds
# what most logs do not have, and the page asks for all the same: statements about keys, days without an entry
USUALLY_MISSING = re.compile(r"/(keys/0|site\.txt|checkpoints/days/[0-9-]+)$")
# the pauses between two attempts, which end with a promise's own function, take a twentieth of their time
HASTE = "{ const wait = setTimeout; setTimeout = (done, time) => wait(done, done.length ? time / 20 : time); }"


class Chromium:
    """A browser, with one page that tests use one after the other: each new context costs a process."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._shared: Site | None = None

    def new_context(self, **options: Any) -> Any:
        """Return a context of its own."""
        return self._browser.new_context(**options)

    def shared(self) -> Site:
        """Return the page that tests use one after the other."""
        self._shared = self._shared or Site(self)
        return self._shared

    def forget(self) -> None:
        """Let the next test begin with a new page: the one that tests used has failed."""
        self._shared = None


def start_chromium() -> Iterator[Chromium]:
    """Yield a browser; skip, loudly, where there is none."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("NOT TESTED in a browser: web/: playwright is not installed (pip install playwright)")
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=ARGUMENTS
            )
        except Error as error:
            pytest.skip(f"NOT TESTED in a browser: web/: no Chromium can be started: {str(error)[:200]}")
        yield Chromium(browser)
        browser.close()


class Site:
    """A page of a log, in a browser context of its own. `begin` makes it one that has never seen the log."""

    def __init__(self, chromium: Chromium, **options: Any) -> None:
        self.server = LogServer({})
        self.faults = False
        self.trouble: list[str] = []
        self.context = chromium.new_context(**{"color_scheme": "light", **options})
        self.context.set_default_timeout(WAIT)
        self.context.on("request", self._request)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.trouble.append(f"page error: {error.error}"))
        self.context.add_init_script(HASTE)
        self.page = self.context.new_page()
        self._devtools = self.context.new_cdp_session(self.page)
        self._devtools.send("Page.enable")  # or scripts that are added do not run
        self._scheme = options.get("color_scheme", "light")
        self._script = ""

    def begin(self, objects: Mapping[str, bytes], *, faults: bool = False, script: str = "") -> None:
        """Serve this log, and forget what was seen before.

        faults   what a console may say because the test broke the server: network errors only
        script   what runs before the page's own scripts
        """
        self.server.begin(objects)
        self._script = self._added(script) if script else ""
        self.faults, self.trouble = faults, []
        self.page.emulate_media(color_scheme=self._scheme)
        origin = self.server.url.rstrip("/")
        self._devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})

    def _added(self, script: str) -> str:
        added = self._devtools.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        return str(added["identifier"])

    def become(self, objects: Mapping[str, bytes]) -> None:
        """Serve this log from now on, to a browser that has seen the other one."""
        self.server.objects = {**PAGE, **objects}

    def open(self, fragment: str = "", path: str = "") -> None:
        """Open the page, and wait for what it says of the log."""
        self.page.goto(f"{self.server.url}{path}{fragment}")
        self.page.wait_for_selector("#head [data-state]", timeout=WAIT)

    def reload(self) -> None:
        """Open the page again."""
        self.page.reload()
        self.page.wait_for_selector("#head [data-state]")

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Choose files; what was said before is cleared away."""
        self.clear()
        chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
        self.page.set_input_files("#files", files=chosen)

    def ask(self, text: str) -> None:
        """Type into the field; what was said before is cleared away."""
        self.clear()
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def clear(self) -> None:
        """Take all results off the page."""
        self.page.evaluate("document.querySelector('#results').replaceChildren()")

    def said(self, where: str = "#results", state: str = "") -> tuple[str, str, str]:
        """Return state, headline and all words of the first card, once it is not at work any more."""
        wanted = f"[data-state={state}]" if state else "[data-state]:not([data-state=working])"
        card = self.page.wait_for_selector(f"{where} > .card{wanted}")
        if where == "#head":
            card.evaluate("card => card.querySelectorAll(':scope > details').forEach(one => (one.open = true))")
        headline = card.query_selector("h2").evaluate("heading => heading.lastChild.textContent")
        return card.get_attribute("data-state"), headline, card.inner_text()

    def judge(self) -> None:
        """Fail if anything happened unasked. To be called once the page is left: what is on the way has come then."""
        if self.trouble:
            pytest.fail(f"in the page: {self.trouble}")

    def leave(self) -> None:
        """Leave the page, and what runs before its scripts."""
        if self._script:
            self._devtools.send("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self._script})
        self.page.goto("about:blank")

    def close(self) -> None:
        """Close the context and the server."""
        self.context.close()
        self.server.close()

    def _request(self, request: Any) -> None:
        where = urlsplit(request.url)
        if f"{where.scheme}://{where.netloc}/" != self.server.url and where.scheme not in ("blob", "data"):
            self.trouble.append(f"request to {request.url}")

    def _console(self, message: Any) -> None:
        network = message.text.startswith("Failed to load resource")
        # a browser says of each object that it is not there
        usual = network and USUALLY_MISSING.search(message.location.get("url", ""))
        if message.type in ("error", "warning") and not (self.faults and network) and not usual:
            self.trouble.append(f"console: {message.text}")


@contextmanager
def site(
    chromium: Chromium,
    objects: Mapping[str, bytes],
    *,
    faults: bool = False,
    script: str = "",
    own: bool = False,
    **options: Any,
) -> Iterator[Site]:
    """Return the page of a log in a browser that has never seen it; judged at the end.

    faults    see `Site.begin`
    script    the same
    own       in a context of its own, for a test that changes the context; so it is where there are options:
    options   of the context
    """
    own = own or bool(options)
    one = Site(chromium, **options) if own else chromium.shared()
    try:
        one.begin({**PAGE, **objects}, faults=faults, script=script)
        yield one
    except BaseException:
        one.close()
        if not own:
            chromium.forget()
        raise
    if own:
        one.close()
    else:
        one.leave()
    one.judge()


def downloads(one: Site, card: str) -> dict[str, bytes]:
    """Press each button that saves something, and return the files."""
    saved = {}
    for button in one.page.query_selector_all(f"{card} button"):
        if button.inner_text().startswith("Save"):
            with one.page.expect_download() as download:
                button.click()
            saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    return saved


@cache
def axe() -> str:
    """Return the source of axe-core; skip, loudly, where it is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.origin:
        pytest.skip("NOT TESTED for accessibility: web/: axe-playwright-python is not installed")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


# in the dark the page differs by its colours alone
RULES = {"light": "{}", "dark": "{runOnly: {type: 'tag', values: ['cat.color']}}"}


def check_accessible(page: Any) -> None:
    """Hold the rule: axe-core finds nothing, in light and dark."""
    page.evaluate(axe())
    violations = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        options = f"{{resultTypes: ['violations'], ...{rules}}}"
        found = page.evaluate(f"axe.run(document, {options}).then(result => result.violations)")
        violations += [(scheme, one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
    if violations:
        pytest.fail(f"axe-core: {violations}")
