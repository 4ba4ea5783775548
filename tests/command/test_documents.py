"""Documents that messages and --help lead to: each is there, and a message says where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.make_cli_docs import contexts
from tiletree import documents
from tiletree.jobs.record import Record

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\bdocs/([\w/-]+\.md)(?:#([\w-]+))?")
SPEAKING = [*(ROOT / "tiles").rglob("*.py"), *(ROOT / "cmd/tiletree").rglob("*.py")]
FOLDER = re.compile(r"docs is the folder (.+?)\)?$", flags=re.MULTILINE)


def said(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings, and the docstrings of commands, which are their --help."""
    if documents.NAMED not in (text := path.read_text(encoding="utf-8")):
        return
    tree = ast.parse(text)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        elif isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(one) for one in node.decorator_list):
            yield ast.get_docstring(node) or ""


def headings(path: Path) -> set[str]:
    """Return the names that links have for the headings of a document."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in lines}


def test_documents_that_are_named_are_there() -> None:
    """Each is in the folder of documents, which the wheel has, and so is the section; nothing else of it is named."""
    named = [found for path in SPEAKING for text in said(path) for found in NAME.findall(text)]
    assert len(named) > 15
    for name, section in named:
        assert (ROOT / "docs" / name).is_file(), name
        assert not section or section in headings(ROOT / "docs" / name), (name, section)
    others = [text for path in SPEAKING for text in said(path) if documents.NAMED in NAME.sub("", text)]
    assert [text for text in others if text not in (documents.NAMED, "https://github.com/sigstore/")] == []


def test_a_message_says_where(tiletree: Command, log: str) -> None:
    """An error that leads to a document says in which folder it is, in text and in JSON; another one does not."""
    Path("log.private/head").unlink()
    done = tiletree("add", "log", "a", "--key", "k", "--json")
    for text in (done.err, done.json["error"]["hint"]):
        ((name, _),) = NAME.findall(text)
        assert (Path(FOLDER.findall(text)[0]) / name).is_file()
    assert documents.NAMED not in tiletree("add", "log", "nothing", "--key", "k").err


def test_an_installation_without_documents(
    tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A container, or verify.pyz, names the archive that has them; so does what is read on another machine."""
    archive = re.compile(r"docs is a folder of the source archive, tiletree-[\d.]+\.tar\.gz")
    lines: list[str] = []
    Record(lines.append, {}).fail("Refused", "something", "see docs/lost.md")
    assert archive.search(lines[0])
    monkeypatch.setattr(documents, "_HERE", tmp_path / "site-packages" / "tiletree")
    Path("log.private/head").unlink()
    assert archive.search(tiletree("add", "log", "a", "--key", "k").err)


def test_help_says_where() -> None:
    """--help of a command says it at its end, if it names a document."""
    for context in contexts():
        text = context.command.get_help(context)
        assert bool(NAME.search(text)) == bool(FOLDER.search(text)), context.command_path
        assert all((Path(found) / "lost.md").is_file() for found in FOLDER.findall(text))
