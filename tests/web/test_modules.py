"""The rules of the files in web/: no import goes round in a circle, the verifier needs no page, no file is long."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from posixpath import dirname, join, normpath

import pytest

from tests.support.web_server import PAGE

LONGEST = 300  # lines
LIBRARY = "verifier/mldsa.js"  # not written here, in one file

# `import … from "…"`, `export … from "…"`, `import "…"` and `import("…")`
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']*)["']""")


def imports(modules: dict[str, str]) -> dict[str, set[str]]:
    """Return which modules each of these, name → text, imports, at once or later."""
    return {
        name: {normpath(join(dirname(name), path)) for path in _IMPORT.findall(text)} for name, text in modules.items()
    }


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, [] if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


MODULES = {name: data.decode() for name, data in PAGE.items() if name.endswith(".js")}


def test_every_import_is_of_a_file() -> None:
    """What is imported is there, and the imports of each kind are seen by these tests."""
    graph = imports(MODULES)
    assert set().union(*graph.values()) <= set(MODULES)
    assert "verifier/ecdsa.js" in graph["verifier/tlog.js"]  # with import("…")
    assert "verifier/encoding.js" in graph["verifier/ecdsa.js"]


def test_no_circle() -> None:
    """No module needs itself, however far around; one that is loaded later counts too."""
    assert circle(imports(MODULES)) == []


@pytest.mark.parametrize(
    "back", ['import { a } from "./one.js";', 'import("../x/one.js")', 'export { a } from "./one.js"']
)
def test_a_circle_is_found(back: str) -> None:
    """The test of circles finds one, by whichever kind of import."""
    graph = imports({"x/one.js": 'import {\n  b,\n} from "./two.js";', "x/two.js": back})
    assert circle(graph)


def test_the_verifier_needs_no_page() -> None:
    """web/verifier/ runs in Node, and imports nothing but itself."""
    graph = imports(MODULES)
    verifier = {name for name in MODULES if name.startswith("verifier/")}
    assert set().union(*(graph[name] for name in verifier)) <= verifier


def test_no_module_is_long() -> None:
    """Nobody has to read more than 300 lines at a time."""
    lengths = {name: text.count("\n") for name, text in MODULES.items() if name != LIBRARY}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
