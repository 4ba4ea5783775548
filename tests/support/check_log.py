"""One checker for a whole stored log, from the specifications: it shares no parser and no hashing with the writer.

`check_log` is for after a run, `ObjectHistory` for every moment of it: a store wrapper tells it of each public write.
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from threading import RLock

from tests.support.cosigned_messages import ml_dsa_message
from tiles.errors import NotFound
from tiles.notes.keys import SignatureType, VerifierKey
from tiles.store import Store
from tiles.tree.merkle import Hash, TreeHead

MUTABLE = {"checkpoint", "policy.txt", "pending"}  # of the public part

_NOTE = re.compile(
    rb"((?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    rb"\n(?P<lines>(?:\xe2\x80\x94 [^\n ]+ [A-Za-z0-9+/=]+\n)+)"
)
Keys = VerifierKey | tuple[VerifierKey, ...]  # of one log
_TILE = re.compile(r"tile/(entries|[0-9]+)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]+))?")


class Fold:
    """All nodes of the complete subtrees over some entries, level by level (RFC 6962 §2.1)."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = tuple(entries)
        self.heights = [[sha256(b"\x00" + entry).digest() for entry in entries]]
        while len(below := self.heights[-1]) > 1:
            pairs = zip(below[0::2], below[1::2], strict=False)
            self.heights.append([sha256(b"\x01" + left + right).digest() for left, right in pairs])
        self._roots: dict[int, bytes] = {}
        self._objects: dict[str, bytes] = {}

    def root(self, size: int) -> bytes:
        """Return the root hash over the first `size` entries."""
        if size not in self._roots:
            self._roots[size] = self._root(size)
        return self._roots[size]

    def _root(self, size: int) -> bytes:
        root, end = b"", size
        for height in range(size.bit_length()):
            if size >> height & 1:
                end -= 1 << height
                left = self.heights[height][end >> height]
                root = sha256(b"\x01" + left + root).digest() if root else left
        return root or sha256().digest()

    def object(self, path: str) -> bytes:
        """Return what a tile or an entry bundle of these entries holds; fails if they are too few for it."""
        if path not in self._objects:
            self._objects[path] = self._object(path)
        return self._objects[path]

    def _object(self, path: str) -> bytes:
        match = _TILE.fullmatch(path)
        assert match, f"{path} is neither a tile nor an entry bundle"
        first = 256 * int(match[2].replace("x", "").replace("/", ""))
        width = int(match[3] or 256)
        assert width < 256 or not match[3], f"{path} is a partial tile of 256"
        of: Sequence[bytes]
        if match[1] == "entries":
            of = [struct.pack(">H", len(entry)) + entry for entry in self.entries[first : first + width]]
        else:
            height = 8 * int(match[1])
            assert height < len(self.heights), f"{path} is of a level that {len(self.entries)} entries do not reach"
            of = self.heights[height][first : first + width]
        assert len(of) == width, f"{path} is ahead of the {len(self.entries)} entries that are committed"
        return b"".join(of)


# What follows is remembered by its whole input, as the logs of one matrix are few and alike, and all are audited whole.


@lru_cache(maxsize=256)
def fold(entries: tuple[bytes, ...]) -> Fold:
    """Return `Fold(entries)`."""
    return Fold(entries)


@dataclass(frozen=True)
class Signed:
    """A checkpoint's text, taken apart."""

    origin: str
    size: int
    root: bytes


@lru_cache(maxsize=4096)
def read_text(text: bytes) -> Signed:
    """Return what an unsigned checkpoint text says."""
    origin, size, root = text.decode().removesuffix("\n").split("\n")
    return Signed(origin, int(size), b64decode(root, validate=True))


def name_of(verifier: Keys) -> str:
    """Return the origin of a log."""
    return verifier.name if isinstance(verifier, VerifierKey) else verifier[0].name


@lru_cache(maxsize=4096)
def read_note(data: bytes, verifier: Keys) -> Signed:
    """Return what a signed checkpoint says; fails unless each key of the log has signed once.

    Lines under other names are of witnesses, and not looked at here.
    """
    match = _NOTE.fullmatch(data)
    assert match, f"not a signed checkpoint: {data!r}"
    signed = read_text(match[1])
    keys = {key.key_id: key for key in ((verifier,) if isinstance(verifier, VerifierKey) else verifier)}
    for line in match["lines"].decode().splitlines():
        _, name, encoded = line.split(" ")
        if name != signed.origin:
            continue
        signature = b64decode(encoded, validate=True)
        assert signature[:4] in keys, f"signed by another key, or twice by one: {data!r}"
        key = keys.pop(signature[:4])
        assert name == key.name, f"of another log: {data!r}"
        if key.type == SignatureType.MLDSA44:
            at, raw = int.from_bytes(signature[4:12], "big"), signature[12:]
            key.verify(ml_dsa_message(name.encode(), at, name.encode(), TreeHead(signed.size, Hash(signed.root))), raw)
        else:
            key.verify(match[1], signature[4:])
    return signed


@lru_cache(maxsize=4096)
def cosigned_by(data: bytes, witnesses: tuple[VerifierKey, ...]) -> tuple[str, ...]:
    """Return the names of the witnesses that cosigned; fails for a line that is not of one of them, or is wrong."""
    match = _NOTE.fullmatch(data)
    assert match
    found = []
    origin = read_text(match[1]).origin
    for line in match["lines"].decode().splitlines():
        _, name, encoded = line.split(" ")
        if name == origin:
            continue
        raw = b64decode(encoded, validate=True)
        keys = [key for key in witnesses if key.name == name and key.key_id == raw[:4]]
        assert keys, f"a line of somebody else: {line}"
        time, signature, signed = int.from_bytes(raw[4:12], "big"), raw[12:], read_text(match[1])
        message = f"cosignature/v1\ntime {time}\n".encode() + match[1]
        if keys[0].type == 6:
            opaque = [bytes([len(text)]) + text for text in (name.encode(), signed.origin.encode())]
            message = b"subtree/v1\n\0" + opaque[0] + struct.pack(">Q", time) + opaque[1]
            message += struct.pack(">QQ", 0, signed.size) + signed.root
        keys[0].verify(message, signature)
        found.append(name)
    assert len(set(found)) == len(found), f"two lines of a witness: {found}"
    return tuple(found)


@lru_cache(maxsize=1024)
def tree_paths(size: int) -> tuple[str, ...]:
    """Return the paths of all tiles and bundles of a tree, right-most partial ones included."""
    paths = []
    level = 0
    while (count := size >> 8 * level) > 0:
        for kind in (str(level), "entries") if level == 0 else (str(level),):
            paths += [f"tile/{kind}/{_number(n)}" for n in range(count // 256)]
            paths += [f"tile/{kind}/{_number(count // 256)}.p/{count % 256}"] if count % 256 else []
        level += 1
    return tuple(paths)


def _number(n: int) -> str:
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03d}")
    return "/".join(groups)


@lru_cache(maxsize=1024)
def unpack(data: bytes) -> tuple[bytes, ...]:
    """Return length-prefixed entries."""
    entries, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at)
        entries.append(data[at + 2 : at + 2 + length])
        assert len(entries[-1]) == length, "an entry is cut short"
        at += 2 + length
    return tuple(entries)


def read_or_none(store: Store, path: str) -> bytes | None:
    """Return an object's content."""
    try:
        return store.read(path).data
    except NotFound:
        return None


def published(public: Store, verifier: Keys) -> tuple[bytes, tuple[bytes, ...]] | None:
    """Return the published checkpoint and all entries of its tree, every tile of which must be there and right."""
    data = read_or_none(public, "checkpoint")
    if data is None:
        return None
    paths = tree_paths(read_note(data, verifier).size)
    return data, _entries(data, verifier, tuple(read_or_none(public, path) for path in paths))


def check_pending(public: Store, verifier: Keys) -> None:
    """Fail if a tile is missing of the tree that `pending` shows, or is another one."""
    if (data := read_or_none(public, "pending")) is not None:
        paths = tree_paths(read_note(data, verifier).size)
        _entries(data, verifier, tuple(read_or_none(public, path) for path in paths))


@lru_cache(maxsize=256)
def _entries(data: bytes, verifier: Keys, found: tuple[bytes | None, ...]) -> tuple[bytes, ...]:
    """Return the entries of a checkpoint's tree, given what was found at each of its paths."""
    signed = read_note(data, verifier)
    contents = dict(zip(tree_paths(signed.size), found, strict=True))
    missing = [path for path, content in contents.items() if content is None]
    assert not missing, f"the checkpoint of size {signed.size} is ahead of its tiles: {missing} are not there"
    bundles = [content or b"" for path, content in contents.items() if path.startswith("tile/entries/")]
    entries = tuple(entry for bundle in bundles for entry in unpack(bundle))
    assert len(entries) == signed.size, f"{len(entries)} entries in the bundles of the tree of size {signed.size}"
    tree = fold(entries)
    assert tree.root(signed.size) == signed.root, f"the entries do not have the root of {signed}"
    for path, content in contents.items():
        assert content == tree.object(path), f"{path} is not what the entries say"
    return entries


@dataclass
class ObjectHistory:
    """What readers of the public part could ever see. To be told of every write, at once."""

    verifier: Keys
    contents: dict[str, bytes] = field(default_factory=dict)
    checkpoints: list[bytes] = field(default_factory=list)  # as they became readable
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0  # how many of them have to have cosigned whatever is published
    kept_from: int = 0  # and how many what is kept of it
    lock: RLock = field(default_factory=RLock, repr=False)  # to be held from before a write until it is told

    def wrote(self, public: Store, paths: Iterable[str]) -> None:
        """Take down what can be read at `paths` now, and check what may be said about it at this moment."""
        for path in paths:
            if path == "checkpoint":
                self._swapped(public)
            elif path not in MUTABLE:
                data = read_or_none(public, path)
                before = self.contents.get(path, data)
                assert data == before, f"{path} had another content before: {before!r}, now {data!r}"
                if data is not None:
                    self.contents[path] = data

    def _swapped(self, public: Store) -> None:
        found = published(public, self.verifier)
        if found is not None and found[0] not in self.checkpoints[-1:]:
            last = read_note(self.checkpoints[-1], self.verifier).size if self.checkpoints else -1
            size = len(found[1])
            is_more = size == last and len(found[0]) >= len(self.checkpoints[-1])  # signatures, of another key
            assert size > last or is_more, f"publication went from size {last} to {size}"
            lines = cosigned_by(found[0], self.witnesses)
            assert len(lines) >= self.quorum, f"size {size} is published with the lines of {lines} only"
            self.checkpoints.append(found[0])

    def copy(self) -> ObjectHistory:
        """Return a history that goes on by itself."""
        return ObjectHistory(
            self.verifier, dict(self.contents), list(self.checkpoints), self.witnesses, self.quorum, self.kept_from
        )


def committed(public: Store, private: Store, verifier: Keys) -> tuple[bytes, ...] | None:
    """Return the entries that are committed: the published ones, then those of a batch that is not published yet.

    None if nothing, not even the empty tree, is committed. Fails if they cannot be recovered.
    """
    head = _head(private)
    if head is None:
        return None
    found = published(public, verifier)
    entries = found[1] if found else ()
    size = int(head["size"])
    if size > len(entries):
        assert int(head["base"]) == len(entries), f"{head} was committed on top of what is not published"
        name = f"staging/{size}-{head['batch']}"
        batch = read_or_none(private, name)
        assert batch is not None, f"{name}, committed and not published, is lost"
        assert sha256(batch).hexdigest() == head["batch"], f"{name} is not what was committed"
        entries += unpack(batch.split(b"\n\n", 1)[1])
    assert size == len(entries), f"{head['size']} are committed, {len(entries)} can be found"
    assert b64decode(head["root"]) == fold(entries).root(size), f"the head's root is not that of its entries: {head}"
    return entries


def _head(private: Store) -> Mapping[str, str] | None:
    data = read_or_none(private, "head")
    return None if data is None else dict(line.split(" ", 1) for line in data.decode().splitlines()[1:])


def check_log(
    public: Store,
    private: Store,
    verifier: Keys,
    *,
    signed: Sequence[bytes],
    seen: ObjectHistory,
    acknowledged: Iterable[tuple[int, Sequence[bytes]]] = (),
    repeated: Iterable[bytes] = (),
    complete: bool = True,
    orphans: bool = False,
) -> tuple[bytes, ...]:
    """Audit everything, and return the committed entries.

    signed         every text that the log's key ever signed
    seen           what was ever readable
    acknowledged   (index, entries) that a run has returned
    repeated       entries that may be in the log more than once
    complete       nothing is left to do: all that is committed is published, and tidy
    orphans        batches may be staged that were never committed
    """
    entries = committed(public, private, verifier)
    assert entries is not None or not complete, "there is no head"
    entries = entries or ()
    tree = fold(entries)
    _check_objects(public, tree, seen)
    found = published(public, verifier)
    assert [found[0]] == seen.checkpoints[-1:] if found else not seen.checkpoints, "the checkpoint changed unseen"
    for text in signed:
        _check_statement(read_text(text), tree, verifier)
    for note in seen.checkpoints:
        _check_statement(read_note(note, verifier), tree, verifier)
    _check_acknowledged(entries, acknowledged, set(repeated))
    if complete:
        _check_complete(public, private, seen, len(entries), orphans)
    return entries


def _check_statement(statement: Signed, tree: Fold, verifier: Keys) -> None:
    """All statements are of prefixes of one log, so any two of them are consistent."""
    assert statement.origin == name_of(verifier), f"signed for another log: {statement}"
    assert statement.size <= len(tree.entries), f"{statement} is ahead of the {len(tree.entries)} committed entries"
    assert statement.root == tree.root(statement.size), f"fork: {statement} is not of the committed entries"


def _check_objects(public: Store, tree: Fold, seen: ObjectHistory) -> None:
    there = {listed.path: public.read(listed.path).data for listed in public.list("")}
    for path, data in there.items():
        if path.startswith("tile/"):
            assert data == tree.object(path), f"{path} is not what the committed entries say"
        if path not in MUTABLE and not path.startswith(("withheld/", "endorsed/")):
            assert seen.contents.get(path) == data, f"{path} was changed unseen"
    gone = set(seen.contents) - set(there)
    assert not gone, f"{sorted(gone)} were readable, and are gone"


def _check_acknowledged(
    entries: Sequence[bytes], acknowledged: Iterable[tuple[int, Sequence[bytes]]], repeated: set[bytes]
) -> None:
    count = Counter(entries)
    for index, batch in acknowledged:
        found = list(entries[index : index + len(batch)])
        assert found == list(batch), f"acknowledged at {index}: {list(batch)[:3]}…, and there is {found[:3]}…"
    twice = [entry for entry, times in count.items() if times > 1 and entry not in repeated]
    assert not twice, f"in the log more than once: {twice[:3]}"


def _check_complete(public: Store, private: Store, seen: ObjectHistory, size: int, orphans: bool) -> None:
    sizes = [read_note(note, seen.verifier).size for note in seen.checkpoints]
    assert sizes[-1:] == [size], f"size {size} is committed, {sizes[-1:]} published"
    met = [note for note in seen.checkpoints if len(cosigned_by(note, seen.witnesses)) >= seen.kept_from]
    first = {read_note(note, seen.verifier).size: note for note in reversed(met)}
    for of, note in first.items():
        assert read_or_none(public, f"checkpoints/{_number(of)}") == note, f"the checkpoint of size {of} is not kept"
        missing = set(tree_paths(of)) - set(seen.contents)
        assert not missing, f"size {of} was published, and {sorted(missing)} are not there"
    kept = {listed.path for listed in public.list("checkpoints/") if "/days/" not in listed.path}
    assert kept == {f"checkpoints/{_number(of)}" for of in sizes}, f"{kept} are kept, {sizes} were published"
    assert read_or_none(public, "policy.txt") is not None, "the policy is not published"
    assert size == 0 or next(iter(public.list("checkpoints/days/")), None), "no day's first checkpoint is kept"
    head = _head(private) or {}
    staged = [listed.path for listed in private.list("staging/")]
    assert f"staging/{head.get('size')}-{head.get('batch')}" not in staged, "the published batch is still staged"
    assert orphans or not staged, f"left over: {staged}"
