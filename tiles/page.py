"""The verifying page: the files of web/, and verify.html, a single file to keep, which needs no network.

404.html is there for hosts of pages: without one they answer index.html, and 200, for every object that is missing.
verify.html is web/verify.template.html with style, policy and all modules in it: the same bytes for the same policy.
Its Content-Security-Policy names the hashes of its one script and its one style, and lets it connect to nothing.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath

from tiles.errors import Conflict, NotFound, UsageError
from tiles.notes.keys import SignatureType
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.parallel import all_done
from tiles.read.trouble import judged
from tiles.records.paths import POLICY
from tiles.store import Store
from tiles.write.prepare import as_public

VERIFY = "verify.html"

_TEMPLATE = "verify.template.html"
_KINDS = {".html", ".js", ".css", ".svg"}
_OPERATORS = {"page/entry.js"}  # says in words what an entry is; operators may edit it
_OFFLINE = "page/offline"  # the module that verify.html runs
_OFFLINE_ONLY = {_TEMPLATE, f"{_OFFLINE}.js"}
_FOR_NPM = {"verifier/index.js"}  # what the package tiletree-verifier offers; the page does not load it
# modules that ask a server, which verify.html does not: they are left out there
_ONLINE = ("page/search", "page/key_history", "page/other_log", "page/browse")
_MLDSA = "verifier/mldsa"  # larger than the rest, so it is left out unless the policy has an ML-DSA-44 key
_MAX_SIZE = 1 << 20  # bytes, of any file of the page

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "([./\w]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) ([\w$]+))", re.MULTILINE)
_EXPORTS = re.compile(r"^export \{\s*([\w$, ]+?)\s*\};$", re.MULTILINE)
_LAZY = re.compile(r'import\("([./\w]+)\.js"\)')


def page_files(policy: Policy) -> dict[str, bytes]:
    """Return the files of the page of a log by name, verify.html for its policy included."""
    files = {name: text.encode() for name, text in _web_files().items() if name not in _OFFLINE_ONLY | _FOR_NPM}
    return {**files, VERIFY: verify_page(policy)}


def verify_page(policy: Policy) -> bytes:
    """Return verify.html: the same bytes for the same policy and version."""
    keys = [*(log.key for log in policy.logs), *(witness.key for witness in policy.witnesses)]
    script = _script(any(key.type == SignatureType.MLDSA44 for key in keys))
    style = "\n" + _text("style.css") + _text("results.css")
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


def published_policy(public: Store) -> Policy:
    """Return the policy that a log publishes. Raises UsageError if it publishes none."""
    try:
        data = public.read(POLICY, MAX_POLICY_SIZE).data
    except NotFound:
        raise UsageError(f"{public.url} has no {POLICY}", hint="is there a log? `tiletree init` begins one") from None
    with judged(data, f"{public.url}/{POLICY}"):
        return parse_policy(data)


def install_page(public: Store, policy: Policy) -> list[str]:
    """Put the page into a log's public part, and return the names of the files that changed.

    entry.js, which an operator may edit, is left as it is where there is one. Raises AccessError.
    """
    public = as_public(public)
    files = page_files(policy)
    changes = all_done(partial(_install, public), files.items(), public.parallel)
    return [name for name, changed in zip(files, changes, strict=True) if changed]


def _install(public: Store, file: tuple[str, bytes]) -> bool:
    """Put one file of the page there, and return whether it changed."""
    name, data = file
    try:
        there = public.read(name, _MAX_SIZE)
    except NotFound:
        there = None
    if there is not None and (there.data == data or name in _OPERATORS):
        return False
    with suppress(Conflict):  # another run puts it there at this moment
        public.swap(name, data, there.version if there else None)
    return True


def _web() -> Path:
    """Return where the page's files are: in the wheel beside this module, in a checkout beside the library."""
    packaged = Path(__file__).with_name("web")
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "web"


@cache
def _web_files() -> dict[str, str]:
    """Return the texts of all files of `web/` by name."""
    paths = sorted(path for path in _web().rglob("*") if path.suffix in _KINDS)
    return {path.relative_to(_web()).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _text(name: str) -> str:
    return _web_files()[name]


@cache
def _script(with_mldsa: bool) -> str:
    """Return the script of verify.html."""
    needed = _modules(_ONLINE if with_mldsa else [*_ONLINE, _MLDSA])
    return "\n" + "\n".join(_module(name, needed) for name in needed)


def _modules(lacking: Collection[str]) -> list[str]:
    """Return the modules of verify.html, each after those that it imports; lacking: those that are left out."""
    order: list[str] = []

    def add(name: str) -> None:
        if name not in order and name not in lacking:
            for _names, path in _IMPORT.findall(_text(f"{name}.js")):
                add(_resolved(name, path))
            order.append(name)

    add(_OFFLINE)
    for name in order:  # `order` grows: a module that is imported lazily may stand after its importer
        for path in _LAZY.findall(_text(f"{name}.js")):
            add(_resolved(name, path))
    order.remove(_OFFLINE)
    return [*order, _OFFLINE]


def _module(name: str, needed: Collection[str]) -> str:
    """Return a module as a constant: what it exports, in a scope of its own. needed: all modules of the page."""

    def static(found: re.Match[str]) -> str:
        return f"const {found[1]} = {_constant(_resolved(name, found[2]))};"

    def lazy(found: re.Match[str]) -> str:
        other = _resolved(name, found[1])
        return f"Promise.resolve({_constant(other)})" if other in needed else "Promise.reject()"

    text = _text(f"{name}.js")
    exported = ", ".join([match[2] for match in _EXPORT.finditer(text)] + _EXPORTS.findall(text))
    text = _LAZY.sub(lazy, _IMPORT.sub(static, text))
    text = _EXPORTS.sub("", _EXPORT.sub(r"\1", text))
    return f"const {_constant(name)} = (() => {{\n{text}return {{ {exported} }};\n}})();\n"


def _resolved(module: str, path: str) -> str:
    """Return the name of the module that a module imports as `path`."""
    return normpath(join(dirname(module), path))


def _constant(module: str) -> str:
    return f"module_{module.replace('/', '_')}"


def _source(text: str) -> str:
    """Return a hash as a Content-Security-Policy has it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
