"""Builds the site from the repository's Markdown, as `make docs` does: `python -m docs.site.build [FOLDER]`.

Documents are copied with the links that they need there, the reference of the API is made, Zensical makes the pages,
and at last all of them are checked. Nothing is fetched. FOLDER gets `pages`, what the site is made from, and `site`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from docs.site import api
from docs.site.checked import findings
from docs.site.pages import EXAMPLES, ROOT, Links, documents, examples, navigation, page_of

_STYLE = "style.css"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def stage(folder: Path) -> list[dict[str, list[str]]]:
    """Write what the site is made from, and return its navigation."""
    links = Links()
    pages = {page_of(path): links.rewritten(path, (ROOT / path).read_text(encoding="utf-8")) for path in documents()}
    pages[EXAMPLES] = "\n".join(examples())
    pages |= api.pages()
    shutil.rmtree(folder, ignore_errors=True)
    for page, text in pages.items():
        _place(folder / page).write_text(text, encoding="utf-8")
    for source, target in links.files.items():
        if (ROOT / source).is_file():  # else the link is found to lead nowhere, below
            shutil.copyfile(ROOT / source, _place(folder / target))
    shutil.copyfile(Path(__file__).with_name(_STYLE), _place(folder / _STYLE))
    shutil.copyfile(ROOT / "web" / "icon.svg", folder / "icon.svg")
    return navigation(set(pages))


def build(folder: Path) -> Path:
    """Build the site below a folder, and return where it is. Raises SystemExit that says what is wrong with it."""
    folder.mkdir(parents=True, exist_ok=True)
    chapters = stage(folder / "pages")
    (folder / "zensical.toml").write_text(configuration(chapters), encoding="utf-8")
    shutil.rmtree(folder / "site", ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "zensical.toml"]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    said = _COLOURS.sub("", done.stdout + done.stderr)
    if done.returncode or "Warning" in said or not (folder / "site" / "index.html").is_file():
        raise SystemExit(f"{said.partition('Traceback')[0]}zensical: exit code {done.returncode}")
    if found := findings(folder / "site"):
        raise SystemExit("\n".join([*found, f"{len(found)} findings"]))
    return folder / "site"


def configuration(chapters: list[dict[str, list[str]]]) -> str:
    """Return the configuration of Zensical."""
    project: dict[str, Any] = {
        "site_name": "tiletree",
        "site_description": "A transparency log that is nothing but files",
        "copyright": "Apache-2.0",
        "docs_dir": "pages",
        "site_dir": "site",
        "use_directory_urls": False,  # so that the pages can be read from a disk as well
        "extra_css": [_STYLE],
        "nav": chapters,
        "theme": {
            "font": False,  # the reader's own, instead of Google's
            "favicon": "icon.svg",
            "logo": "icon.svg",
            # as the reader's system is set, without a switch: pictures in pages know no other
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default"},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate"},
            ],
            "features": ["content.code.copy", "navigation.footer", "search.highlight"],
        },
        "markdown_extensions": {
            "attr_list": {},
            "md_in_html": {},
            "tables": {},
            "pymdownx": {"highlight": {"pygments_lang_class": True}, "superfences": {}},
            # anchors as Git hosts make them, because links between documents have those
            "toc": {"permalink": True, "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}}},
        },
    }
    return "".join(f"{name} = {_toml(value)}\n" for name, value in {"project": project}.items())


def _toml(value: Any) -> str:
    """Return a value as TOML has it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    made = build(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "docs")
    count = len(list(made.rglob("*.html")))
    sys.stdout.write(f"{count} pages, every link checked; to look at them:\n")
    sys.stdout.write(f"{sys.executable} -m http.server --bind 127.0.0.1 --directory {made}\n")
