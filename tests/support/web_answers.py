"""What the Python core says to a case that the JavaScript verifier is given too.

A case is {"id", "op", arguments, "expect"}: bytes are base64, numbers that may be large are decimal strings, "expect"
is "ok", or the name of the error, or left out where it is enough that both sides say the same. `answer` runs a case
with the core; tests/web/operations.js does with web/*.js.
"""

from __future__ import annotations

import io
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.readers import Objects, make_log
from tests.support.signed_text import MLDSA44
from tests.support.web_answer_bundles import signed_answer
from tiles.entries.content import read_content
from tiles.entries.file_digest import DigestEntry, name_in
from tiles.entries.file_kinds import forms
from tiles.entries.kind import Key
from tiles.entries.kinds import keys_of
from tiles.entries.proof_extra import entry_of
from tiles.errors import HistoryUnknown, Malformed, TilesError
from tiles.index.record import key_prefix
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import MAX_ORIGIN
from tiles.notes.freshness import quorum_time
from tiles.notes.index_head import live_runs, parse_index_head
from tiles.notes.keys import parse_vkey
from tiles.notes.note import Signature, parse_note, verify_note
from tiles.notes.policy import Policy, parse_policy
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.signatures.entry import parse_signature_entry
from tiles.signatures.formats import FORMATS
from tiles.sigstore.der import read_certificate
from tiles.sigstore.names import identity_keys
from tiles.sigstore.revocation import parse_revocation
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import tile_at
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.tree.proof import Node, consistency_nodes, inclusion_nodes, verify_consistency, verify_inclusion
from tiles.tree.reader import TreeReader
from tiles.user.seen_checkpoints import Visits

Case = dict[str, Any]


def b64(data: bytes) -> str:
    """Return bytes as a case has them."""
    return b64encode(data).decode()


# ---- the core's answers


def answer(case: Case, logs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what the core says to a case: "ok" and a value, or the name of the error."""
    try:
        if case["op"] in ("log", "tiles"):
            return {"code": "ok", "value": (_log if case["op"] == "log" else _tiles)(case, logs)}
        return {
            "code": "ok",
            "value": OPERATIONS[case["op"]](**{name: case[name] for name in case if name not in META}),
        }
    except TilesError as raised:
        error = raised
        # the page does not tell these two apart by a code: `oldCopy` is a detail there
        code = "AccessError" if isinstance(error, HistoryUnknown) else type(error).__name__
        found: dict[str, Any] = {"code": code}
        if hasattr(error, "path"):
            found["path"] = error.path
        if found["code"] == "ForkError":
            found["evidence"] = {name: b64(data) for name, data in getattr(error, "evidence", {}).items()}
        return found


META = {"id", "op", "expect"}


def _head(head: dict[str, str]) -> TreeHead:
    return TreeHead(int(head["size"]), Hash(b64decode(head["root"])))


def _accepted(accepted: Any, policy: Policy) -> dict[str, Any]:
    cosignatures = [[one.key.vkey, str(one.timestamp)] for one in accepted.cosignatures]
    time = quorum_time(policy, accepted.cosignatures)
    return {"log": accepted.log.vkey, "cosignatures": cosignatures, "time": time and str(time)}


def _checkpoint(data: str) -> Any:
    parsed = parse_signed_checkpoint(b64decode(data)).checkpoint
    return [parsed.origin, str(parsed.tree.size), b64(parsed.tree.root), list(parsed.extensions)]


def _note(data: str) -> Any:
    parsed = parse_note(b64decode(data))
    return [b64(parsed.text), [[one.name, one.key_id.hex(), b64(one.signature)] for one in parsed.signatures]]


def _policy(data: str) -> Any:
    parsed = parse_policy(b64decode(data))
    lines = [[[one.key.vkey, one.url] for one in role] for role in (parsed.logs, parsed.witnesses)]
    return [*lines, [[group.threshold, len(group.members)] for group in parsed.groups], parsed.quorum is None]


def _proof(data: str) -> Any:
    parsed = parse_tlog_proof(b64decode(data))
    return [str(parsed.index), len(parsed.hashes), len(parsed.extra)]


def _nodes(parts: Iterable[Iterable[Node]]) -> Any:
    return [[[node.height, str(node.index)] for node in part] for part in parts]


def _tiles(case: Case, logs: Mapping[str, Mapping[str, str]]) -> str:
    reader, contents = TreeReader(_head(case["head"])), {**logs[case["tiles"]], **case["changes"]}
    node = Node(0, int(case["wanted"]))
    reader.accept({tile: b64decode(contents[tile.path]) for tile in reader.wanted([node])})
    return b64(reader.hash(node))


def _digest_entry(data: str, name: str | None = None) -> Any:
    content = read_content(io.BytesIO(b64decode(data)), name)
    logged = {"file": lambda entry: "digest" if name_in(entry) is None else "name"}
    both = [[logged.get(kind, lambda _, kind=kind: kind)(entry), entry] for kind, entry in forms(content)]
    return [content.sha256, content.size, [[how, b64(one), b64(leaf_hash(one))] for how, one in both]]


def _accept(policy: str, data: str, origin: str | None = None) -> Any:
    parsed = parse_policy(b64decode(policy))
    return _accepted(parsed.accept(parse_signed_checkpoint(b64decode(data)), origin), parsed)


def _verify_proof(data: str, leaf: str, policy: str) -> Any:
    proof = parse_tlog_proof(b64decode(data))
    parsed = parse_policy(b64decode(policy))
    return _accepted(verify_tlog_proof(proof, Hash(b64decode(leaf)), parsed), parsed)


def _entry_of(extra: str, sha256: str, size: int) -> Any:
    found = entry_of(b64decode(extra), DigestEntry(sha256, size))
    return None if found is None else b64(found)


def _index_head(data: str) -> Any:
    found = parse_index_head(b64decode(data))
    runs = [[str(run.level), str(run.number), str(run.records), b64(run.root)] for run in found.runs]
    return [found.origin, found.kind, str(found.tree.size), b64(found.tree.root), runs]


def _revocation(entry: str) -> Any:
    try:
        found = parse_revocation(b64decode(entry))
    except Malformed:
        return None
    said = found.statement
    return [said.what, said.value, said.reason, b64(said.key), said.log, b64(found.signature), said.text.decode()]


def _signer(entry: str) -> Any:
    try:
        found = parse_signature_entry(b64decode(entry))
    except Malformed:
        return None
    return [found.format, "" if found.format == "pgp" else FORMATS[found.format].shown(found.key)]


def _certificate(data: str) -> Any:
    try:
        found = read_certificate(b64decode(data))
    except Malformed:
        return None
    return [b64(found.spki), list(found.identities), found.issuer]


def _hashes(proof: list[str]) -> list[Hash]:
    return [Hash(b64decode(one)) for one in proof]


OPERATIONS: dict[str, Callable[..., Any]] = {
    "vkey": lambda vkey: [parse_vkey(vkey).name, int(parse_vkey(vkey).type)],
    "note": _note,
    "verify_note": lambda data, vkeys: len(verify_note(parse_note(b64decode(data)), map(parse_vkey, vkeys))),
    "signature": lambda data, vkey, signature: parse_vkey(vkey).verify(b64decode(data), b64decode(signature)),
    "checkpoint": _checkpoint,
    "policy": _policy,
    "accept": _accept,
    "proof": _proof,
    "verify_proof": _verify_proof,
    "inclusion": lambda leaf, index, head, proof: verify_inclusion(
        Hash(b64decode(leaf)), int(index), _head(head), _hashes(proof)
    ),
    "consistency": lambda old, latest, proof: verify_consistency(_head(old), _head(latest), _hashes(proof)),
    "inclusion_nodes": lambda index, size: _nodes(inclusion_nodes(int(index), int(size))),
    "consistency_nodes": lambda old, size: _nodes(consistency_nodes(int(old), int(size))),
    "signed": signed_answer,
    "tile_path": lambda size, level, index: tile_at(int(size), level, int(index)).path,
    "bundle": lambda data, width: [b64(one) for one in parse_bundle(b64decode(data), width)],
    "digest_entry": _digest_entry,
    "keys": lambda entry: [[key.kind, b64(key.value)] for key in keys_of(b64decode(entry))],
    "certificate": _certificate,
    "revocation": _revocation,
    "signer": _signer,
    "identity_keys": lambda identities: identity_keys(tuple(identities)),
    "entry_of": _entry_of,
    "index_head": _index_head,
    "live_runs": lambda covered: [[str(part) for part in run] for run in live_runs(int(covered))],
    "key_prefix": lambda kind, value: b64(key_prefix(Key(kind, b64decode(value)))),
}


def _log(case: Case, logs: Mapping[str, Mapping[str, str]]) -> Any:
    """Read a whole log. What `caches` hold, on this machine or on the way, changes nothing: the core is not given it.

    Where the server takes no query, nothing gets past a cache on the way: what that holds is what there is.
    """
    policy, call = parse_policy(b64decode(case["policy"])), case["call"]
    with tempfile.TemporaryDirectory() as folder:
        visits = Visits(Path(folder)) if len(case["visits"]) > 1 else None
        for at, name in enumerate(case["visits"]):
            objects = dict(logs[name])
            if at == len(case["visits"]) - 1:
                objects |= case["changes"]
                objects |= case["caches"][1] if case.get("noQuery") else {}
            bytes_of = {path: b64decode(data) for path, data in objects.items() if data is not None}
            client = LogClient(Objects(bytes_of), policy, visits=visits, origin=case.get("origin"))
            if at < len(case["visits"]) - 1 or call == "visit":
                client.visit()
        if call == "visit":
            return [str(client.tree.size), str(client.newer.tree.size) if client.newer else None]
        if call == "entry":
            return b64(client.entry(int(case["index"])))
        if call == "prove":
            return b64(client.prove(int(case["index"])).data)
        return [str(index) for index in client.find(Hash(b64decode(case["leaf"])))]


def without_mldsa(case: Case) -> Case:
    """Return the case as a platform sees it that cannot check ML-DSA-44: such signatures are of keys nobody knows.

    Those that could not be right, by their length, time or origin, are wrong without checking.
    """
    if case["op"] not in ("accept", "verify_proof"):
        return case
    try:
        policy = parse_policy(b64decode(case["policy"]))
        data = b64decode(case["data"])
        checkpoint = (
            parse_tlog_proof(data).checkpoint if case["op"] == "verify_proof" else parse_signed_checkpoint(data)
        )
    except TilesError:
        return case
    keys = [one.key for one in (*policy.logs, *policy.witnesses) if one.key.type == MLDSA44]
    lines = [_unknown(line) if _unchecked(line, keys, checkpoint) else line for line in checkpoint.note.signatures]
    changed = with_signatures(checkpoint.checkpoint, lines).data
    return {**case, "data": b64(data.removesuffix(checkpoint.data) + changed)}


def _unchecked(line: Signature, keys: Iterable[Any], checkpoint: SignedCheckpoint) -> bool:
    signable = len(checkpoint.origin.encode()) <= MAX_ORIGIN and len(line.signature) == 2428
    return signable and line.signature[0] < 128 and any(line.claims(one) for one in keys)


def _unknown(line: Signature) -> Signature:
    return replace(line, name="nobody.example.com")


# ---- cases


class Cases:
    """The cases so far, and the logs they name."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.logs: dict[str, dict[str, str]] = {}

    def add(self, op: str, expect: str | None, what: str, **arguments: Any) -> None:
        """Add a case."""
        expected = {} if expect is None else {"expect": expect}
        self.cases.append({"id": f"{len(self.cases)} {op} {what}", "op": op, **expected, **arguments})

    def log(self, *sizes: int, **more: Any) -> str:
        """Return the name of a log, made if need be."""
        name = f"{sizes} {sorted((one, str(value)[:20]) for one, value in more.items())}"
        if name not in self.logs:
            self.logs[name] = {path: b64(data) for path, data in make_log(*sizes, **more).items()}
        return name
