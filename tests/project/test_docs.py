"""The documents: what they name exists, and what they link to is there. Their commands: `test_pages.py`."""

from __future__ import annotations

import ast
import pkgutil
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest

from tests.support.make_cli_docs import TARGET, contexts, document
from tiles.records import paths
from tiletree.cli import GROUPS

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
README = ROOT / "README.md"
LIST = ROOT / "docs" / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted(TESTS.rglob("*.md"))]
DOCUMENTS += sorted((ROOT / "terraform").rglob("*.md"))
DOCUMENTS = [path for path in DOCUMENTS if "node_modules" not in path.parts]

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@cache
def read(path: Path) -> str:
    """Return a document's text."""
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Return a document's text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", read(path), flags=re.MULTILINE | re.DOTALL)


def rows(text: str) -> list[list[str]]:
    """Return the rows of all tables in a text, without their headings, as lists of cells."""
    tables = re.findall(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for table in tables for row in table.splitlines()]


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


# ---- docs/spec-map.md


SPEC_MAP = rows(read(ROOT / "docs" / "spec-map.md"))


def find(name: str) -> object:
    """Return what `package.module.name.attribute` stands for in the library."""
    return pkgutil.resolve_name(f"tiles.{name}")


@cache
def defined_tests(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    return {node.name for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.FunctionDef)}


def test_the_map_has_all_specifications() -> None:
    """Each specification that a module of the library names in its first line has a chapter."""
    named = {
        link
        for path in (ROOT / "tiles").rglob("*.py")
        for link in re.findall(r"https://(?:c2sp\.org/[\w-]+|www\.rfc-editor\.org/rfc/rfc\d+)", read(path)[:300])
    }
    assert len(named) >= 7
    assert all(link in read(ROOT / "docs" / "spec-map.md") for link in named)


@pytest.mark.parametrize("row", SPEC_MAP, ids=lambda row: row[0])
def test_the_map_leads_somewhere(row: list[str]) -> None:
    """Each row has a section, functions that exist, and tests that exist."""
    section, functions, tests = row
    assert section
    assert quoted(functions)
    for name in quoted(functions):
        assert find(name) is not None
    assert quoted(tests)
    for name in quoted(tests):
        file, _, test = name.rpartition(".")
        assert test in defined_tests(TESTS / f"{file.replace('.', '/')}.py")


# ---- names and links


@by_name
def test_links_resolve(document: Path) -> None:
    """A link inside the repository leads to a file, and to a heading of it."""
    for target in re.findall(r"\]\(([^)]+)\)", prose(document)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", read(file), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked(document: Path) -> set[Path]:
    """Return the documents of the repository that a document links."""
    targets = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", prose(document))
    return {(document.parent / target).resolve() for target in targets}


def test_every_document_is_found_from_the_readme() -> None:
    """Whoever follows links from the README gets to every other document."""
    found: set[Path] = set()
    new = {README}
    while new:
        found |= new
        new = {target for document in new for target in linked(document)} - found
    assert set(DOCUMENTS) - found == set()


def test_the_list_of_documents_has_all() -> None:
    """The README links docs/README.md, which has every document of `docs/`; how to contribute is one link away."""
    listed = linked(LIST)
    assert LIST in linked(README)
    documents = {path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions"}
    assert documents - {LIST} | {ROOT / "docs" / "decisions" / "README.md"} <= listed
    assert {ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")} <= listed & linked(README)
    assert "](examples)" in read(README)


@by_name
def test_files_that_are_named_exist(document: Path) -> None:
    """A path in backticks that begins with a folder of the repository is there."""
    for name in quoted(prose(document)):
        if match := re.match(r"(?:python )?((?:tiles|tests|docs|cmd|web|examples|deploy)/[\w./-]*)", name):
            assert (ROOT / match[1]).exists(), name


@by_name
def test_targets_that_are_named_exist(document: Path) -> None:
    """`make` is asked for nothing that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([\w-]+)", read(document), flags=re.MULTILINE)) <= targets


def table(path: Path, heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has that heading."""
    _, found, text = read(path).partition(f"\n| {heading} |")
    assert found, f"{path.name} has no table of '{heading}'"
    return rows(f"| {heading} |{text.partition(chr(10) * 2)[0]}\n")


CHANGES = table(CONTRIBUTING, "to change")


@cache
def names_in(path: Path) -> set[str]:
    """Return the names that a module defines, those of a class with its members too; of a script, its functions."""
    if path.suffix == ".js":
        return set(re.findall(r"^(?:export )?(?:async )?function (\w+)", read(path), flags=re.MULTILINE))
    found = set()
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{member.name}" for member in node.body if isinstance(member, ast.FunctionDef)}
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row[0])
def test_contributors_are_led_somewhere(row: list[str]) -> None:
    """Each row names files that exist; a name behind a file is defined in that file."""
    _, where = row
    assert re.search(r"`[\w./]+`|\]\(", where)
    for file, name in re.findall(r"`([\w./]+/[\w.]*)`(?:: `([\w.]+)`)?", where):
        assert (ROOT / file).exists(), file
        assert not name or name in names_in(ROOT / file), f"{file} does not define {name}"


def test_contributors_find_what_is_asked_most() -> None:
    """Paths of tiles, signing, names in the inbox, gzip, missing tiles, headers and exit codes are among the rows."""
    text = read(CONTRIBUTING)
    for file, name in (
        ("tiles/tree/layout.py", "Tile.path"),
        ("tiles/signing/signer.py", "Signer.sign"),
        ("tiles/inbox/submission.py", "parse_name"),
        ("tiles/write/prepare.py", "as_public"),
        ("tiles/upkeep/objects.py", "MISSING"),
        ("tiles/records/serving.py", "headers_of"),
        ("cmd/tiletree/ui.py", "exit_code"),
    ):
        assert f"`{file}`: `{name}`" in text


def test_contributors_know_every_target() -> None:
    """CONTRIBUTING has each target of the Makefile that runs something of the repository, with its time."""
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    assert {quoted(row[0])[0] for row in table(CONTRIBUTING, "target")} == {
        f"make {target}" for target in targets - {"help", "clean"}
    }


def test_the_data_flow_names_modules() -> None:
    """Each step of the commit and of reading names its module, and the page's table has each script that there is."""
    path = ROOT / "docs" / "data-flow.md"
    headings = re.findall(r"^\| step \| module \|", read(path), flags=re.MULTILINE)
    assert len(headings) == 2
    modules = [quoted(row[1]) for row in rows(read(path)) if row[1:2] and re.fullmatch(r"`\w+/\w+`", row[1])]
    assert len(modules) == 22
    for (module,) in modules:
        assert (ROOT / "tiles" / f"{module}.py").is_file(), module
    scripts = [name for row in table(path, "module") for name in quoted(row[0])]
    assert sorted(scripts) == sorted(
        script.stem for folder in ("page", "verifier") for script in (ROOT / "web" / folder).glob("*.js")
    )


def test_the_glossary_is_in_order() -> None:
    """Each word stands once, in alphabetical order, with what it means and what not to say for it."""
    entries = table(ROOT / "docs" / "glossary.md", "word")
    words = [word for word, _, _ in entries]
    assert len(words) > 30
    assert words == sorted(set(words), key=str.casefold)
    assert all(meaning.endswith(".") for _, meaning, _ in entries)
    for word, _, others in entries:
        assert word not in re.split(r", |; ", re.sub(r" \(.*?\)", "", others)), word


def test_the_decisions_are_numbered_and_listed() -> None:
    """Decisions are numbered without gaps, have the four chapters, and are listed by their titles."""
    folder = ROOT / "docs" / "decisions"
    index = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", read(folder / "README.md"), flags=re.MULTILINE)
    assert [name for _, _, name in index] == sorted(path.name for path in folder.glob("0*.md"))
    for position, (number, title, name) in enumerate(index, 1):
        assert (int(number), int(name[:4])) == (position, position)
        headings = re.findall(r"^#+ (.*)$", read(folder / name), flags=re.MULTILINE)
        assert headings == [f"{position}. {title}", "Context", "Decision", "Rejected", "Consequences"]


def test_every_dependency_is_explained() -> None:
    """docs/dependencies.md has each package that pyproject.toml names, with its lower bound, and no other."""
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    optional = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [requirement for extra in optional.values() for requirement in extra]
    explained = {(row[0], row[2].removeprefix("exactly ")) for row in rows(read(ROOT / "docs" / "dependencies.md"))}
    for requirement in wanted:
        name, bound = re.match(r"([\w-]+)(?:\[\w+\])?[>=]=([\d.]+)", requirement).groups()
        assert any(row == name and re.match(rf"{re.escape(bound)}\b", why) for row, why in explained), requirement
    assert {name for name, _ in explained} == {re.split(r"[^\w-]", requirement)[0] for requirement in wanted}


# ---- the command line


def calls(document: Path) -> list[str]:
    """Return the calls of `tiletree` in the blocks of code of a document."""
    text = read(document).replace("\\\n", "")
    return re.findall(r"^(?: {4,}|\$ | *(?:- )?run: )?(?:\w+=\S+ )*(tiletree [^|#>;)&\n]*)", text, flags=re.MULTILINE)


@by_name
def test_calls_in_documents_are_understood(document: Path) -> None:
    """Each call that a document shows is of a command that there is, with options that it has."""
    commands = {tuple(context.command_path.split()[1:]): context for context in contexts()}
    common = {"--verbose", "-v", "--quiet", "-q", "--log-format", "--color", "--version", "--help", "-h"}
    for call in calls(document):
        words = [word.partition("=")[0] for word in shlex.split(call.replace("'", "").replace('"', ""))[1:]]
        named = [word for word in words if not word.startswith("-") and not word.startswith("[")]
        if not named or named[0] == "COMMAND":
            continue
        name = tuple(named[:2]) if tuple(named[:2]) in commands else tuple(named[:1])
        assert name in commands, call
        known = {option for each in commands[name].command.params for option in (*each.opts, *each.secondary_opts)}
        assert {word.strip("[],") for word in words if word.startswith("-")} - {"-", "--"} <= known | common, call


def test_cli_document_is_current() -> None:
    """docs/cli.md is what `python -m tests.support.make_cli_docs` writes."""
    assert read(TARGET) == document()


def test_every_command_has_help_on_itself_and_its_options() -> None:
    """Nothing on the command line is without a word."""
    for context in contexts():
        assert context.command.help, context.command_path
        for parameter in context.command.get_params(context):
            assert not isinstance(parameter, click.Option) or parameter.help, f"{context.command_path} {parameter.name}"


def test_every_command_is_in_the_table_of_its_group() -> None:
    """docs/commands.md has the groups of `tiletree --help`, in the same order, and all commands in them."""
    _, *chapters = read(ROOT / "docs" / "commands.md").split("\n## ")
    found = {}
    for chapter in chapters[: len(GROUPS)]:
        named = [quoted(row[0]) for row in rows(chapter)]
        title = chapter.partition("\n")[0]
        names = {name.removeprefix("tiletree ").split()[0] for row in named for name in row} - {"--index"}
        found[title[0].lower() + title[1:]] = names
    assert list(found) == list(GROUPS)
    assert found == {group: set(names) for group, names in GROUPS.items()}


def test_every_object_of_a_log_is_in_the_data_flow() -> None:
    """Whatever the code calls an object of a log is in the chapter "Where things are in a log"."""
    _, _, chapter = read(ROOT / "docs" / "data-flow.md").partition("\n## Where things are in a log\n")
    chapter = chapter.partition("\n## ")[0]
    elsewhere = {paths.LATEST, paths.ISSUERS}  # of logs in other formats: docs/other-logs.md
    constants = {name: value for name, value in vars(paths).items() if re.fullmatch("[A-Z][A-Z_]*", name)}
    names = {value for value in constants.values() if isinstance(value, str)} - elsewhere
    assert len(names) > 20
    assert {name for name in names if name not in chapter} == {paths.WITNESSED}  # the chapter has it in two parts
    others = read(ROOT / "docs" / "other-logs.md")
    assert all(name.rstrip("/") in others for name in elsewhere)
