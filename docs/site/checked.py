"""What must hold of the built pages: each link leads somewhere, and nothing is fetched from anywhere else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {  # the attributes by which a browser fetches something without being asked
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
_LINK_FETCHES = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
_IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')]+)""")


class Page(HTMLParser):
    """One page: its anchors, where its links lead, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetches: list[str] = []
        self.feed(text)
        self.fetches += _IN_STYLES.findall(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what a tag names."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and set(given.get("rel", "").split()) & _LINK_FETCHES:
            self.fetches.append(given.get("href", ""))
        if tag in _FETCHED and _FETCHED[tag] in given:
            self.fetches.append(given[_FETCHED[tag]])


def findings(site: Path) -> list[str]:
    """Return what is wrong with the pages below a folder, in sentences; none if all is well."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        found += [f"{name}: {trouble}" for link in page.links if (trouble := _broken(link, path, pages))]
        found += [f"{name}: fetches {url}" for url in page.fetches if _is_elsewhere(url)]
        found += [
            f"{name}: there is no {url}"
            for url in page.fetches
            if not _is_elsewhere(url) and path.name != "404.html" and not _target(url, path).is_file()
        ]
    for style in sorted(site.rglob("*.css")):
        found += [
            f"{style.relative_to(site)}: fetches {url}" for url in _IN_STYLES.findall(style.read_text(encoding="utf-8"))
        ]
    return found


def _is_elsewhere(url: str) -> bool:
    return bool(urlsplit(url).netloc)


def _target(url: str, page: Path) -> Path:
    path = unquote(urlsplit(url).path)
    target = (page.parent / path).resolve() if path else page
    return target / "index.html" if target.is_dir() else target


def _broken(link: str, page: Path, pages: dict[Path, Page]) -> str:
    """Return what is wrong with a link, or nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or page.name == "404.html":
        return ""
    target = _target(link, page)
    if not target.is_file():
        return f"the link {link} leads nowhere"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return f"the link {link} leads to no heading"
    return ""
