"""The reference of the Python API, from signatures and docstrings: what is promised, and nothing else.

The sources are parsed and not imported, so the reference is the same wherever it is made. There is no framework for
docstrings here: ours are sentences, tables and blocks of code, as Markdown has them.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from docs.site.pages import ROOT

PACKAGES = ("tree", "notes")  # whose modules are public as a whole
_CODE = re.compile(r"(`[^`]*`)")
_URL = re.compile(r"https://[\w./#-]*[\w/#]")
_ROW = re.compile(r"\S+(?:, \S+)* {2,}\S| {2,}\S")  # of a table of arguments or attributes, and how it goes on


def pages() -> dict[str, str]:
    """Return the pages of the reference by their paths in the site."""
    found = {"api/tiles.md": "\n".join(_promised())}
    for package in PACKAGES:
        found[f"api/{package}.md"] = "\n".join(_package(package))
    return found


def promised() -> dict[str, str]:
    """Return the names in `tiles.__all__`, each with the module that it is from."""
    tree = _parsed(ROOT / "tiles" / "__init__.py")
    names = next(_strings(node) for node in tree.body if isinstance(node, ast.Assign) and _target(node) == "__all__")
    imported = {
        alias.asname or alias.name: str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {name: imported[name] for name in names}


def public(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Yield the public classes and functions of a module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def _promised() -> Iterator[str]:
    yield "# Python: `import tiles`\n"
    yield from _docstring(_parsed(ROOT / "tiles" / "__init__.py"))
    yield "These names, and the modules of [`tiles.tree`](tree.md) and [`tiles.notes`](notes.md), are "
    yield "[what is promised](../contributing.md#what-is-promised).\n"
    for name, module in promised().items():
        defined = [node for node in public(_parsed(_file(module))) if node.name == name]
        if not defined:  # a constant or another name for a thing
            yield f"## {name}\n\nFrom `{module}`.\n"
        for node in defined:
            yield from _definition(node, "##", module)


def _package(package: str) -> Iterator[str]:
    folder = ROOT / "tiles" / package
    yield f"# Python: `tiles.{package}`\n"
    yield from _docstring(_parsed(folder / "__init__.py"))
    for path in sorted(folder.glob("*.py")):
        if path.stem == "__init__":
            continue
        tree = _parsed(path)
        yield f"## {_escaped(f'tiles.{package}.{path.stem}')}\n"
        yield from _docstring(tree)
        constants = list(_constants(tree))
        if constants:
            yield "```python\n" + "\n".join(constants) + "\n```\n"
        for node in public(tree):
            yield from _definition(node, "###")


def _definition(node: ast.ClassDef | ast.FunctionDef, level: str, module: str = "") -> Iterator[str]:
    yield f"{level} {_escaped(node.name)}\n"
    if module:
        yield f"From `{module}`.\n"
    if isinstance(node, ast.FunctionDef):
        yield f"```python\n{_signature(node)}\n```\n"
        yield from _docstring(node)
        return
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and not _target(each).startswith("_")]
    lines = [f"class {node.name}" + (f"({bases})" if bases else "")]
    lines += [f"    {ast.unparse(each)}" for each in fields]
    lines += [f"    {ast.unparse(each)}" for each in node.body if isinstance(each, ast.Assign) and _is_public(each)]
    yield "```python\n" + "\n".join(lines) + "\n```\n"
    yield from _docstring(node)
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and (not member.name.startswith("_") or member.name == "__init__"):
            yield f"{level}# {_escaped(f'{node.name}.{member.name}')}\n"
            yield f"```python\n{_signature(member)}\n```\n"
            yield from _docstring(member)


def _signature(node: ast.FunctionDef) -> str:
    marks = [f"@{ast.unparse(each)}" for each in node.decorator_list if "property" in ast.unparse(each)]
    marks += [f"@{ast.unparse(each)}" for each in node.decorator_list if ast.unparse(each).endswith("method")]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"def {node.name}({ast.unparse(node.args)}){returns}"
    if len(line) > 80:  # each argument in a line of its own, at the commas outside of brackets
        line = (
            f"def {node.name}(\n" + "".join(f"    {each},\n" for each in _split(ast.unparse(node.args))) + f"){returns}"
        )
    return "\n".join([*marks, line])


def _split(arguments: str) -> list[str]:
    parts, depth = [""], 0
    for character in arguments:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _constants(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_public(node):
            text = ast.unparse(node)
            yield text if len(text) <= 100 else f"{_target(node)} = …"


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    text = ast.get_docstring(node)
    if not text:
        return
    for paragraph in re.split(r"\n\n+", text):
        lines = paragraph.splitlines()
        if not lines[0].startswith(" "):
            table = list(takewhile(_ROW.match, lines))
            lines = lines[len(table) :]
            yield from _block(table)
        if lines and lines[0].startswith(" "):
            yield from _block(textwrap.dedent(paragraph).splitlines())  # a format, or an example
        elif lines:
            yield _escaped("\n".join(lines)) + "\n"


def _block(lines: list[str]) -> Iterator[str]:
    if lines:
        language = "pycon" if lines[0].startswith(">>>") else "text"
        yield "\n".join([f"```{language}", *lines, "```\n"])


def _escaped(text: str) -> str:
    """Return text in which nothing but what stands in backticks means anything to Markdown."""
    parts = _CODE.split(text)
    return "".join(part if part.startswith("`") else _linked(part) for part in parts)


def _linked(text: str) -> str:
    between = [re.sub(r"([<*_\[\]#])", r"\\\1", part) for part in _URL.split(text)]
    links = [f"<{url}>" for url in _URL.findall(text)]
    return "".join(part for pair in zip(between, [*links, ""], strict=True) for part in pair)


def _is_public(node: ast.Assign | ast.AnnAssign) -> bool:
    name = _target(node)
    return bool(name) and not name.startswith("_") and name != "TYPE_CHECKING"


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def _strings(node: ast.Assign) -> list[str]:
    value = ast.literal_eval(node.value)
    return [str(each) for each in value]


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
