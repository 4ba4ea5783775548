"""Makes the pictures of docs/page.md and README.md: python -m tests.web.pictures [FOLDER [LOOK [STATE …]]].

Without a folder they go to docs: one of each state in docs/page-states, and of the whole page. Chromium itself writes
them, small, and without loss but of shades. With a folder only pictures of states are made, in one of LOOKS: look at
each, nothing may be cut off, on top of something else, or green that is not proven.
"""

from __future__ import annotations

import struct
import sys
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from tests.support.browser import Chromium, Site, start_chromium
from tests.support.maintainer_log import RELEASE, maintained
from tests.support.page_states import WHEEL, states
from tests.support.web_server import PAGE

DOCS = Path(__file__).parents[2] / "docs"
LOOKS = {"light": ("light", 440), "dark": ("dark", 640), "phone": ("light", 320), "wide": ("light", 780)}
SHADES = 5  # of red, of green and of blue, for the edges of letters; what covers an area keeps its colour

# PNG in base64 and the number of shades → width, height, colours and an index into these for each pixel, WebP
SMALLER = """async ([png, shades]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height), { data } = pixels, step = 255 / (shades - 1);
  const words = new Uint32Array(data.buffer), seen = new Map();
  for (const one of words) seen.set(one, (seen.get(one) ?? 0) + 1);
  const rare = words.map((one) => (seen.get(one) < words.length / 1000 ? 1 : 0));
  for (let at = 0; at < data.length; at++)
    if (rare[at >> 2]) data[at] = Math.round(Math.round(data[at] / step) * step);
  context.putImageData(pixels, 0, 0);
  const colours = new Map(), indexes = [];
  for (let at = 0; at < data.length; at += 4) {
    const colour = String(data.slice(at, at + 3));
    if (!colours.has(colour)) colours.set(colour, colours.size);
    indexes.push(String.fromCharCode(colours.get(colour)));
  }
  const webp = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 1 })).arrayBuffer());
  const octets = Array.from(webp, (one) => String.fromCharCode(one)).join("");
  return [image.width, image.height, [...colours.keys()], btoa(indexes.join("")), btoa(octets)];
}"""


def png_of(width: int, height: int, colours: list[bytes], indexes: bytes) -> bytes:
    """Return a PNG with a palette, which a canvas does not write. colours: at most 256; indexes: of each pixel"""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + indexes[at : at + width] for at in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(colours)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


class Pictures:
    """Pictures of one look, taken by one browser."""

    def __init__(self, chromium: Chromium, look: str) -> None:
        self.chromium, (self.scheme, self.width) = chromium, LOOKS[look]
        self.blank = chromium.new_context().new_page()

    def site(self) -> Site:
        """Return a page that has seen no log."""
        return Site(self.chromium, color_scheme=self.scheme, viewport={"width": self.width, "height": 700})

    def keep(self, path: Path, png: bytes) -> None:
        """Write a picture; the suffix says in which format."""
        width, height, colours, indexes, webp = self.blank.evaluate(SMALLER, [b64encode(png).decode(), SHADES])
        if path.suffix == ".webp":
            path.write_bytes(b64decode(webp))
        else:
            palette = [bytes(map(int, colour.split(","))) for colour in colours]
            path.write_bytes(png_of(width, height, palette, b64decode(indexes)))
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def take(pictures: Pictures, folder: Path, chosen: list[str]) -> None:
    """Take a picture of the card of each state."""
    folder.mkdir(parents=True, exist_ok=True)
    for shown in states():
        if not chosen or shown.name in chosen:
            one = pictures.site()
            shown.reach(one)
            one.page.wait_for_timeout(300)  # the days of entries come later
            card: Any = one.page.query_selector(f"{shown.where} .card[data-state={shown.name}]")
            pictures.keep(folder / f"{shown.name}.webp", card.screenshot(animations="disabled"))
            one.close()


def whole(one: Site) -> bytes:
    """Return a picture of the page down to the end of what was said."""
    results: Any = one.page.query_selector("#results")
    end = results.evaluate("results => results.getBoundingClientRect().bottom + scrollY")
    width = one.page.viewport_size["width"]
    clip = {"x": 0, "y": 0, "width": width, "height": end + 20}
    return bytes(one.page.screenshot(full_page=True, clip=clip))


def take_page(chromium: Chromium) -> None:
    """Take the pictures of the whole page, in the light and in the dark, and of the path on a phone."""
    for look in ("wide", "dark", "phone"):
        pictures = Pictures(chromium, look)
        one = pictures.site()
        one.begin({**PAGE, **maintained()}, faults=True)
        one.open()
        if look == "dark":
            one.page.click("[data-sample=sabotaged]")
            one.said(state="inclusion")
            pictures.keep(DOCS / "page-sabotaged-dark.png", whole(one))
        else:
            one.drop((WHEEL, RELEASE))
            one.said(state="verified")
            one.page.click("#results summary:has-text('Show the path')")
            if look == "phone":
                one.page.check("#results input[type=checkbox]")
            one.page.evaluate("document.activeElement.blur()")
            path: Any = one.page.query_selector("#results .card > details[open]")
            png = path.screenshot() if look == "phone" else whole(one)
            pictures.keep(DOCS / ("page-path-phone.png" if look == "phone" else "page.png"), png)
        one.close()


if __name__ == "__main__":
    for browser in start_chromium():
        if sys.argv[1:]:
            take(Pictures(browser, (sys.argv[2:] or ["light"])[0]), Path(sys.argv[1]), sys.argv[3:])
        else:
            take_page(browser)
            take(Pictures(browser, "light"), DOCS / "page-states", [])
