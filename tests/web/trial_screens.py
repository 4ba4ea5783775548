"""Takes pictures of what the page says of hostile logs, links and ways: python -m tests.web.trial_screens FOLDER.

The page and the log are served by nginx, configured as docs/hosting.md has it. Look at each picture: nothing may be
green that is not proven, cut off, or on top of something else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.browser import Chromium, Site, start_chromium
from tests.support.nginx import nginx, put
from tests.support.readers import entry
from tests.support.signed_text import LOG, W1, W3, key
from tests.support.web_bundles import ENTRY, PROOF, changed, signed_log
from tests.support.web_logs import FILE, PLAIN, POLICY, WITNESSED, flip, log_of, with_times
from tests.support.web_server import PAGE
from tests.support.web_strangers import (
    EVIL,
    EVIL_PROOF,
    HOSTILE,
    SPOILING,
    THEIRS,
    all_the_same,
    policy_of,
)
from tiles.notes.keys import SignatureType

LOOKS = {"wide": ("light", 900), "phone": ("light", 360), "dark": ("dark", 900)}
YEAR = 365 * 86_400  # seconds
W4 = key("witness.example.com/w4", 5, SignatureType.COSIGNATURE)
TWO_OF_THREE = (
    f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w3 {W3.verifier.vkey}\n"
    f"witness w4 {W4.verifier.vkey}\ngroup g 2 w1 w3 w4\nquorum g\n"
).encode()
EVERYTHING = "error_page 404 =200 /index.html;"  # as hosts of pages do that have no 404.html


class Pictures:
    """Pictures of one look, taken in a folder."""

    def __init__(self, chromium: Chromium, folder: Path, look: str) -> None:
        self.chromium, self.folder, self.look = chromium, folder, look

    @contextmanager
    def log(self, objects: Mapping[str, bytes], more: str = "", around: str = "") -> Iterator[tuple[Site, Path]]:
        """Serve a log, and return its page in a browser that has never seen it, and its directory."""
        scheme, width = LOOKS[self.look]
        with tempfile.TemporaryDirectory() as made:
            served = {**PAGE, "favicon.ico": b"", **objects}
            with nginx(Path(made), served, more, around) as url:
                one = Site(self.chromium, color_scheme=scheme, viewport={"width": width, "height": 640})
                one.server.url = url
                yield one, Path(made) / "log"
                one.close()

    def take(self, one: Site, name: str) -> None:
        """Take a picture of the whole page."""
        one.page.screenshot(path=self.folder / f"{name}-{self.look}.png", full_page=True)


def t1(pictures: Pictures) -> None:
    """A link names a key of its maker."""
    with pictures.log(PLAIN) as (one, _):
        one.open(f"#vkey={quote(THEIRS)}")
        pictures.take(one, "t1-link")
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        one.said()
        pictures.take(one, "t1-link-file")
        all_the_same(one)
        one.drop(("a.txt", FILE), ("a.tlog-proof", EVIL_PROOF))
        one.said()
        pictures.take(one, "t1-clicked")
    with pictures.log({**EVIL, "policy.txt": policy_of(LOG.verifier.vkey)}) as (one, _):
        one.open(f"#vkey={THEIRS}&i=1")
        one.said()
        all_the_same(one)
        one.said()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry]")
        one.page.click("#keys > summary")
        pictures.take(one, "t1-log-of-that-key")


def t3(pictures: Pictures) -> None:
    """A quorum a year old, and one witness of today."""
    objects = with_times(PLAIN, (W1, YEAR), (W3, YEAR), (W4, 1))
    with pictures.log({**objects, "policy.txt": TWO_OF_THREE}) as (one, _):
        one.open()
        one.drop(("a.txt", FILE))
        one.said()
        pictures.take(one, "t3-old-quorum")
    objects = with_times(PLAIN, (W1, -90_000), (W3, -90_000))
    with pictures.log({**objects, "policy.txt": WITNESSED}) as (one, _):
        one.open()
        one.drop(("a.txt", FILE))
        one.said()
        pictures.take(one, "t3-future")


def t6(pictures: Pictures) -> None:
    """Entries that spoil their neighbours, or try to."""
    entries = [b"first", *SPOILING.values(), *HOSTILE, b"last"]
    with pictures.log({**log_of(entries), "policy.txt": POLICY}) as (one, _):
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry], #browse [data-state]")
        pictures.take(one, "t6-newest")
        for summary in one.page.query_selector_all("#browse [data-entry] summary"):
            summary.click()
        pictures.take(one, "t6-newest-open")
        one.page.click("#browse button:has-text('Older')")
        one.page.wait_for_selector("#browse:has-text('Entries 0 to 2 of')")
        for summary in one.page.query_selector_all("#browse [data-entry] summary"):
            summary.click()
        pictures.take(one, "t6-oldest-open")
        for index in (1, 4, 9, 12):
            one.ask(str(index))
            one.said()
            pictures.take(one, f"t6-entry-{index}")


def w1(pictures: Pictures) -> None:
    """A tile that was damaged, gone or a login page, and then is right."""
    page = b"<!doctype html><title>Log in</title>"
    wrong = {"damaged": flip(PLAIN["tile/0/000"], 9), "gone": None, "login-page": page}
    for name, data in wrong.items():
        with pictures.log(PLAIN) as (one, root):
            (root / "tile/0/000").unlink()
            put(root, {} if data is None else {"tile/0/000": data})
            one.open()
            one.ask("9")
            one.said()
            pictures.take(one, f"w1-{name}")
            put(root, {"tile/0/000": PLAIN["tile/0/000"]})
            one.reload()
            one.ask("9")
            one.said()
            pictures.take(one, f"w1-{name}-then-right")
            put(root, {"checkpoint": page})
            one.reload()
            pictures.take(one, f"w1-{name}-then-no-checkpoint")


def w4(pictures: Pictures) -> None:
    """A server that is slow, busy for a while, or busy for good."""
    big = {**log_of([*(b"%03d" % n + bytes(60_000) for n in range(100)), b"small"]), "policy.txt": POLICY}
    with pictures.log(big, "limit_rate 1m;") as (one, _):
        one.open()
        one.ask("9")
        one.page.wait_for_timeout(1500)
        pictures.take(one, "w4-slow-at-work")
        one.said()
        pictures.take(one, "w4-slow-done")
    # the pauses between attempts take a twentieth of their time here: 60 requests a second are as 3 to a visitor
    zone = "limit_req_zone $binary_remote_addr zone=few:1m rate=%s; limit_req_status 429;"
    limited = "location /tile/ { limit_req zone=few; default_type application/octet-stream; }"
    with pictures.log(PLAIN, limited, zone % "60r/s") as (one, _):
        one.open()
        one.ask("9")
        one.said()
        pictures.take(one, "w4-busy-then-done")
    with pictures.log(PLAIN, "location /tile/ { return 503; }") as (one, _):
        one.open()
        one.ask("9")
        one.said()
        pictures.take(one, "w4-busy-for-good")


def w5(pictures: Pictures) -> None:
    """A host that answers 200 and its page for whatever is not there."""
    grown = {**log_of([entry(index) for index in range(600)]), "policy.txt": POLICY}
    before = {**log_of([entry(index) for index in range(300)]), "policy.txt": POLICY}
    collected = {path: data for path, data in {**before, **grown}.items() if ".p/44" not in path}
    with pictures.log({**collected, "checkpoint": before["checkpoint"]}, EVERYTHING) as (one, root):
        one.open()
        one.ask("280")
        one.said()
        pictures.take(one, "w5-partial-collected")
        (root / "tile/0/000").unlink()
        one.ask("9")
        one.said()
        pictures.take(one, "w5-tile-missing")
    with pictures.log({path: data for path, data in PLAIN.items() if path != "policy.txt"}, EVERYTHING) as (one, _):
        one.open()
        pictures.take(one, "w5-first-use-without-policy")
        one.page.goto(f"{one.server.url}404.html")
        pictures.take(one, "w5-404")


def w7(pictures: Pictures) -> None:
    """Bundles whose kind comes last, without a checkpoint, and line by line."""
    objects, bundles = signed_log()
    turned = json.dumps(dict(reversed(json.loads(bundles["key"]).items()))).encode()
    with pictures.log(objects) as (one, _):
        one.open()
        one.drop(("hello.txt", FILE), ("kind-last.json", turned))
        one.said(state="key-unnamed")
        pictures.take(one, "w7-kind-last")
        one.drop(("no-checkpoint.json", changed(bundles["key"], *PROOF, "checkpoint", to=None)))
        one.said()
        pictures.take(one, "w7-no-checkpoint")
        broken = changed(bundles["key"], *ENTRY, "canonicalizedBody", to="%")
        lines = [bundles["key"], broken, b"{not JSON", b'{"mediaType":1}', b"null", bundles["certificate"]]
        one.drop(("hello.txt", FILE), ("lines.jsonl", b"\n".join(lines)))
        one.page.wait_for_selector("#results > .card:nth-child(6)")
        one.page.wait_for_selector("#results:not(:has([data-state=working]))")
        pictures.take(one, "w7-lines")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[2:]
    for browser in start_chromium():
        for look in LOOKS:
            for row in (t1, t3, t6, w1, w4, w5, w7):
                if not chosen or row.__name__ in chosen or look in chosen:
                    row(Pictures(browser, target, look))
