"""The verifying page: the files of web/, and verify.html, one file that needs no network and is the same for the same policy.

`verify.html` is web/verify.template.html with style, policy and all modules in it. Its Content-Security-Policy names the
hashes of its one script and one style, and lets it connect to nothing.
"""

from __future__ import annotations

import re
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from tiles.errors import Conflict, NotFound
from tiles.policy import Policy
from tiles.store import Store

VERIFY = "verify.html"

_TEMPLATE = "verify.template.html"
_KINDS = {".html", ".js", ".css", ".svg"}
_OFFLINE_ONLY = {_TEMPLATE, "offline.js"}
# what verify.html is made of, each after what it needs
_MODULES = ("sha256", "tlog", "ecdsa", "dom", "lookup", "entry", "picture", "states", "head", "check", "offline")
_MAX_SIZE = 1 << 20  # bytes, of any file of the page

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_LAZY = re.compile(r'import\("\./(\w+)\.js"\)')


def page_files(policy: Policy) -> dict[str, bytes]:
    """Return the files of the page of a log by name, verify.html for its policy included."""
    names = {path.name for path in _web().iterdir() if path.suffix in _KINDS}
    files = {name: (_web() / name).read_bytes() for name in sorted(names - _OFFLINE_ONLY)}
    return {**files, VERIFY: verify_page(policy)}


def verify_page(policy: Policy) -> bytes:
    """Return verify.html: the same bytes for the same policy and version."""
    script = "\n" + "\n".join(_module(name) for name in _MODULES)
    style = "\n" + _text("style.css")
    page = _text(_TEMPLATE)
    for place, content in (
        ("SCRIPT-HASH", _source(script)),
        ("STYLE-HASH", _source(style)),
        ("POLICY", b64encode(policy.data).decode()),
        ("STYLE", style),
        ("SCRIPT", script),
    ):
        page = re.sub(rf"(?<=[>\"']){place}(?=[<\"'])", lambda _match, content=content: content, page)  # type: ignore[misc]
    return page.encode()


def install_page(public: Store, policy: Policy) -> list[str]:
    """Put the page into a log's public part, and return the names of the files that changed.

    Raises AccessError.
    """
    changed = []
    for name, data in page_files(policy).items():
        try:
            there = public.read(name, _MAX_SIZE)
        except NotFound:
            there = None
        if there is None or there.data != data:
            with suppress(Conflict):  # another run puts it there at this moment
                public.swap(name, data, there.version if there else None)
            changed.append(name)
    return changed


def _web() -> Path:
    """Return where the page's files are: in the wheel beside this module, in a checkout beside the library."""
    packaged = Path(__file__).with_name("web")
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "web"


def _text(name: str) -> str:
    return (_web() / name).read_text(encoding="utf-8")


def _module(name: str) -> str:
    """Return a module as a constant: what it exports, in a scope of its own."""
    text = _text(f"{name}.js")
    exported = ", ".join(match[2] for match in _EXPORT.finditer(text))
    text = _IMPORT.sub(r"const \1 = module_\2;", text)
    text = _LAZY.sub(r"Promise.resolve(module_\1)", text)
    text = _EXPORT.sub(r"\1", text)
    return f"const module_{name} = (() => {{\n{text}return {{ {exported} }};\n}})();\n"


def _source(text: str) -> str:
    """Return a hash as a Content-Security-Policy has it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
