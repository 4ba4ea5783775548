"""What the core says of quorums, of statements about keys, and of logs in other formats, for `web_answers`."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from tests.support.readers import Objects
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import parse_policy
from tiles.notes.quorum import standing
from tiles.read.key_changes import key_changes


def standing_answer(policy: str, names: list[str]) -> Any:
    """Return how a quorum stands, part by part; names: of the witnesses that have cosigned."""
    parsed, there = parse_policy(b64decode(policy)), [b64decode(name) for name in names]
    found = standing(parsed, {witness.key for witness in parsed.witnesses if witness.name in there})
    rows = [] if found is None else found.walk()
    return [[depth, one.shown, one.asks, one.stands, one.met, one.missing] for depth, one in rows]


def key_changes_answer(objects: dict[str, str], vkeys: list[str]) -> Any:
    """Return the statements of a log that are by these keys, or by keys that follow from them."""
    fetcher = Objects({path: b64decode(data) for path, data in objects.items()})
    found = key_changes(fetcher, [parse_vkey(vkey) for vkey in vkeys])
    return [[said.action, said.key.vkey, str(said.tree.size), [one.vkey for one in said.before]] for said in found]
