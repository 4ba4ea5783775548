"""The documents of --json are those of docs/schemas, and each field that a schema has is in some document.

All tests that call commands hold the documents to the schemas as well (tests/support/command_line.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support import outcomes, schemas
from tests.support.draft_schemas import TODO, drafted, rows, text_of
from tests.support.every_command import CALLS, SIGHTS, Call, again
from tests.support.forking_tiletree import EMPTY, Forks
from tests.support.make_json_docs import TARGET, document
from tests.support.schemas import COMMON, FOLDER, Schema

pytest_plugins = ["tests.support.every_command_fixtures"]

ROOT = FOLDER.parents[1]


def calls(directory: Path) -> Iterator[Call]:
    """Yield every call: first those that only answer, then the others, each in a directory as it was prepared."""
    every = [call for name, call in CALLS.items() if name not in SIGHTS]
    changes = [call for call in every if not call.answers or "made" in call.words]
    yield from (call for call in every if call not in changes)
    yield from again(directory, changes)


@pytest.mark.slow
def test_each_field_is_in_some_document(forks: Forks, prepared: str, tmp_path: Path) -> None:
    """Every command is called; a field that is in no document says in its $comment which test sees it, or when."""
    seen: dict[str, set[str]] = defaultdict(set)
    for call in calls(tmp_path):
        words = [*call.words.replace("VKEY", prepared).split(), "--json"]
        done = forks(words, interrupted=call.interrupted, stdin=EMPTY if call.stdin is None else call.stdin)
        command = outcomes.command_of(words)
        schemas.check(words, command, done.out)
        assert all(schemas.referring(command).is_valid(json.loads(line)) for line in done.out.splitlines())
        schema = schemas.load(schemas.path_of(command).name)
        seen[command] |= {path for line in done.out.splitlines() for path in schemas.present(json.loads(line), schema)}
    for command in schemas.commands():
        needed = schemas.unexplained(schemas.load(schemas.path_of(command).name))
        assert [path for path in needed if path not in seen[command]] == [], command


def test_each_command_has_its_schema() -> None:
    """One file a command; common.json beside them."""
    assert schemas.commands() == set(outcomes.codes())
    assert {path.name for path in FOLDER.iterdir()} == {
        COMMON,
        *(schemas.path_of(command).name for command in outcomes.codes()),
    }


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.json")))
def test_a_schema_says_what_each_field_is(name: str) -> None:
    """Each is a schema; a field has a sentence; an object has the fields that are named, or all are of one kind."""
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(schema), "as draft_schemas writes it"
    parts = schema["$defs"].values() if name == COMMON else [schema]
    found = [each for part in parts for each in [("", schemas.resolved(part)), *schemas.fields(part)]]
    for path, field in found:
        assert field.get("description"), path
        assert TODO not in field["description"], path
        assert "object" not in field.get("type", ()) or "additionalProperties" in field, path
        assert field.get("additionalProperties") is not True, path
        for test in (word.rstrip(";,") for word in field.get("$comment", "").split() if word.startswith("tests/")):
            assert (ROOT / test).exists(), f"{path}: there is no {test}"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("info", {"origin": "a", "size": 1, "root": "0" * 64, "vkey": "v", "trust": "pinned", "weight": 1}),
        ("info", {"origin": "a", "size": 1, "root": "0" * 64, "vkey": "v"}),
        ("info", {"origin": "a", "size": "1", "root": "0" * 64, "vkey": "v", "trust": "pinned"}),
        ("audit", {"error": {"kind": "a", "message": "b", "hint": ""}, "findings": [{"path": "a", "where": "b"}]}),
        ("monitor", {"event": "match", "log": "log"}),
        ("monitor", {"event": "other", "log": "log"}),
        ("sequence", {"error": {"kind": "a", "message": "b"}}),
    ],
)
def test_what_a_schema_does_not_have_is_found(command: str, text: Schema) -> None:
    """A field that nobody explained, one that is missing, one of another type: at any depth, and in each line."""
    with pytest.raises(AssertionError, match=r"docs/schemas/"):
        schemas.check([command], command, f"{json.dumps(text)}\n")
    assert not schemas.referring(command).is_valid(text), "whoever follows references says the same"


def test_the_page_is_current() -> None:
    """docs/json.md is what `python -m tests.support.make_json_docs` writes."""
    assert TARGET.read_text(encoding="utf-8") == document()


def test_what_is_new_is_drafted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A field and a command that have no schema get one; what has one stays as it is."""
    said = rows("| command | field | says |\n|---|---|---|\n| `cost` | `new.at`, `new.of.*` | what is new |\n")
    documents: list[Schema] = [
        {"new": {"at": 1, "of": {"a": "b"}}, "root": "0" * 64},
        {"new": None, "odd": [True]},
    ]
    before = schemas.load("cost.json")
    after = drafted("cost", documents, said)
    added = {name: field for name, field in after["properties"].items() if name not in before["properties"]}
    assert {**after, "properties": before["properties"], "else": before["else"]} == before
    assert after["else"] == {"required": []}, "none of them is in all documents any more"
    assert added["new"]["properties"]["at"] == {"description": "what is new", "type": "integer", "minimum": 0}
    assert added["new"]["properties"]["of"]["additionalProperties"] == {"description": "what is new", "type": "string"}
    assert added["root"] == {"$ref": "common.json#/$defs/root"}
    assert added["odd"] == {"description": TODO, "type": "array", "items": {"description": TODO, "type": "boolean"}}
    assert drafted("nothing", documents, {})["else"] == {"required": ["new"]}
