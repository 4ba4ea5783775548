"""docs/outcomes.md is complete, as is docs/schemas: every command, exit code, kind of error and field is there.

All tests that call commands hold what they print to the page as well (tests/support/command_line.py).
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

import tiles
from tests.support import outcomes, schemas
from tests.support.make_cli_docs import contexts
from tiles.errors import TilesError
from tiletree import cli, ui

COMMANDS = Path(cli.__file__).parent / "commands"
NAME = re.compile(r"[a-z][a-z0-9_]*")
SHARED = [
    COMMANDS.parent / f"{module}.py"
    for module in (
        "cosigning",
        "endorsing",
        "finding",
        "key_news",
        "key_use",
        "links",
        "opening",
        "picking",
        "publishing",
        "commands/prove_many",
        "remarks",
        "stapling",
        "ui",
        "when",
    )
]  # that make fields for several commands


def module_of(command: str) -> str:
    """Return the name of the module that a command is in."""
    name = {"import": "import_", "loginfo": "info"}.get(command.split()[0], command.split()[0])
    return name.replace("-", "_")


def sources(module: str) -> list[Path]:
    """Return the files of a command's module: submit has its report in one of its own, and verify its files."""
    suffixes = ("", "_dry_run", "_files", "_many", "_report", "_signatures", "_endorsed", "_changes")
    parts = (COMMANDS / f"{module}{part}.py" for part in suffixes)
    return [path for path in parts if path.exists() and path not in SHARED]


@cache
def written_keys(path: Path) -> set[str]:
    """Return the names that a module gives to fields: keys of dictionaries and names of remarks."""
    found = set()
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    evidence = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "evidence"]  # of an error
    for node in nodes:
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict) and node not in evidence:
            keys = list(node.keys)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "remark":
            keys = node.args[:1]
        found |= {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return {name for name in found if NAME.fullmatch(name)}


@cache
def strings(path: Path) -> set[str]:
    """Return all strings of a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def named(command: str) -> set[str]:
    """Return the names in the fields of a command: `list[].size` has two."""
    schema = schemas.load(schemas.path_of(command).name)
    return {name for path, _ in schemas.fields(schema) for name in NAME.findall(path)}


@cache
def commands() -> set[str]:
    """Return the names of all commands that do something."""
    found = {context.command_path.partition(" ")[2] for context in contexts()}
    return found - {"", "key", "index", "policy", "witness"}


def test_every_command_has_its_codes() -> None:
    """All commands are on the page, and nothing else is."""
    assert set(outcomes.codes()) == commands()


def test_every_exit_code_is_in_the_table() -> None:
    """What the code can exit with is explained; the epilog of `tiletree --help` has the same codes."""
    given = {value for name, value in vars(ui).items() if name.startswith("EXIT_")}
    assert given <= outcomes.all_codes()
    epilog = {int(code) for code in re.findall(r"^ *(\d+) ", cli.cli.epilog or "", flags=re.MULTILINE)}
    assert epilog == outcomes.all_codes()
    assert set().union(*outcomes.codes().values()) <= outcomes.all_codes()


def test_every_kind_of_error_is_in_the_table() -> None:
    """Each error has the exit code that the page says."""
    for module in pkgutil.walk_packages(tiles.__path__, "tiles."):
        importlib.import_module(module.name)
    rows = outcomes.table("kind", "exits with", "is")
    said = {kind: int(code) for kinds, code, _ in rows for kind in outcomes.quoted(kinds)}
    kinds, found = [TilesError], {}
    for kind in kinds:  # grows
        kinds += kind.__subclasses__()
        if kind is not TilesError and kind.__module__.startswith("tiles."):
            found[kind.__name__] = ui.exit_code(kind.__new__(kind))
    assert {kind: code for kind, code in said.items() if kind in found} == found
    words = set().union(*(strings(path) for path in (Path(cli.__file__), Path(ui.__file__))))
    assert set(said) - set(found) <= words


@pytest.mark.parametrize("module", sorted({module_of(command) for command in commands()}))
def test_every_field_is_in_a_schema(module: str) -> None:
    """What a command's module writes into a document is in its schema; what is there, some module writes."""
    known = set().union(*(named(command) for command in commands() if module_of(command) == module))
    written = set().union(*(written_keys(path) for path in sources(module)))
    assert written <= known
    assert known <= set().union(*(strings(path) for path in [*sources(module), *SHARED]))


@pytest.mark.parametrize(("words", "code"), [("info log", 42), ("info log", 5)])
def test_a_code_that_is_not_on_the_page_is_found(words: str, code: int) -> None:
    """The check that all tests of commands make fails for a code that nobody explained."""
    with pytest.raises(AssertionError, match=r"outcomes\.md"):
        outcomes.check(words.split(), code, "")
