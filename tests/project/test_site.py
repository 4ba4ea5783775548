"""The documents as a site: what it has, where its links lead, and that nothing is fetched from elsewhere."""

from __future__ import annotations

import functools
import http.server
import importlib
import importlib.util
import inspect
import pkgutil
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import tiles
import tiles.notes
import tiles.tree
from docs.site import api, build, checked, pages
from tests.support.browser import Chromium, axe

pytest_plugins = ["tests.support.browser_fixture"]

WIDTHS = (320, 390, 1280)  # CSS pixels: the narrowest screen, a phone, a desk


# ---- what it has


def test_every_document_is_in_the_navigation(tmp_path: Path) -> None:
    """Each page stands in one chapter, those of the tests apart; so does a document that is new."""
    chapters = build.stage(tmp_path / "pages")
    listed = [page for chapter in chapters for below in chapter.values() for page in below]
    assert len(listed) == len(set(listed))
    staged = {path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.md")}
    assert staged - set(listed) == {pages.page_of(path) for path in pages.OF_THE_TESTS}
    assert "new.md" in pages.navigation({"new.md", "cli.md"})[5]["How it works"]
    assert [next(iter(chapter)) for chapter in chapters] == [
        "Begin",
        "Publish",
        "Verify",
        "Look after",
        "Recipes",
        "How it works",
        "Reference",
        "Project",
    ]


@pytest.mark.parametrize(
    ("path", "link", "there"),
    [
        ("README.md", "docs/lost.md#the-key-is-gone", "lost.md#the-key-is-gone"),
        ("README.md", "docs/index.md", "index-of-entries.md"),
        ("README.md", "docs/README.md", "all.md"),
        ("README.md", "LICENSE", "files/LICENSE.txt"),
        ("docs/keys.md", "decisions/README.md", "decisions/index.md"),
        ("docs/keys.md", "../CONTRIBUTING.md", "contributing.md"),
        ("docs/recipes/gate.md", "../cli.md", "../cli.md"),
        ("docs/recipes/monitor.md", "../../examples/follow_a_log.py", "../examples/index.md#follow_a_logpy"),
        ("docs/hosting.md", "../terraform/aws/README.md", "terraform/aws/index.md"),
        ("docs/hosting.md", "page.png", "page.png"),
        ("docs/hosting.md", "#hosts", "#hosts"),
        ("docs/hosting.md", "https://c2sp.org/tlog-tiles", "https://c2sp.org/tlog-tiles"),
    ],
)
def test_links(path: str, link: str, there: str) -> None:
    """A link leads to the same document in the site; what is no page is shown beside it."""
    assert pages.Links().rewritten(path, f"see [this]({link}), and\n") == f"see [this]({there}), and\n"
    assert pages.Links().rewritten(path, f"```text\n[this]({link})\n```") == f"```text\n[this]({link})\n```"


def test_commands_are_copied_without_prompts() -> None:
    """What is typed and what is printed are two blocks; a command of two lines stays one."""
    shown = "```console\n$ one \\\n    --two\n$ three\nprinted\n$ four\n```"
    blocks = "```sh\none \\\n    --two\nthree\n```\n\n```text\nprinted\n```\n\n```sh\nfour\n```"
    assert pages.Links().rewritten("README.md", shown) == blocks


def modules() -> Iterator[ModuleType]:
    """Yield the modules that are public as a whole."""
    for package in (tiles.tree, tiles.notes):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def test_the_reference_has_what_is_promised() -> None:
    """Each name of `tiles.__all__`, and each public function, class and method of the modules of `tree` and `notes`."""
    reference = {page: text.replace("\\_", "_") for page, text in api.pages().items()}
    headings = {page: set(re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)) for page, text in reference.items()}
    assert set(tiles.__all__) <= headings["api/tiles.md"]
    count = 0
    for module in modules():
        found = headings[f"api/{module.__name__.split('.')[1]}.md"]
        assert module.__name__ in found
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                continue
            if inspect.isfunction(value) or inspect.isclass(value):
                assert name in found, f"{module.__name__}.{name}"
                count += 1
            if inspect.isclass(value):
                members = [each for each, member in vars(value).items() if inspect.isfunction(member)]
                missing = {f"{name}.{each}" for each in members if not each.startswith("_")} - found
                assert not missing
    assert count > 150


def test_the_reference_says_what_docstrings_say() -> None:
    """Signatures with types, docstrings as sentences, and nothing in them that Markdown would take for a mark."""
    text = api.pages()["api/notes.md"]
    assert "```python\ndef parse_vkey(text: str) -> VerifierKey\n```" in text
    assert re.search(r"^Return .*\.", text, flags=re.MULTILINE)
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)(?:<(?!https:)|\*)", prose)
    assert "(<https://c2sp.org/tlog-checkpoint>)" in prose


# ---- what is wrong with pages


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<a href="b.html">', []),
        ('<a href="b.html#there">', []),
        ('<a href="">', []),
        ('<a href="https://example.com/">', []),
        ('<link rel="canonical" href="https://example.com/">', []),
        ('<a href="b.html#gone">', ["a.html: the link b.html#gone leads to no heading"]),
        ('<a href="#gone">', ["a.html: the link #gone leads to no heading"]),
        ('<a href="gone.html">', ["a.html: the link gone.html leads nowhere"]),
        ('<img src="gone.png">', ["a.html: there is no gone.png"]),
        ('<img src="//cdn.example.com/a.png">', ["a.html: fetches //cdn.example.com/a.png"]),
        ('<script src="https://cdn.example.com/a.js">', ["a.html: fetches https://cdn.example.com/a.js"]),
        (
            '<link rel="preconnect" href="https://fonts.example.com">',
            ["a.html: fetches https://fonts.example.com"],
        ),
        (
            '<style>@import "https://fonts.example.com/a.css"</style>',
            ["a.html: fetches https://fonts.example.com/a.css"],
        ),
        ('<p style="background: url(https://e.example/a)">', ["a.html: fetches https://e.example/a"]),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, html: str, found: list[str]) -> None:
    """A link to no page or heading, a picture that is not there, and whatever is fetched from elsewhere."""
    (tmp_path / "a.html").write_text(f"<!doctype html>{html}")
    (tmp_path / "b.html").write_text('<h1 id="there">B</h1>')
    (tmp_path / "style.css").write_text("p { background: url(a.png) }")
    assert checked.findings(tmp_path) == found


def test_styles_are_looked_at(tmp_path: Path) -> None:
    """A font that a style sheet fetches is found as well."""
    (tmp_path / "style.css").write_text("@font-face { src: url('https://fonts.example.com/a.woff2') }")
    assert checked.findings(tmp_path) == ["style.css: fetches https://fonts.example.com/a.woff2"]


# ---- the site itself


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, as `make docs` builds it, by a process that has no network."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("NOT TESTED: zensical is not installed")
    return build.build(tmp_path_factory.mktemp("docs"))


@pytest.mark.slow
def test_a_link_that_leads_nowhere_fails_the_build(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The build says which page, and which link."""
    written = pages.Links.rewritten

    def spoiled(links: pages.Links, path: str, text: str) -> str:
        return written(links, path, text) + ("\n[gone](lost.md#gone)\n" if path == "docs/keys.md" else "")

    monkeypatch.setattr(build.Links, "rewritten", spoiled)
    with pytest.raises(SystemExit, match=r"lost\.md#gone"):
        build.build(tmp_path)


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """Return where a server on this machine shows the site."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.slow
def test_in_a_browser(site: Path, served: str, chromium: Chromium) -> None:
    """Every page at three widths: nothing is fetched from elsewhere, and no page is wider than the screen."""
    page = chromium.new_context().new_page()
    fetched: set[str] = set()
    page.on("request", lambda request: fetched.add(request.url))
    for path in sorted(site.rglob("*.html")):
        page.goto(served + path.relative_to(site).as_posix())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path.name} at {width}"
    page.context.close()
    assert len(fetched) > len(list(site.rglob("*.html")))
    assert [url for url in fetched if not url.startswith((served, "data:"))] == []


@pytest.mark.slow
def test_search(served: str, chromium: Chromium) -> None:
    """What is typed is found, by what the site itself has."""
    page = chromium.new_context().new_page()
    page.goto(served)
    page.get_by_role("button", name="Search").first.click()
    page.locator("input:visible").first.fill("anchor is gone")
    page.get_by_text("Something is lost or was moved").last.wait_for()
    page.context.close()


@pytest.mark.slow
def test_contrast(served: str, chromium: Chromium) -> None:
    """axe-core finds no colours that are hard to tell apart, in light and dark."""
    for scheme in ("light", "dark"):
        page = chromium.new_context(color_scheme=scheme).new_page()
        for name in ("index.html", "data-flow.html", "verify.html"):
            page.goto(served + name)
            page.evaluate(axe())
            rules = "{runOnly: ['color-contrast', 'image-alt', 'heading-order', 'link-name']}"
            found = page.evaluate(f"axe.run(document, {rules}).then(result => result.violations)")
            assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == [], (scheme, name)
        page.context.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
