"""Vectors of whole logs: what is read from them, their histories, files to look for in them, another project's log."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.readers import OTHER_KEY, POLICY, entry
from tests.support.reference import flipped
from tests.support.signed_text import LOG, signed
from tests.support.web_answers import Cases, b64
from tiles.entries.content import MAX_DATA_SIZE
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash


def add_to(made: Cases, shared: Path | None) -> None:
    """Add all of them; shared: data of other projects, if it is there."""
    for add in (_logs, _changed_logs, _caches, _histories, _files):
        add(made)
    if shared:
        _golden(made, shared)


CHANGES: dict[str, Callable[[bytes], bytes | None]] = {
    "first byte": lambda data: flipped(data, 0),
    "byte in the middle": lambda data: flipped(data, 8 * (len(data) // 2) + 7),
    "last byte": lambda data: flipped(data, 8 * len(data) - 6),
    "cut short": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "longer": lambda data: data + b"\0",
    "a page": lambda _data: b"<!doctype html><title>Not here</title>",
    "gone": lambda _data: None,
}


def _adder(made: Cases) -> Callable[..., None]:
    def add(expect: str | None, what: str, name: str, call: str, changes: Any = None, **arguments: Any) -> None:
        arguments = {"visits": [name], "changes": changes or {}, "policy": b64(POLICY.data), "call": call, **arguments}
        made.add("log", expect, what, **arguments)

    return add


def _logs(made: Cases) -> None:
    add = _adder(made)
    for size in (1, 2, 255, 256, 257, 600):
        for index in sorted({0, 1, 3, 254, 255, 256, 512, size - 1, size}):
            expect = "ok" if index < size else "UsageError"
            add(expect, "entry", made.log(size), "entry", index=str(index))
            add(expect, "prove", made.log(size), "prove", index=str(index))
    six = made.log(600)
    paths = [path for path in made.logs[six] if path.startswith("tile/") or path == CHECKPOINT]
    for path in paths:
        for what, change in CHANGES.items():
            changed = change(b64decode(made.logs[six][path]))
            changes = {path: None if changed is None else b64(changed)}
            for index in (3, 300, 599):
                add(None, f"{path} {what}", six, "entry", changes, index=str(index))
                add(None, f"{path} {what}", six, "prove", changes, index=str(index))
            add(None, f"{path} {what}", six, "find", changes, leaf=b64(leaf_hash(entry(1))))
    for wanted, name in ((599, six), (600, six), (0, made.log(0)), (3, six)):
        add("ok", f"find {wanted}", name, "find", leaf=b64(leaf_hash(entry(wanted))))


def _changed_logs(made: Cases) -> None:
    add, six = _adder(made), made.log(600)
    same = made.log(300, tag="same", same_up_to=250)
    add("ok", "find many", same, "find", leaf=b64(leaf_hash(b"same")))
    add("ok", "empty", made.log(0), "visit")
    add("UsageError", "empty", made.log(0), "entry", index="0")
    others = b64encode(encode_entries([entry(i) if i != 300 else b"other" for i in range(256, 512)])).decode()
    add("TileError", "other entries", six, "entry", {"tile/entries/001": others}, index="300")
    add(
        "TileError",
        "other tiles",
        made.log(600, tag="other"),
        "prove",
        {"checkpoint": made.logs[six]["checkpoint"]},
        index="1",
    )
    add("SignatureError", "wrong key", made.log(600, key=OTHER_KEY), "visit")
    add("PolicyError", "wrong origin", six, "visit", origin="other.example.com")
    grown, old = made.log(300, 600), made.log(300)
    gone = {path: None for path in made.logs[grown] if ".p/44" in path} | {"checkpoint": made.logs[old]["checkpoint"]}
    for index in (0, 255, 256, 299):
        add("ok", "partial tiles gone", grown, "prove", gone, index=str(index))
        add("ok", "partial tiles gone", grown, "entry", gone, index=str(index))
    for full in ("tile/0/001", "tile/entries/001"):
        for what, change in CHANGES.items():
            changed = change(b64decode(made.logs[grown][full]))
            changes = gone | {full: None if changed is None else b64(changed)}
            add(None, f"partial tiles gone, full one {what}", grown, "entry", changes, index="280")


def _caches(made: Cases) -> None:
    """What is missing or not right in a cache alone changes nothing, wherever the cache is."""
    add, six = _adder(made), made.log(600)
    whole = {path: b64decode(data) for path, data in made.logs[six].items()}
    other_key, other_log = made.logs[made.log(600, key=OTHER_KEY)], made.logs[made.log(600, tag="other")]
    elsewhere = signed(replace(parse_signed_checkpoint(whole[CHECKPOINT]).checkpoint, origin="other.example.com"), LOG)
    for path in (CHECKPOINT, "tile/1/000.p/2", "tile/0/002.p/88", "tile/0/001", "tile/entries/001"):
        held: dict[str, str | None] = {
            what: None if (changed := change(whole[path])) is None else b64(changed) for what, change in CHANGES.items()
        }
        if path == CHECKPOINT:
            held |= {"another key's": other_key[path], "another origin's": b64(elsewhere.data)}
        elif "entries" not in path:
            held |= {"too long": b64(bytes(20_000)), "another log's": other_log[path]}
        for what, data in held.items():
            for caches in ([{path: data}, {}], [{}, {path: data}], [{path: None}, {path: data}]):
                where = f"{path} {what} in cache {[len(one) for one in caches]}"
                add("ok", where, six, "entry", index="300", caches=caches)
    for path, data, expect in (
        (CHECKPOINT, other_key[CHECKPOINT], "SignatureError"),
        ("tile/0/001", b64(bytes(8192)), "TileError"),
        ("tile/0/001", None, "NotFound"),
    ):
        add(expect, "no query", six, "entry", index="300", caches=[{}, {path: data}], noQuery=True)


def _histories(made: Cases) -> None:
    def add(expect: str | None, what: str, *names: str, changes: Any = None, policy: bytes = POLICY.data) -> None:
        made.add("log", expect, what, visits=names, changes=changes or {}, policy=b64(policy), call="visit")

    for old, new in [(0, 5), (0, 0), (1, 2), (255, 256), (256, 257), (256, 600), (511, 512), (300, 600)]:
        add("ok", "grown", made.log(old), made.log(old, new))
        if old > 0:
            add("ok", "old copy", made.log(old, new), made.log(old, new), changes=None)
            whole, before = made.log(old, new), made.log(old)
            add("ok", "old copy", whole, whole, changes={"checkpoint": made.logs[before]["checkpoint"]})
            add("AccessError", "old copy, nothing shown", whole, before)
    for old, new in [(5, 5), (600, 600), (4, 5), (255, 256), (256, 257), (256, 512), (300, 600)]:
        ours, theirs = made.log(old), made.log(new, tag="other")
        add("ForkError", "fork, grows", ours, theirs)
        add("ForkError" if old == new else "AccessError", "fork, shrinks", theirs, ours)
        shrunk = {path: data for path, data in made.logs[theirs].items() if path not in made.logs[ours]}
        shrunk["checkpoint"] = made.logs[ours]["checkpoint"]
        add(
            None,
            "fork, shrinks, new tiles there",
            theirs,
            theirs,
            changes={"checkpoint": made.logs[ours]["checkpoint"]},
        )
    policy = f"log {LOG.verifier.vkey}\nlog {OTHER_KEY.verifier.vkey}\nquorum none\n".encode()
    by_one, by_other = made.log(600), made.log(600, tag="x", key=OTHER_KEY)
    for first, second in ((by_one, by_other), (by_other, by_one)):
        add("ForkError", "two keys", first, second, policy=policy)
    damaged = {"tile/1/000.p/2": b64(bytes(64))}
    add("TileError", "damaged tiles are no fork", made.log(300), made.log(300, 600), changes=damaged)


def _files(made: Cases) -> None:
    for size in (0, 1, 55, 56, 63, 64, 65, 65_535, 65_536, MAX_DATA_SIZE, MAX_DATA_SIZE + 1):
        made.add("digest_entry", "ok", f"{size} bytes", data=b64(bytes(at * 7 % 251 for at in range(size))))


def _golden(made: Cases, shared: Path) -> None:
    """Another implementation's log, in each of its sizes."""
    folder = shared / "tessera-golden-log"
    vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    policy = b64(policy_for(parse_vkey(vkey)).data)
    files = {
        path.relative_to(folder).as_posix(): b64(path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    for size in range(16):
        made.logs[f"golden {size}"] = {**files, "checkpoint": files[f"checkpoint.{size}"]}
        for index in range(size):
            for call in ("entry", "prove"):
                arguments = {"visits": [f"golden {size}"], "changes": {}, "policy": policy, "call": call}
                made.add("log", "ok", f"golden {index} of {size}", index=str(index), **arguments)
        for old in range(size):
            visits = [f"golden {old}", f"golden {size}"]
            made.add("log", "ok", f"golden {old} to {size}", visits=visits, changes={}, policy=policy, call="visit")
