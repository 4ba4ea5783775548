"""Looking for a key in Node: what is found, what is proven, with how much, and what a wrong index can do."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.node import ROOT, Script
from tests.support.readers import OTHER_KEY, entry
from tests.support.sampling import quickly
from tests.support.signed_text import LOG, ORIGIN, sign
from tests.support.web_indexed import NAME, OTHER, SPECIAL, WHERE, before, head_of, indexed, twins
from tests.support.web_logs import Objects, flip
from tests.support.web_server import LogServer
from tiles.index.run import build_run
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.index_head import IndexHead, sign_index_head
from tiles.notes.keys import SignatureType, signing_key
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_ROOT, leaf_hash, to_hash

pytest_plugins = ["tests.support.web_fixtures"]

ABSENT = hashlib.sha256(b"never logged").hexdigest()
VERIFIER = (ROOT / "web" / "verifier").as_uri()
ASK = """
    const {{ search }} = await import("{verifier}/search.js");
    const value = Uint8Array.from({value}.match(/../g), (byte) => parseInt(byte, 16)), found = [];
    const one = await search(log, {kind}, [value], {options});
    for await (const {{ index }} of one.hits({most})) found.push(Number(index));
    const {{ proven, why, error }} = await one.conclude();
    print(JSON.stringify([found, proven, why, one.left, Object.keys(error?.evidence ?? {{}})]));
"""


def ask(script: Script, value: str, kind: str = "sha256/1", options: str = "{}", most: int = 10) -> list[object]:
    """Return what a search says: [indexes, proven, why, how many candidates were not looked at, names of evidence]."""
    body = ASK.format(verifier=VERIFIER, value=json.dumps(value), kind=json.dumps(kind), options=options, most=most)
    said = script(body)
    return list(json.loads(said)) if said.startswith("[") else [said]


def serve(server: LogServer, objects: Objects, ranges: str = "yes") -> None:
    """Serve a log, by a server that can read parts."""
    server.begin(objects)
    server.ranges = ranges


FEW = "{ limit: 200n }"
RANGES = ["yes", "silent", "", "whole gzip", "416", "gzip", "other", "short"]


@pytest.mark.slow
@pytest.mark.parametrize("ranges", RANGES)
def test_found_and_proven(script: Script, server: LogServer, ranges: str) -> None:
    """Hits in runs and in the tail, and none, are proven, whatever a server makes of ranges."""
    serve(server, indexed(), ranges)
    assert ask(script, ABSENT) == [[], True, "", 0, []]
    few = ranges in ("yes", "silent")
    assert (sum(server.sent) < 200_000) == few
    assert server.asked.count("index/sha256/1/1/000/000") == (1 if few or ranges in ("", "whole gzip") else 2)
    for value, indexes in WHERE.values():
        found, *rest = ask(script, value)
        assert (sorted(found, reverse=True), rest) == (indexes, [True, "", 0, []])  # type: ignore[call-overload]


def test_what_is_read(script: Script, server: LogServer) -> None:
    """Nothing twice, and beside a bundle no tile of level 0: the entries themselves lead to the hash above both."""
    serve(server, indexed())
    for value, indexes in WHERE.values():
        server.asked.clear()
        assert sorted(ask(script, value)[0]) == sorted(indexes)  # type: ignore[call-overload]
        assert len(server.asked) == len(set(server.asked))
        assert [path for path in server.asked if path.startswith("tile/0/")] == ["tile/0/080.p/220"]
    path = f"tile/entries/{7000 // 256:03d}"
    serve(server, {**indexed(), path: indexed()[path][:-1] + b"x", "tile/0/066": bytes(8192)})
    found, proven, why, _, evidence = ask(script, OTHER)
    assert (sorted(found), proven, why, evidence) == ([17_000, 20_600], False, "unread", [path])  # type: ignore[call-overload]


@pytest.mark.slow
def test_by_leaf_and_name(script: Script, server: LogServer) -> None:
    """Each kind has its index; of a leaf hash in the tail no entry is read but the hit."""
    serve(server, indexed())
    assert ask(script, leaf_hash(SPECIAL[17_000]).hex(), "leaf/1") == [[17_000], True, "", 0, []]
    assert ask(script, leaf_hash(b"20650").hex(), "leaf/1") == [[20_650], True, "", 0, []]
    serve(server, twins())
    assert ask(script, NAME.encode().hex(), "name/1", FEW) == [[100, 4150], True, "", 0, []]
    assert ask(script, b"b.txt".hex(), "name/1", FEW) == [[], True, "", 0, []]


@pytest.mark.slow
def test_what_is_asked_for(script: Script, server: LogServer) -> None:
    """A hit takes a few pages of the large run; nothing is asked for twice."""
    serve(server, indexed())
    assert ask(script, WHERE["run"][0], most=1)[0] == [7000]
    assert len(server.asked) == len(set(server.asked))
    parts = [size for path, size in zip(server.asked, server.sent, strict=True) if path.startswith("index/sha256/1/1/")]
    assert max(parts) <= 5 * 4096


def test_without_an_index(script: Script, server: LogServer) -> None:
    """A small log is looked through, a large one when told to; one without an index says so."""
    value = hashlib.sha256(entry(5)).hexdigest()
    assert ask(script, value, options=FEW) == ["UsageError"]
    assert ask(script, value, options="{ limit: 200n, all: true }") == [[5], True, "", 0, []]
    assert ask(script, leaf_hash(entry(599)).hex(), "leaf/1") == [[599], True, "", 0, []]
    assert ask(script, ABSENT) == [[], True, "", 0, []]


def test_more(script: Script, server: LogServer) -> None:
    """Of many candidates the newest are looked at; that these are all is not said before each was."""
    serve(server, twins())
    value = hashlib.sha256(b"twin").hexdigest()
    assert ask(script, value, options=FEW, most=2) == [[4000, 3000, 4100, 2000], False, "left", 1, []]
    assert ask(script, value, options=FEW, most=5) == [[4000, 3000, 2000, 1000, 4100], True, "", 0, []]
    assert ask(script, value, options="{ limit: 103n }")[1:3] == [False, "tail"]  # 104 entries after the index


def test_a_wrong_index(script: Script, server: LogServer) -> None:
    """An index that is wrong anywhere proves nothing, says why, and takes away no hit that it still leads to."""
    value, path = hashlib.sha256(b"twin").hexdigest(), "index/sha256/1/head"
    head = head_of(twins(), "sha256/1")
    lie = sign_index_head(of_another(head), LOG).data
    page = "index/sha256/1/0/000/tile/0/000.p/16"
    for why, changes, hits in (
        ("unsigned", {path: sign_index_head(head, OTHER_KEY).data}, 5),
        ("denied", {path: lie}, 5),
        ("unread", {page: flip(twins()[page], 5)}, 5),
        ("unread", {"index/sha256/1/0/000/000": b""}, 1),
    ):
        serve(server, {**twins(), **changes})
        found, proven, said, _, evidence = ask(script, value, options=FEW)
        assert (len(found), proven, said) == (hits, False, why)  # type: ignore[arg-type]
        assert (evidence == ["index head", "checkpoint"]) == (why == "denied")


# ---- what is wrong with an index, and what is still right then

FILES = [
    f"index/sha256/1/{path}"
    for path in ("head", "1/000/000", "1/000/tile/0/000.p/64", "0/004/000", "0/004/tile/0/000.p/16")
]


def resigned(change: Callable[[IndexHead], IndexHead]) -> Objects:
    """Return the log with another index head, signed by its key."""
    return {**indexed(), "index/sha256/1/head": sign_index_head(change(head_of(indexed(), "sha256/1")), LOG).data}


def of_another(head: IndexHead) -> IndexHead:
    """Return a head with a wrong root of the log's tree."""
    return replace(head, tree=replace(head.tree, root=to_hash(bytes(32))))


def without_hits(head: IndexHead) -> tuple[Objects, IndexHead]:
    """Return the objects of a large run that lacks one record, and a head that vouches for it."""
    data = indexed()["index/sha256/1/1/000/000"]
    records = [
        data[at : at + 16] for at in range(0, len(data), 16) if data[at + 10 : at + 16] != (7000).to_bytes(6, "big")
    ]
    run, objects = build_run("sha256/1", 1, 0, records)
    return objects, replace(head, runs=(run, *head.runs[1:]))


@pytest.mark.slow
def test_a_lie_that_the_log_signed(script: Script, server: LogServer) -> None:
    """What the index says is proven as the log's statement; where it contradicts the log itself, that is evidence."""
    serve(server, resigned(of_another))
    assert ask(script, ABSENT) == [[], False, "denied", 0, ["index head", "checkpoint"]]
    assert ask(script, WHERE["run"][0]) == [[7000], False, "denied", 0, ["index head", "checkpoint"]]
    objects, head = without_hits(head_of(indexed(), "sha256/1"))
    serve(server, {**indexed(), **objects, "index/sha256/1/head": sign_index_head(head, LOG).data})
    assert ask(script, WHERE["run"][0]) == [[], True, "", 0, []]
    assert ask(script, hashlib.sha256(b"7").hexdigest())[:2] == [[7], True]
    lie = head_of(indexed(), "sha256/1")
    data = indexed()["index/sha256/1/1/000/000"]
    records = sorted(data[at : at + 16] if at else data[:10] + bytes(6) for at in range(0, len(data), 16))
    run, objects = build_run("sha256/1", 1, 0, records)
    serve(
        server,
        {
            **indexed(),
            **objects,
            "index/sha256/1/head": sign_index_head(replace(lie, runs=(run, *lie.runs[1:])), LOG).data,
        },
    )
    first = int.from_bytes(data[10:16], "big")
    assert ask(script, hashlib.sha256(b"%d" % first).hexdigest()) == [
        [],
        False,
        "denied",
        0,
        ["index head", "checkpoint"],
    ]


DAMAGE = ["missing", "short", "bit", "page", "empty"]


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage(script: Script, server: LogServer, path: str, damage: str) -> None:
    """Whatever is damaged, no hit is wrong, and nothing is proven that is not so."""
    data = indexed()[path]
    changed = {
        "missing": None, "short": data[:-1], "bit": flip(data, 8 * (len(data) // 3)), "empty": b"",
        "page": b"<!doctype html>",
    }[damage]  # fmt: skip
    objects = {name: one for name, one in indexed().items() if name != path}
    serve(server, objects if changed is None else {**objects, path: changed})
    for value, indexes in (WHERE["run"], (ABSENT, []), WHERE["everywhere"]):
        said = ask(script, value)
        if len(said) == 1:  # no index, or none that can be read
            assert path.endswith("/head")
            continue
        found, proven, why, _, _ = said
        assert set(found) <= set(indexes)  # type: ignore[call-overload]
        assert proven == (why == "")
        assert not proven or sorted(found, reverse=True) == indexes  # type: ignore[call-overload]


@pytest.mark.slow
def test_damage_is_noticed(script: Script, server: LogServer) -> None:
    """An index that was damaged where the key stands proves nothing; the hits elsewhere are found."""
    data = indexed()["index/sha256/1/0/004/000"]
    changed = b"".join(data[at : at + 15] + bytes([data[at + 15] ^ 1]) for at in range(0, len(data), 16))
    serve(server, {**indexed(), "index/sha256/1/0/004/000": changed})
    assert ask(script, OTHER)[:3] == [[7001, 20_600], False, "unread"]
    assert ask(script, ABSENT)[:3] == [[], False, "unread"]
    path = "index/sha256/1/1/000/tile/0/000.p/64"
    serve(server, {**indexed(), path: flip(indexed()[path], 5)})
    assert ask(script, OTHER)[:3] == [[7001, 17_000, 20_600], False, "unread"]


@pytest.mark.slow
def test_who_vouches(script: Script, server: LogServer) -> None:
    """A head by another key, or one that the reader cannot check, leads to hits and proves nothing."""
    other = sign_index_head(head_of(indexed(), "sha256/1"), OTHER_KEY).data
    serve(server, {**indexed(), "index/sha256/1/head": other})
    assert ask(script, WHERE["run"][0]) == [[7000], False, "unsigned", 0, []]
    found = parse_signed_checkpoint(indexed()[CHECKPOINT])
    mldsa = signing_key(ORIGIN, bytes([7]) * 32, SignatureType.MLDSA44)
    signatures = [*found.note.signatures, sign(found.checkpoint, mldsa)]
    serve(server, {**indexed(), CHECKPOINT: with_signatures(found.checkpoint, signatures).data})
    trusting = f"log.policy = policyFor(parseVkey({json.dumps(mldsa.verifier.vkey)}));"
    assert ask(lambda body: script(trusting + body), WHERE["run"][0]) == [[7000], False, "no-key", 0, []]


@pytest.mark.slow
def test_an_index_ahead(script: Script, server: LogServer) -> None:
    """An index of more entries than the checkpoint, perhaps an old copy, proves nothing; what is beyond is no hit."""
    old = {**before(), **{path: data for path, data in indexed().items() if path.startswith("index/")}}
    serve(server, old)
    assert ask(script, OTHER, options="{ limit: 5n }") == [[7001], False, "ahead", 0, []]


@pytest.mark.slow
def test_an_applications_kind(script: Script, server: LogServer) -> None:
    """Nobody else can recompute the keys of an application's kind: nothing is proven by its index."""
    runs = head_of(indexed(), "leaf/1").runs
    nothing = tuple(replace(run, records=0, root=EMPTY_ROOT) for run in runs)
    head = IndexHead(ORIGIN, "acme.build/1", head_of(indexed(), "leaf/1").tree, nothing)
    serve(server, {**indexed(), "index/acme.build/1/head": sign_index_head(head, LOG).data})
    assert ask(script, ABSENT, "acme.build/1") == [[], False, "local", 0, []]


# ---- records that are not evenly spread

PAGES = """
    const {{ RunReader }} = await import("{verifier}/index_run.js");
    const root = Uint8Array.from(atob({root}), (octet) => octet.charCodeAt(0));
    const run = {{ level: 1n, number: 0n, records: {records}n, root }};
    const reader = new RunReader(log.fetchObject, "leaf/1", run);
    const prefix = Uint8Array.from({prefix}.match(/../g), (byte) => parseInt(byte, 16));
    const window = await reader.window(prefix);
    await reader.prove(window);
    print(JSON.stringify([window, reader.indexes(prefix).map(Number)]));
"""


def window(script: Script, server: LogServer, records: list[bytes], prefix: bytes) -> list[list[int]] | str:
    """Return the pages that have all records of a key, proven, and the indexes in them."""
    run, objects = build_run("leaf/1", 1, 0, records)
    serve(server, objects)
    root = json.dumps(b64encode(run.root).decode())
    said = script(PAGES.format(verifier=VERIFIER, records=run.records, root=root, prefix=json.dumps(prefix.hex())))
    return list(json.loads(said)) if said.startswith("[") else said


def number(begin: bytes, middle: int, index: int) -> bytes:
    """Return a record that begins with some bytes."""
    return begin + middle.to_bytes(10 - len(begin), "big") + index.to_bytes(6, "big")


SPREAD = [number(b"", (index << 65) // 16_384 * 32_768, index) for index in range(16_384)]
GROUND = [number(bytes(7), index, index) for index in range(16_384)]
STEPS = sorted(number(bytes([index % 3 * 100]) + bytes(6), index // 3, index) for index in range(16_384))
SAME = [number(bytes(3), 5, index) for index in range(10_000)]


KEYS = {
    "spread": SPREAD, "ground": GROUND, "steps": STEPS, "same": [*SAME, *GROUND[6:3000]], "one": GROUND[:1],
    "a page": GROUND[:256], "few": GROUND[:5000],
}  # fmt: skip


@pytest.mark.parametrize("keys", quickly(list(KEYS), ["ground"]))
def test_where_records_stand(script: Script, server: LogServer, keys: str) -> None:
    """However keys were made, few requests find the pages of one: all of them, or those around where it would be."""
    records = sorted(KEYS[keys])
    begins = [one[:10] for one in records]
    there = [records[at][:10] for at in {0, len(records) // 3, len(records) - 1}]
    absent = [
        bytes(10),
        b"\xff" * 10,
        *(one[:9] + bytes([one[9] ^ 1]) for one in there),
        number(bytes(7), 1 << 20, 0)[:10],
    ]
    for prefix in [*there, *absent]:
        said = window(script, server, records, prefix)
        assert not isinstance(said, str), said
        (first, stop), indexes = said
        assert indexes == [int.from_bytes(one[10:], "big") for one in records if one[:10] == prefix]
        assert first == 0 or begins[first * 256] < prefix
        assert stop * 256 >= len(records) or begins[stop * 256 - 1] > prefix
        asked = [path for path in server.asked if "tile" not in path]
        assert len(asked) <= 16, asked


@pytest.mark.slow
def test_a_key_of_too_many(script: Script, server: LogServer) -> None:
    """A key of more entries than anybody can look at is not read to its end, and that is said."""
    records = [number(bytes(3), 5, index) for index in range(20_000)]
    assert window(script, server, records, records[0][:10]) == "UsageError"
    assert sum(server.sent) < 128 * 4096
