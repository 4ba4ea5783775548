"""The JSON Schemas of docs/schemas: one file for the documents of each command, which all tests hold commands to.

What several commands have in common is in docs/schemas/common.json. `tests.support.draft_schemas` drafts what is
missing, and `tests.support.make_json_docs` writes the page that people read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"
COMMON = "common.json"
RECORD = "TILETREE_DOCUMENTS"  # the variable that names a file which gets every document that tests see

Schema = dict[str, Any]


def path_of(command: str) -> Path:
    """Return the file with the schema of a command's documents."""
    return FOLDER / f"{command.replace(' ', '-')}.json"


@cache
def load(name: str) -> Schema:
    """Return a schema by the name of its file."""
    found: Schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def commands() -> set[str]:
    """Return the commands that have a schema, each as it is called."""
    return {load(path.name)["title"].removeprefix("tiletree ") for path in FOLDER.glob("*.json") if path.name != COMMON}


@cache
def validator(command: str) -> Validator:
    """Return what holds documents to the schema of a command. References are followed now: that is ten times faster."""
    return Draft202012Validator(_whole(load(path_of(command).name)))


def referring(command: str) -> Validator:
    """Return what holds documents to the schema of a command as its file is, and follows references as others do."""
    registry: Registry[Schema] = Registry(retrieve=lambda uri: Resource.from_contents(load(uri)))
    return Draft202012Validator(load(path_of(command).name), registry=registry)


def _whole(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_whole(each) for each in schema]
    return {name: _whole(each) for name, each in resolved(schema).items()} if isinstance(schema, dict) else schema


def problems(command: str, document: Schema) -> Iterator[ValidationError]:
    """Yield all in which a document is not of the schema of a command."""
    found: Iterator[ValidationError] = validator(command).iter_errors(document)
    return found


def check(words: list[str], command: str, out: str) -> None:
    """Check that each line that a command has printed with --json is a document of its schema."""
    for line in out.splitlines():
        document = json.loads(line)
        record(words, command, document)
        for problem in problems(command, document):
            where = f"docs/schemas/{path_of(command).name}: {problem.json_path}: {problem.message}"
            raise AssertionError(f"{words}: {where}; python -m tests.support.draft_schemas drafts what is missing")


def record(words: list[str], command: str, document: Schema) -> None:
    """Keep a document, and by which test it was seen, where the environment asks for that."""
    if name := os.environ.get(RECORD):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps({'command': command, 'words': words, 'test': test, 'document': document})}\n")


def resolved(schema: Schema) -> Schema:
    """Return a schema, or that of another file which it refers to; what stands beside the reference goes before."""
    if (reference := schema.get("$ref")) is None:
        return schema
    name, _, place = reference.partition("#/$defs/")
    found = load(name or COMMON)
    found = found["$defs"][place] if place else found
    return {**resolved(found), **{name: value for name, value in schema.items() if name != "$ref"}}


def fields(schema: Schema, at: str = "", *, inside: bool = False) -> Iterator[tuple[str, Schema]]:
    """Yield each field of a schema by its path, `a.b`, `list[].b` or `by_name.*`: first one, then those in it.

    inside   yield what stands in this file, with references as they are, instead of what they refer to
    """
    schema = schema if inside else resolved(schema)
    below = [(f"{at}.{name}" if at else name, one) for name, one in schema.get("properties", {}).items()]
    if "items" in schema:
        below.append((f"{at}[]", schema["items"]))
    if isinstance(named := schema.get("additionalProperties"), dict):
        below.append((f"{at}.*", named))
    for path, one in below:
        yield path, one if inside else resolved(one)
        yield from fields(one, path, inside=inside)


def present(value: Any, schema: Schema, at: str = "") -> Iterator[str]:
    """Yield the paths of the fields that a document has, as `fields` spells them."""
    schema = resolved(schema)
    below: list[tuple[str, Any, Schema]] = []
    if isinstance(value, list) and "items" in schema:
        below = [(f"{at}[]", each, schema["items"]) for each in value]
    elif isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        for name, each in value.items():
            if name in known:
                below.append((f"{at}.{name}" if at else name, each, known[name]))
            elif isinstance(other, dict):
                below.append((f"{at}.*", each, other))
    for path, each, its in below:
        yield path
        yield from present(each, its, path)


def unexplained(schema: Schema) -> Iterator[str]:
    """Yield the fields that have to be in some document that the tests see, because no $comment says otherwise.

    What is in a field that has a $comment needs none of its own.
    """
    if "$comment" in schema:
        return
    commented = [path for path, each in fields(schema) if "$comment" in each]
    for path, _ in fields(schema):
        if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in commented):
            yield path
