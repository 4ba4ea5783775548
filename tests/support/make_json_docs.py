"""Writes docs/json.md, the fields of each command's documents, from docs/schemas: run it after a change of a schema."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from tests.support import schemas
from tests.support.schemas import COMMON, Schema
from tiletree.cli import COMMANDS

TARGET = Path(__file__).resolve().parents[2] / "docs" / "json.md"
_HEAD = """\
# JSON documents

With `--json`, standard output has one document in one line, and everything else is on standard error. `sequence
--watch` prints a document in a line for each run that did something or failed, and `monitor` one for each thing that it
tells. Hashes are 64 lower-case hexadecimal digits. Addresses and paths are as they are shown, without credentials.

A [JSON Schema](https://json-schema.org/draft/2020-12) describes the documents of each command, one file a command, in
`docs/schemas`; these refer to [common.json](schemas/common.json) beside them. No document has a field that its schema
does not have: all tests that call commands hold them to that. `python -m tests.support.make_json_docs` makes this page
from the schemas, and `python -m tests.support.draft_schemas` drafts what is new.

A field that is *always* there is in every document without an `error`; the others are there where their sentence says
so, or where there is something to say. A later version may add fields.

## Errors

What did not end well is said in the document as well, in the field `error`, beside the fields of what was done until
then. [Its kinds](outcomes.md#errors) have their exit codes.

{error}
## Fields that mean the same everywhere

{same}
## What is remarked

What a command remarks on standard error besides its result is a field as well. The field is there if the remark is
made, in the document of an error, too.

{remarks}"""

_SAME = (
    "origin",
    "size",
    "root",
    "vkey",
    "index",
    "leaf_hash",
    "first_index",
    "count",
    "trust",
    "published",
    "committed",
)
_EVERYWHERE = {"error"}
_REMARK = "a remark"  # how the $comment of a remark begins


Row = tuple[str, str, str]  # a field's path, whether it is always there, and its sentence


def rows(schema: Schema, always: set[str]) -> Iterator[Row]:
    """Yield the fields of a schema; one that holds others has a row of its own if it says something else than they."""
    for name, given in schema["properties"].items():
        if name in _EVERYWHERE or _is_remark(given):
            continue
        there = "always" if name in always else ""
        yield from ((path, there, says) for path, says in _said(name, schemas.resolved(given)))
    if found := [
        f"{name}{_mark(schemas.resolved(one))}" for name, one in schema["properties"].items() if _is_remark(one)
    ]:
        yield "`, `".join(found), "", "[remarks](#what-is-remarked)"


def _is_remark(schema: Schema) -> bool:
    """Tell whether a field is a remark that says nothing else than in other commands."""
    return set(schema) == {"$ref"} and schemas.resolved(schema).get("$comment", "").startswith(_REMARK)


def _mark(field: Schema) -> str:
    return "[]" if "items" in field else ""


def _said(path: str, field: Schema) -> Iterator[tuple[str, str]]:
    """Yield a field and those in it, each with its sentence."""
    inner = schemas.resolved(field["items"]) if "items" in field else field
    path += _mark(field)
    below = [(f"{path}.{name}", schemas.resolved(one)) for name, one in inner.get("properties", {}).items()]
    if isinstance(named := inner.get("additionalProperties"), dict):
        below.append((f"{path}.*", schemas.resolved(named)))
    if not below or field["description"] != below[0][1]["description"]:
        yield path, field["description"]
    for name, one in below:
        yield from _said(name, one)


def table(found: Iterable[Row]) -> str:
    """Return a table of fields; those one after the other that have the same sentence share a row."""
    found = list(found)
    if not any(there for _, there, _ in found):
        lines = ["| field | says |", "|---|---|"]
        return "\n".join(lines + [f"| `{path}` | {_linked(says)} |" for path, _, says in found]) + "\n"
    lines = ["| field | there | says |", "|---|---|---|"]
    for (there, says), group in groupby(found, key=itemgetter(1, 2)):
        lines.append(f"| {', '.join(f'`{path}`' for path, _, _ in group)} | {there} | {_linked(says)} |")
    return "\n".join(lines) + "\n"


def _linked(says: str) -> str:
    """Return a sentence as the page has it: what it names in docs/ is a link."""
    return re.sub(r"\(docs/([a-z-]+)\.md\)", r"([\1](\1.md))", says.replace("|", "\\|"))


def document() -> str:
    """Return what docs/json.md has to hold."""
    common: Schema = schemas.load(COMMON)["$defs"]
    remarks = {
        name.removesuffix("_remark"): one for name, one in common.items() if one.get("$comment", "").startswith(_REMARK)
    }
    page = _HEAD.format(
        error=table((path, "", says) for path, says in _said("error", common["error"])),
        same=table((name, "", common[name]["description"]) for name in _SAME),
        remarks=table((path, "", says) for name, one in remarks.items() for path, says in _said(name, one)),
    )
    order = list(COMMANDS)
    for command in sorted(schemas.commands(), key=lambda name: (order.index(name.split()[0]), name)):
        path = schemas.path_of(command)
        schema = schemas.resolved(schemas.load(path.name))
        always = set(schema.get("else", {}).get("required", ()))
        page += (
            f"\n## tiletree {command}\n\n[schemas/{path.name}](schemas/{path.name})\n\n{table(rows(schema, always))}"
        )
    return page


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{TARGET} written\n")
