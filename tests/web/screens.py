"""Takes pictures of the page's main states: python -m tests.web.screens FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.browser import Site, start_chromium
from tests.support.web_bundles import NAME, OTHER, pem, signed_log
from tests.support.web_logs import FILE, FRESH, OTHERS, SMALLER
from tests.support.web_server import PAGE

LOOKS = {"light": ("light", 900), "dark": ("dark", 900), "phone": ("light", 320)}
SIGNED = {  # name of a picture → bundle, its file, and further files
    "key-unnamed": ("key", FILE, ()),
    "signed": ("key", FILE, (("signer.pub", pem()),)),
    "other-file": ("key", OTHER, ()),
    "attestation": ("attestation", FILE, (("signer.pub", pem()),)),
    "certificate": ("certificate", FILE, ()),
    "hostile": ("hostile", FILE, ()),
}


def take(folder: Path) -> None:
    """Take all pictures."""
    for browser in start_chromium():
        for look, (scheme, width) in LOOKS.items():
            size = {"width": width, "height": 640}
            one = Site(browser, color_scheme=scheme, viewport=size)
            one.begin({**PAGE, **FRESH})
            one.open()
            one.drop(("hello.txt", FILE))
            one.said(state="verified")
            one.page.screenshot(path=folder / f"verified-{look}.png", full_page=True)
            one.page.click("#results summary:has-text('Show the path')")
            one.page.check("#results input[type=checkbox]")
            one.page.locator("#results .card").screenshot(path=folder / f"path-{look}.png")
            one.page.evaluate("document.querySelector('#results').replaceChildren()")
            one.page.click("[data-sample=sabotaged]")
            one.said(state="inclusion")
            one.page.screenshot(path=folder / f"sabotaged-{look}.png", full_page=True)
            one.page.evaluate("document.querySelector('#results').replaceChildren()")
            one.page.click("#browse > summary")
            one.page.wait_for_selector("#browse svg")
            one.page.locator("#more").screenshot(path=folder / f"entries-{look}.png")
            one.begin({**PAGE, **SMALLER})
            one.open()
            one.server.objects = {**PAGE, **OTHERS}
            one.reload()
            one.page.screenshot(path=folder / f"fork-{look}.png", full_page=True)
            take_signed(one, folder, look)
            one.close()


def take_signed(one: Site, folder: Path, look: str) -> None:
    """Take pictures of signed files."""
    objects, bundles = signed_log()
    one.begin({**PAGE, **objects})
    for picture, (name, file, more) in SIGNED.items():
        one.open()
        one.page.reload()
        one.drop((NAME, file), (f"{NAME}.sigstore.json", bundles[name]), *more)
        one.said()
        one.page.locator("#results").screenshot(path=folder / f"{picture}-{look}.png")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
