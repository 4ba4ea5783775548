"""What is where: the packages, what may import what, how long a module is, and what the library offers by name."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import tiles

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "tiles"

LINES = 300  # of a module

# what a pure module may import from elsewhere: nothing that reads, writes, waits, or is different every time
PURE_STDLIB = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "re",
    "struct",
    "typing",
    "unicodedata",
    "zlib",
}
PURE_PACKAGES = {"cryptography", "pysequoia", "rfc3161_client"}
CLOCKS = {"now", "today", "utcnow"}  # of datetime, which is imported for its values
IMPURE_NAMES = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}


@cache
def modules() -> dict[str, Path]:
    """Return the modules of the library by name, packages included."""
    found = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


class Read(NamedTuple):
    """What a module has anywhere in it: other modules that it imports, names, attributes, and texts."""

    imports: set[str]
    names: set[str]
    attributes: set[str]
    texts: list[str]


@cache
def read(path: Path) -> Read:
    """Return what a module has in it: it is parsed once for all tests, and the tree itself is large."""
    nodes = list(ast.walk(tree(path)))
    return Read(
        imported_in(path, nodes),
        {node.id for node in nodes if isinstance(node, ast.Name)},
        {node.attr for node in nodes if isinstance(node, ast.Attribute)},
        [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)],
    )


def imports(path: Path) -> set[str]:
    """Return the names of all modules that a module imports, anywhere in it."""
    return read(path).imports


def imported_in(path: Path, nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of all modules that are imported in a tree of these nodes."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or LIBRARY not in path.parents, f"{path}: relative import"
            if node.module is None:
                continue
            names.add(node.module)
            below = (f"{node.module}.{alias.name}" for alias in node.names)
            names.update(name for name in below if ROOT.joinpath(*name.split(".")).with_suffix(".py").exists())
    return names


def package_of(name: str) -> str:
    """Return the package below tiles that a module is in, or its own name where it stands beside them."""
    return name.split(".")[1] if "." in name else ""


# a package imports what is on lower floors, and itself; nothing beside it
FLOORS = {
    "errors": 0,
    "native": 0,
    "parallel": 0,
    "retry": 0,
    "version": 0,
    "tree": 1,
    "store": 1,
    "workers": 1,
    "cluster": 2,
    "notes": 2,
    "records": 3,
    "sigstore": 3,
    "signatures": 3,
    "user": 4,
    "entries": 5,
    "read": 5,
    "signing": 5,
    "inbox": 6,
    "write": 7,
    "upkeep": 8,
    "index": 8,
    "cost": 9,
    "watch": 9,
    "log": 9,
    "page": 9,
    "rekor": 10,
}
PURE = {
    name for name in modules() if package_of(name) in {"errors", "tree", "notes", "records", "sigstore", "signatures"}
}


# ---- what is where


def test_cmd_is_no_package() -> None:
    """`cmd/` only holds the command's package: in the repository's root, `import cmd` is the standard library's."""
    assert not [path for path in (ROOT / "cmd").iterdir() if path.suffix == ".py"]
    code = "import cmd, sys; sys.exit(not hasattr(cmd, 'Cmd'))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_every_package_is_in_the_documentation() -> None:
    """docs/data-flow.md has the table of packages that this file holds the code to."""
    text = (ROOT / "docs" / "data-flow.md").read_text(encoding="utf-8")
    _, table, _ = re.split(r"^\| floor \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, maxsplit=1, flags=re.MULTILINE)
    cells = [row.split("|")[1:3] for row in table.splitlines()]
    assert {name: int(floor) for floor, names in cells for name in re.findall(r"`(\w+)`", names)} == FLOORS
    assert {package_of(name) for name in modules()} - {""} == set(FLOORS)


@pytest.mark.parametrize("path", [*LIBRARY.rglob("*.py"), *(ROOT / "cmd").rglob("*.py")], ids=lambda path: path.stem)
def test_modules_are_short(path: Path) -> None:
    """A module can be read in one sitting."""
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LINES


def texts() -> Iterator[Path]:
    """Yield the files that belong to the project."""
    for folder in ("tiles", "cmd", "tests", "docs", "web", "deploy", "examples", "native/src", ".ci", ".github"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in {".pyc", ".checkpoint"} and "__pycache__" not in path.parts:
                yield path
    yield from (path for path in ROOT.iterdir() if path.suffix in {".md", ".toml"} or path.name == "Makefile")


def test_no_file_names_a_place_on_a_machine() -> None:
    """Nothing in the repository depends on, or tells of, where somebody has it."""
    places = re.compile(rb"(?<![\w.$/{}:*-])/(?:work|home|root|Users|tmp|farm)(?:/[\w.*-]|\b(?!/))")
    found = {
        f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()}"
        for path in texts()
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if places.search(line)
    }
    assert found == set()


# ---- what imports what


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_import_pure_modules_only(name: str) -> None:
    """What a pure module imports is pure itself, and so on; none has a file, a clock, a network or chance."""
    for imported in imports(modules()[name]):
        if imported == "tiles" or imported.startswith("tiles."):
            # which functions hash is chosen once, when it is imported; the values are the same
            assert imported in PURE | {"tiles.native"}, f"{name} imports {imported}"
        else:
            assert imported in PURE_STDLIB or imported.partition(".")[0] in PURE_PACKAGES, f"{name} imports {imported}"


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_call_nothing_impure(name: str) -> None:
    """Nor is there anything built in that reads, writes, or runs text."""
    found = read(modules()[name])
    assert not found.names & IMPURE_NAMES
    assert not found.attributes & CLOCKS


@pytest.mark.parametrize("name", sorted(modules()))
def test_packages_import_lower_floors_only(name: str) -> None:
    """Also where an import is inside a function, or for types only."""
    own = package_of(name)
    for imported in imports(modules()[name]) & set(modules()) - {"tiles"}:
        other = package_of(imported)
        assert other == own or FLOORS[other] < FLOORS.get(own, 11), f"{name} imports {imported}"


@pytest.mark.parametrize("package", sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py")))
def test_each_package_is_its_own_manual(package: str) -> None:
    """The docstring of a package names each of its modules, and the package gives on no names of theirs."""
    manual = tree(LIBRARY / package / "__init__.py")
    text = ast.get_docstring(manual) or ""
    own = {path.stem for path in (LIBRARY / package).glob("*.py")} - {"__init__"}
    assert [name for name in own if not re.search(rf"\b{name}\b", text)] == []
    inside = [node.module for node in ast.walk(manual) if isinstance(node, ast.ImportFrom) and node.module]
    assert [name for name in inside if name.startswith(f"tiles.{package}")] == []


# what no other module may spell: a name of an object in a log
OBJECTS = re.compile(
    r"^(?:tile|checkpoints|payload|index|staging|policies|inbox|rejected|set-aside)/|^policy\.txt$", re.ASCII
)
SPELLED = {"tiles.records.paths", "tiles.tree.layout"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_names_of_objects_are_spelled_once(name: str) -> None:
    """`records/paths` and, for what tlog-tiles names, `tree/layout` build every path that another module uses."""
    if name in SPELLED:
        return
    assert [text for text in read(modules()[name]).texts if OBJECTS.match(text)] == []


# modules without a test file of their own, and what tests them
TESTED_ELSEWHERE = {
    "tiles.write.pending": "tests/write/test_witnesses.py",
    "tiles.entries.kind": "tests/entries/test_kinds.py",
    "tiles.entries.file_kinds": "tests/entries/test_kinds.py",
    "tiles.rekor.others": "tests/command/test_other_signers.py",
    # what they know is right only in a signature of one of the formats
    "tiles.signatures.digests": "tests/signatures/test_formats.py",
    "tiles.signatures.ssh_key": "tests/signatures/test_ssh.py",
    "tiles.signatures.ssh_text": "tests/signatures/test_ssh.py",
    "tiles.version": "tests/project/test_wheel.py",
    "tiles.watch.mirror_tree": "tests/watch/test_mirror.py",
    "tiles.page": "tests/web/test_verify_html.py",
    # nothing that runs: Protocols that a client is handed, and a pair of stores
    "tiles.read.memories": "tests/read/test_client_memory.py",
    "tiles.read.seen_before": "tests/read/test_client_memory.py",
    "tiles.write.parts": "tests/write/test_prepare.py",
    # what it makes of a record is what audit and readers make of it
    "tiles.read.withheld": "tests/upkeep/test_withhold.py",
    # what it copies is right only as a part of a move
    "tiles.write.copying": "tests/write/test_move.py",
    # what a server may answer is tested by asking one
    "tiles.read.http_answers": "tests/read/test_http_fetcher.py",
    "tiles.read.http_stream": "tests/read/test_web_file.py",
    # a store is tested by the contract, and the system calls of a directory through the store that makes them
    "tiles.store.bucket": "tests/store/test_contract.py",
    "tiles.store.directory_root": "tests/store/test_directory.py",
    "tiles.store.posix": "tests/store/test_directory_systems.py",
    # what is said with each verdict of whom to trust
    "tiles.user.pinned": "tests/read/test_trust.py",
    # steps of a run of the Sequencer: each is right only in its place among the others
    # what is said of a lost anchor, where it is missed
    "tiles.write.last_used": "tests/command/test_lost.py",
    "tiles.write.ahead": "tests/write/test_append_all.py",
    "tiles.write.remains": "tests/write/test_lost_head.py",
    "tiles.write.results": "tests/write/test_once.py",
    "tiles.write.recover": "tests/write/test_faults.py",
    # halves of a repair: what it works out, and in which order it writes that
    "tiles.index.search_prover": "tests/index/test_search_verdict.py",
    "tiles.upkeep.rebuild": "tests/upkeep/test_repair.py",
    "tiles.upkeep.replace": "tests/upkeep/test_repair_deaths.py",
}


def test_tests_mirror_the_library() -> None:
    """A module's tests are at the same place below tests/, or it is named here with what tests it."""
    there = {path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    missing = {}
    for name in sorted(modules()):
        *folders, module = name.split(".")[1:] or [""]
        if "/".join([*folders, f"test_{module}"]) + ".py" not in there and modules()[name].name != "__init__.py":
            missing[name] = TESTED_ELSEWHERE.get(name)
    assert {name for name, where in missing.items() if where is None} == set()
    assert set(TESTED_ELSEWHERE) <= set(missing), "it has a test file of its own"
    for where in missing.values():
        assert where == "every test" or (ROOT / str(where)).exists()


def test_test_files_import_no_test_files() -> None:
    """What two of them need is in tests/support."""
    # only those that may are parsed: one that names such a file in an import, or has names from a folder of them
    may = re.compile(r"^\s*(?:from|import)\b.*\btest_|^from tests\.(?!support)\w+ import", re.MULTILINE)
    for path in (ROOT / "tests").rglob("*.py"):
        if may.search(path.read_text(encoding="utf-8")):
            found = {name for name in imports(path) if re.search(r"\.test_\w+$", name)}
            assert not found, f"{path.relative_to(ROOT)} imports {sorted(found)}"


def test_imports_have_no_circle() -> None:
    """A module never needs, directly or not, one that needs it."""
    every = set(modules()) - {"tiles"}
    needs = {name: imports(path) & every for name, path in modules().items()}
    while needs:
        free = {name for name, needed in needs.items() if not needed & set(needs)}
        assert free, f"in a circle, or above one: {sorted(needs)}"
        needs = {name: needed for name, needed in needs.items() if name not in free}


def test_the_library_does_not_import_the_command() -> None:
    """The library is of use without the command line; only the command knows click."""
    for name, path in modules().items():
        assert not [one for one in imports(path) if one.partition(".")[0] in {"tiletree", "click"}], name


# ---- what the library offers


def test_all_is_sorted_and_exact() -> None:
    """`__all__`, what type checkers see and what is found at run time are the same names, from the same modules."""
    assert list(tiles.__all__) == sorted(set(tiles.__all__))
    seen = {
        alias.name: node.module
        for node in ast.walk(tree(LIBRARY / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tiles.")
        for alias in node.names
        if alias.name != "__version__"
    }
    assert sorted(seen) == list(tiles.__all__)
    for name, module in seen.items():
        assert getattr(tiles, name) is getattr(importlib.import_module(str(module)), name)
    assert set(tiles.__all__) <= set(dir(tiles))


def test_no_public_name_hides_a_module() -> None:
    """`tiles.upkeep.audit` is the module, whether or not it was imported before."""
    assert not {f"tiles.{name}" for name in tiles.__all__} & set(modules())


def test_unknown_names_are_unknown() -> None:
    """A name that the library does not have is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tiles.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import tiles", {"tiles.errors", "cryptography", "urllib3", "dataclasses", "hashlib"}),
        (
            "import tiles.tree.merkle, tiles.tree.proof, tiles.tree.layout",
            {"cryptography", "urllib3", "tiles.notes.note"},
        ),
        (
            "import tiles.notes.tlog_proof",
            {
                "urllib3",
                "tiles.store",
                "base64",
                "cryptography.hazmat.primitives.asymmetric.ec",
                "cryptography.hazmat.primitives.asymmetric.mldsa",
                "cryptography.hazmat.primitives.asymmetric.rsa",
                "cryptography.hazmat.primitives.serialization",
            },
        ),
        ("import tiletree.cli", {"json", "traceback"}),
        ("import tiletree.cli, tiletree.commands.audit, tiletree.commands.get", {"urllib3", "ssl", "asyncio"}),
        ("import tiletree.reading", {"tiles.read", "tiles.store", "tiles.notes", "cryptography", "urllib3"}),
        (
            "import tiletree.cli, tiletree.commands.verify_files, tiletree.commands.verify_proofs",
            {
                "urllib3",
                "ssl",
                "json",
                "traceback",
                "tiles.store",
                "tiles.signing",
                "tiles.entries.kinds",
                "tiles.signatures",
                "tiles.sigstore.hashedrekord",
                "tiles.read.checksums",
                "cryptography.hazmat.primitives.serialization",
            },
        ),
        (
            "import tiletree.cli, tiletree.commands.verify, tiles.sigstore.verdict",
            {
                "tiles.read.checksums",
                "tiles.read.web_file",
                "urllib3",
                "ssl",
                "tiles.log",
                "tiles.store",
                "tiles.signing",
                "tiles.entries.kinds",
                "tiles.user.trusted_keys",
                "tiles.sigstore.trusted_root",
                "tiles.sigstore.in_toto",
                "cryptography.x509",
                "rfc3161_client",
            },
        ),
    ],
)
def test_imports_are_light(statement: str, absent: set[str]) -> None:
    """Whoever needs a part of the library does not pay for the others."""
    code = f"import sys; {statement}; print(*sys.modules)"
    own = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # measuring loads much
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=own).stdout
    assert not absent & set(loaded.split())


def test_the_manual_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example in the library's docstring runs, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    failed, attempted = doctest.testmod(tiles, optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert attempted > 10
    assert failed == 0
