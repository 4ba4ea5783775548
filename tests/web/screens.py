"""Takes pictures of the page's main states: python -m tests.web.screens FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from tests.support.browser import Site, start_chromium
from tests.support.other_logs import ct_key, static_ct
from tests.support.signed_text import LOG, W1, W2, W3, key, sign
from tests.support.web_bundles import NAME, OTHER, pem, signed_log
from tests.support.web_logs import FILE, FRESH, OTHERS, PLAIN, SMALLER, with_times
from tests.support.web_server import PAGE
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.key_change import KeyChange, sign_key_change
from tiles.notes.policy import policy_of

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
            one.page.wait_for_selector("#browse [data-entry]")
            one.page.locator("#more").screenshot(path=folder / f"entries-{look}.png")
            one.begin({**PAGE, **SMALLER})
            one.open()
            one.become(OTHERS)
            one.reload()
            one.page.screenshot(path=folder / f"fork-{look}.png", full_page=True)
            take_signed(one, folder, look)
            take_trust(one, folder, look)
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


def take_trust(one: Site, folder: Path, look: str) -> None:
    """Take pictures of quorums in groups, of keys that changed, and of other people's logs."""
    lines = f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"
    lines += f"witness w3 {W3.verifier.vkey}\ngroup abroad any w2 w3\ngroup both all w1 abroad\nquorum both\n"
    for picture, by in {"groups": ((W1, 60), (W3, 90)), "groups-unmet": ((W1, 60),)}.items():
        one.begin({**PAGE, **with_times(PLAIN, *by), "policy.txt": lines.encode()})
        one.open()
        one.page.click("#keys > summary")
        one.page.wait_for_selector("#keys [data-keys], #keys form")
        if picture == "groups":
            one.drop(("hello.txt", FILE))
            one.said()
            one.page.click("#results summary:has-text('What was checked')")
        one.page.screenshot(path=folder / f"{picture}-{look}.png", full_page=True)
    new = key(LOG.name, 77)
    checkpoint = parse_signed_checkpoint(PLAIN["checkpoint"])
    said = KeyChange(0, "add", new.verifier, checkpoint.tree, (LOG.verifier,))
    both = with_signatures(checkpoint.checkpoint, [sign(checkpoint.checkpoint, each) for each in (LOG, new)]).data
    added = {**PLAIN, "keys/0": sign_key_change(said, [LOG, new]).data, "checkpoint": both}
    one.begin({**PAGE, **added})
    one.open()
    one.page.screenshot(path=folder / f"key-added-{look}.png", full_page=True)
    alone = with_signatures(checkpoint.checkpoint, [sign(checkpoint.checkpoint, new)]).data
    one.become({**added, "checkpoint": alone, "policy.txt": policy_of([new.verifier]).data})
    one.reload()
    one.page.screenshot(path=folder / f"key-changed-{look}.png", full_page=True)
    one.begin({**PAGE, **static_ct(300)}, faults=True)
    one.open(f"#vkey={quote(ct_key().vkey)}&layout=static-ct")
    one.page.screenshot(path=folder / f"other-log-{look}.png", full_page=True)
    one.page.click("#head button:has-text('all the same')")
    one.page.wait_for_selector("#head .card:not([data-state=unknown-key])")
    one.ask("4")
    one.said()
    one.page.click("#keys > summary")
    one.page.click("#keys summary:has-text('another kind')")
    one.page.screenshot(path=folder / f"other-log-entry-{look}.png", full_page=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
