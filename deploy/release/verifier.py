"""verify.pyz: the command `tiletree verify` in one file, which Python runs as it is, with nothing installed.

It holds every module that `verify` imports, and click: for proofs, endorsements, disclosures, forks, bundles, other
signatures and search proofs. It holds nothing that signs, writes to a log, or asks a server, and no bytecode. The last
three of these need `cryptography`: they use the one that is installed where it runs, and say so where there is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.release.archives import ROOT, stored_zip

NAME = "verify.pyz"
_HOMES = {"tiles": ROOT / "tiles", "tiletree": ROOT / "cmd" / "tiletree"}
_ROOTS = ("tiletree.cli", "tiletree.commands.verify")

# what is imported only to write, to sign, to read a log from a server, or for a shell
LEFT_OUT = (
    "tiles.inbox",
    "tiles.index.revocations",
    "tiles.log",
    "tiles.read.client",
    "tiles.read.elsewhere",
    "tiles.read.fetcher",
    "tiles.read.histories",
    "tiles.read.same_history",
    "tiles.read.verified_tree",
    "tiles.read.web_file",
    "tiles.store.open_bucket",
    "tiles.write",
    "tiletree.completing",
    "tiletree.opening",
    "tiletree.traffic",
    "tiletree.web_material",
)

_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = '''\
"""Verifies files by their proofs: python3 verify.pyz FILE --proof FILE.tlog-proof --vkey VKEY"""

import sys

if sys.version_info < (3, 11):
    sys.exit("verify.pyz needs Python 3.11 or later; this is %d.%d" % sys.version_info[:2])

from tiletree.cli import main

main(sys.argv[1:] if sys.argv[1:] == ["--version"] else ["verify", *sys.argv[1:]])
'''


def verifier(click: Mapping[str, bytes]) -> bytes:
    """Return verify.pyz. click: the files of that package"""
    files = {**click, "__main__.py": _MAIN.encode(), "LICENSE": (ROOT / "LICENSE").read_bytes()}
    for path in modules():
        home = "tiles" if _HOMES["tiles"] in path.parents else "tiletree"
        files[f"{home}/{path.relative_to(_HOMES[home]).as_posix()}"] = path.read_bytes()
    return stored_zip(files, _SHEBANG)


def modules() -> list[Path]:
    """Return the modules of this repository that verify.pyz holds."""
    found: dict[str, Path] = {}
    new = list(_ROOTS)
    while new:
        name = new.pop()
        path = _module(name)
        if path is None or name in found or any(f"{name}.".startswith(f"{left}.") for left in LEFT_OUT):
            continue
        found[name] = path
        new += _imports(path)
        if "." in name:
            new.append(name.rpartition(".")[0])
    return sorted(found.values())


def _module(name: str) -> Path | None:
    home, *parts = name.split(".")
    if home not in _HOMES:
        return None
    path = _HOMES[home].joinpath(*parts)
    files = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in files if file.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    """Yield the names that a module imports when it runs, whenever it does that."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(below)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for below in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
