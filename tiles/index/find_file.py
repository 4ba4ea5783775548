"""Finding one entry of a file, or of a digest: the first that turns up, or the proof that there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from tiles.entries.content import Content
from tiles.entries.file_digest import DigestEntry, parse_digest_entry
from tiles.entries.file_kinds import Blinded, forms
from tiles.entries.kind import LEAF, SHA256, Key
from tiles.errors import Malformed, NotLogged, TilesError, UsageError
from tiles.index.opened import Index
from tiles.index.scan import Wanted, is_few, scan
from tiles.index.search import Found, Hit, Query, Remark, first_hits, index_for, search
from tiles.notes.index_head import MAX_COVERED
from tiles.read.client import LogClient
from tiles.tree.merkle import Hash, leaf_hash

_UNNAMED = (
    "its bytes and its digest were looked for, that also with the file's own name; what it is logged by under another "
    "name only an index of sha256/1 would find, which the log does not have; --scan looks at all entries"
)


def find_file(
    client: LogClient, content: Content, what: str, remark: Remark = lambda _text: None, *, any_size: bool = False
) -> Hit:
    """Return index and entry of a file: its digest, under whatever name, its bytes, or its digest blinded.

    what   to call the file in an error
    Raises what `find_digest` raises; if nothing else was found, what reading the secrets in `content` raises.
    """
    entries: list[bytes] = []
    blinded: list[Key] = []
    trouble: TilesError | None = None
    try:
        for kind, entry in forms(content):
            if kind == Blinded.name:
                blinded.append(Key(LEAF, leaf_hash(entry)))
            else:
                entries.append(entry)
    except TilesError as error:  # the secrets come last
        trouble = error
    leaves = [[Key(LEAF, leaf_hash(entry)) for entry in entries]]
    digest = DigestEntry(content.sha256, content.size)

    def is_it(entry: bytes) -> bool:
        with suppress(Malformed):
            return parse_digest_entry(entry).unnamed == digest or entry in entries
        return entry in entries

    by_digest = [[Key(SHA256, bytes.fromhex(content.sha256))]]
    # who looks through the log reads its leaf hashes only for the usual entries; an index is asked once for any name
    either = [leaves, by_digest] if any_size or is_few(client.tree.size) else [by_digest, leaves]
    try:
        return _find(client, either, is_it, what, remark, any_size=any_size)
    except NotLogged:
        if trouble is not None:
            raise trouble from None
        if not blinded:
            raise
    # it has no digest to be found by, and comes last: what all can see is the better proof
    return _find(client, [[blinded]], lambda _entry: True, what, remark, any_size=any_size)


def find_digest(
    client: LogClient, sha256: bytes, remark: Remark = lambda _text: None, *, any_size: bool = False
) -> Hit:
    """Return index and entry of something with that SHA-256.

    Raises NotLogged if the log has none; AccessError if none was found, and it is not proven that there is none;
    UsageError for a large log without an index; what `tiles.index.search.search` raises.
    """
    wanted = [[Key(SHA256, sha256)]]
    return _find(client, [wanted], lambda _entry: True, f"sha256:{sha256.hex()}", remark, any_size=any_size)


def find_leaf_hash(
    client: LogClient, leaf: Hash, remark: Remark = lambda _text: None, *, any_size: bool = False
) -> Hit:
    """Return index and entry of the entry with that leaf hash. Raises as `find_digest` does."""
    wanted = [[Key(LEAF, leaf)]]
    return _find(client, [wanted], lambda _entry: True, f"uuid {leaf.hex()}", remark, any_size=any_size)


def _find(
    client: LogClient,
    either: Sequence[Wanted],
    is_it: Callable[[bytes], bool],
    what: str,
    remark: Remark,
    *,
    any_size: bool,
) -> Hit:
    small = any_size or is_few(client.tree.size)
    index: Index | None = None
    narrowed = False  # whether the index that would find a file under any name is not there
    if not small:
        wanted, index = _indexed(client, either, remark)
        narrowed = wanted is not either[0]
        either = [wanted]
    for wanted in either:
        for hit in scan(client, wanted, any_size=True) if small else first_hits(client, wanted, remark, index):
            if is_it(hit[1]):
                return hit
    found = Found((), 0, client.tree.size)
    before = MAX_COVERED
    while not small:  # now so that it is proven that there is none
        found = search(client, Query(either[-1], before), remark, index=index)
        for hit in found.hits:
            if is_it(hit[1]):
                return hit
        if not found.more:
            break
        before = found.hits[-1][0]
    error = found.absent(what, client.accepted.signed.origin, client.tree.size)
    if narrowed and isinstance(error, NotLogged):
        error.hint = _UNNAMED
    raise error


def _indexed(client: LogClient, either: Sequence[Wanted], remark: Remark) -> tuple[Wanted, Index]:
    """Return the first of several ways of looking for something of which the log has an index, and that index."""
    *others, last = either
    for wanted in others:
        with suppress(UsageError):
            return wanted, index_for(client, wanted, remark)
    return last, index_for(client, last, remark)
