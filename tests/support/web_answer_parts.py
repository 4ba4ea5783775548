"""What the core says of quorums, of statements about keys, and of logs in other formats, for `web_answers`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from tests.support.readers import Objects
from tiles.errors import Malformed
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.quorum import standing
from tiles.read.client import LogClient
from tiles.read.go_sumdb import MAX_LOOKUP_SIZE, lookup_path, parse_lookup
from tiles.read.key_changes import key_changes
from tiles.read.layouts import LAYOUTS
from tiles.tree.ct_bundle import parse_ct_entry


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


def accept_as_answer(vkey: str, data: str, origin: str | None = None) -> Any:
    """Return the key by which a checkpoint is accepted, of a log that somebody pinned with an origin."""
    return policy_for(parse_vkey(vkey), origin).accept(parse_signed_checkpoint(b64decode(data))).log.vkey


def other_log_answer(case: dict[str, Any], logs: Mapping[str, Mapping[str, str]]) -> Any:
    """Return what is read of a log with another layout."""
    fetcher = Objects({path: b64decode(data) for path, data in logs[case["objects"]].items()})
    policy = policy_for(parse_vkey(case["vkey"]), case.get("origin"))
    client = LogClient(fetcher, policy, log_format=LAYOUTS[case["layout"]])
    client.visit()
    if case["call"] == "lookup":
        looked = parse_lookup(fetcher.fetch(lookup_path(case["index"]), MAX_LOOKUP_SIZE))
        assert client.entry(looked.index) == looked.record
        return str(looked.index)
    if case["call"] == "entry":
        return b64encode(client.entry(int(case["index"]))).decode()
    return b64encode(client.prove(int(case["index"])).data).decode()


def lookup_answer(data: str) -> Any:
    """Return what is in the answer of a lookup."""
    found = parse_lookup(b64decode(data))
    return [str(found.index), b64encode(found.record).decode()]


def ct_entry_answer(entry: str) -> Any:
    """Return what a MerkleTreeLeaf says; None for other bytes."""
    try:
        found = parse_ct_entry(b64decode(entry))
    except Malformed:
        return None
    certificate = b64encode(found.certificate).decode()
    return [str(found.timestamp), found.is_precert, b64encode(found.issuer_key).decode(), certificate, found.index]


def lookup_path_answer(text: str) -> str:
    """Return where a checksum database answers for a module@version."""
    return lookup_path(text)
