"""What the core says of quorums, of statements about keys, and of logs in other formats, for `web_answers`."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from tiles.notes.policy import parse_policy
from tiles.notes.quorum import standing


def standing_answer(policy: str, names: list[str]) -> Any:
    """Return how a quorum stands, part by part; names: of the witnesses that have cosigned."""
    parsed, there = parse_policy(b64decode(policy)), [b64decode(name) for name in names]
    found = standing(parsed, {witness.key for witness in parsed.witnesses if witness.name in there})
    rows = [] if found is None else found.walk()
    return [[depth, one.shown, one.asks, one.stands, one.met, one.missing] for depth, one in rows]
