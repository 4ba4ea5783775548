"""Drafts what is missing in docs/schemas, from documents that commands have printed.

    TILETREE_DOCUMENTS=seen.jsonl .venv/bin/python -m pytest -q tests/command/test_add.py -n 2
    .venv/bin/python -m tests.support.draft_schemas seen.jsonl [--rows NEW.md [OLD.md]]
    .venv/bin/python -m tests.support.make_json_docs

The first call records each document, whatever the tests say of it. The second adds each field that no schema has, with
its type, and a schema for each new command; a field that is not in all documents any more is no longer required, which
is said. What is wrong still, such as another type, is said, and left to you.

A new field says by which test it was seen: `tests/command/test_json.py` calls every command once, and wants to see all
others. Its sentence is "TODO", which a test finds, unless a page says it, in a table `| command | field | says |` or
`| field | of | says |`: --rows names one, and with a second page what the first says otherwise replaces what is there.
Look at what was drafted: a field of a new command that is in every document that was seen is drafted as always there.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support import schemas
from tests.support.outcomes import codes, quoted
from tests.support.schemas import COMMON, Schema

TODO = "TODO"
_HASH = re.compile(r"[0-9a-f]{64}")
_SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_TYPES = {**_SCALARS, dict: "object", list: "array"}
# what a field refers to in common.json, by its name
_SHARED = {"index": ["index", "index_remark"], "endorsed": ["endorsed"], "by": ["by"]}

Said = dict[tuple[str, str], str]  # what a row says, by command and field


def rows(page: str) -> Said:
    """Return what the tables of fields of a page say."""
    found: Said = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) != 3 or not cells[2]:
            continue
        first, second = quoted(cells[0]), quoted(cells[1])
        of, named = (first, second) if first and first[0] in codes() else (second, first)
        text = cells[2].rstrip(" |")
        found |= {(command, field): text for command in of if command in codes() for field in named}
    return found


def drafted(command: str, documents: list[Schema], said: Said) -> Schema:
    """Return the schema of a command with what is missing in it for these documents."""
    path = schemas.path_of(command)
    schema: Schema = json.loads(path.read_text(encoding="utf-8")) if path.exists() else _empty(command)
    if "$ref" in schema:  # to another command's
        return schema
    _complete(schema, documents, "", {field: text for (of, field), text in said.items() if of == command})
    done = [document for document in documents if "error" not in document]
    if "else" in schema:
        wanted = schema["else"]["required"] if path.exists() else list(schema["properties"])
        schema["else"]["required"] = [name for name in wanted if all(name in document for document in done)]
    return schema


def said_anew(schema: Schema, said: dict[str, str]) -> None:
    """Put other sentences into a schema. said: by the path of a field"""
    for path, field in schemas.fields(schema, inside=True):
        if path in said:
            field["description"] = said[path]


def say_where(schema: Schema, before: Schema, seen: Iterable[tuple[str, Schema]]) -> None:
    """Let each field that is new in a schema say by which test it was seen. seen: documents, each with its test"""
    known = {path for path, _ in schemas.fields(before)}
    tests: dict[str, str] = {}
    for test, document in seen:
        for path in schemas.present(document, schema):
            tests.setdefault(path, test)
    for path, field in schemas.fields(schema, inside=True):
        outer = re.sub(r"(\.\w+|\[\]|\.\*)$", "", path)
        if path not in known and (outer in known or outer == path) and tests.get(path):
            field["$comment"] = f"seen by {tests[path]}"


def _empty(command: str) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schemas.path_of(command).name,
        "title": f"tiletree {command}",
        "description": f"what `tiletree {command} --json` prints",
        "type": "object",
        "properties": {"error": {"$ref": f"{COMMON}#/$defs/error"}},
        "additionalProperties": False,
        "if": {"required": ["error"]},
        "else": {"required": []},
    }


def _complete(schema: Schema, values: list[Any], at: str, wanted: dict[str, str]) -> None:
    """Add what is missing in a schema, for values that are all of it."""
    if "$ref" in schema:
        return
    objects = [value for value in values if isinstance(value, dict)]
    lists = [value for value in values if isinstance(value, list)]
    if lists:
        each = [one for value in lists for one in value]
        if "items" in schema:
            _complete(schema["items"], each, f"{at}[]", wanted)
        elif each or f"{at}[]" in wanted:
            schema["items"] = _draft(each or [""], f"{at}[]", wanted)
    if isinstance(schema.get("additionalProperties"), dict):
        inner = [one for value in objects for one in value.values()]
        _complete(schema["additionalProperties"], inner, f"{at}.*", wanted)
        return
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if all(name in value for value in objects)]
    for name in dict.fromkeys(name for value in objects for name in value):
        inner = [value[name] for value in objects if name in value]
        field = f"{at}.{name}" if at else name
        if name in schema.setdefault("properties", {}):
            _complete(schema["properties"][name], inner, field, wanted)
        else:
            schema["properties"][name] = _draft(inner, field, wanted)


def _draft(values: list[Any], at: str, wanted: dict[str, str]) -> Schema:
    """Return the schema of a field that has none, for the values that were seen of it."""
    text = wanted.get(at, "")
    name = at.rpartition(".")[2]
    if (shared := _shared(name, values)) and not any(field.startswith((f"{at}.*",)) for field in wanted):
        of_several = sum(one == text for one in wanted.values()) > 1  # then what it is by itself is better said there
        plain = not text or of_several or text.startswith("as ")
        return {"$ref": f"{COMMON}#/$defs/{shared}", **({} if plain else {"description": text})}
    types = list(dict.fromkeys(_TYPES[type(value)] for value in values))
    schema: Schema = {"description": text or TODO, "type": types[0] if len(types) == 1 else sorted(types)}
    if all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values):
        schema["minimum"] = 0
    if all(isinstance(value, str) and _HASH.fullmatch(value) for value in values):
        schema["pattern"] = f"^{_HASH.pattern}$"
    if "object" in types:
        objects = [value for value in values if isinstance(value, dict)]
        if f"{at}.*" in wanted:
            inner = [one for each in objects for one in each.values()]
            schema["additionalProperties"] = _draft(inner, f"{at}.*", wanted)
            schema["description"] = wanted[f"{at}.*"]
        else:
            schema |= {"properties": {}, "required": [], "additionalProperties": False}
            schema["required"] = [key for key in objects[0] if all(key in each for each in objects)]
            if not text:
                schema["description"] = next((wanted[one] for one in wanted if one.startswith(f"{at}.")), TODO)
    if "array" in types and not text:
        schema["description"] = next((wanted[one] for one in wanted if one.startswith(f"{at}[]")), TODO)
    _complete(schema, values, at, wanted)
    return schema


def _shared(name: str, values: list[Any]) -> str:
    """Return the name of what fits in common.json, if anything does."""
    common = schemas.load(COMMON)
    registry: Registry[Schema] = Registry().with_resource(COMMON, Resource.from_contents(common))
    for candidate in _SHARED.get(name, [name]):
        if candidate in common["$defs"]:
            reference = Draft202012Validator({"$ref": f"{COMMON}#/$defs/{candidate}"}, registry=registry)
            if all(reference.is_valid(value) for value in values):
                return candidate
    return ""


def text_of(schema: Schema) -> str:
    """Return a schema as its file has it."""
    return f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n"


def main(recorded: str, *options: str) -> None:
    """Draft what is missing for all documents of a recording."""
    new, old = ([*map(_page, options[1:]), "", ""] if options[:1] == ("--rows",) else ["", ""])[:2]
    said, before = rows(new), rows(old)
    where = _recorded(recorded)
    seen = {command: [document for _, document in every] for command, every in where.items()}
    changed: dict[str, dict[str, str]] = defaultdict(dict)
    for (command, field), text in said.items() if old else ():
        if before.get((command, field), text) != text:
            changed[command][field] = text
    for command, documents in sorted(seen.items()):
        path = schemas.path_of(command)
        was = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        schema = drafted(command, documents, said)
        said_anew(schema, changed[command])
        if was:
            say_where(schema, was, where[command])
        if text_of(schema) != text_of(was):
            path.write_text(text_of(schema), encoding="utf-8")
            sys.stdout.write(f"{path.name}: drafted; {text_of(schema).count(TODO)} sentences are to be written\n")
        if lost := set(was.get("else", {}).get("required", ())) - set(schema.get("else", {}).get("required", ())):
            sys.stdout.write(f"{path.name}: no longer in every document: {', '.join(sorted(lost))}\n")
    schemas.load.cache_clear()
    for command, documents in sorted(seen.items()):
        problems = {f"{one.json_path}: {one.message}" for each in documents for one in schemas.problems(command, each)}
        for problem in sorted(problems)[:10]:
            sys.stdout.write(f"{schemas.path_of(command).name}: look at {problem}\n")


def _recorded(name: str) -> dict[str, list[tuple[str, Schema]]]:
    """Return the documents of a recording by their commands, each with its test."""
    found: dict[str, list[tuple[str, Schema]]] = defaultdict(list)
    for line in _page(name).splitlines():
        one = json.loads(line)
        if one["command"]:
            found[one["command"]].append((one["test"], one["document"]))
    return found


def _page(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
