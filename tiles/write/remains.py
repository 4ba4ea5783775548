"""What is left in the private part of a log whose head is lost: the policies that are kept, and staged batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from tiles.errors import LogError, Malformed, NotFound, Refused, explained
from tiles.inbox.admission import Admission
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.records.paths import PENDING, POLICIES, POLICY, STAGING, policy_path, staged_path, staged_size
from tiles.records.staged_batch import Batch, digest, parse_batch
from tiles.store import Store
from tiles.store.drafts import stage
from tiles.tree.bundle import encode_entries
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.write.ahead import MAX_BATCH
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

Record = TypeVar("Record", Policy, Admission)


def kept_policy(
    private: Store, parse: Callable[[bytes], Record], limit: int, name: str | None, option: str
) -> Record | None:
    """Return the policy of a kind that is kept in the private part: the named one, or the only one; or None.

    Raises Refused if there are several. option: by which it can be named then
    """
    kept: dict[str, Record] = {}
    for listed in private.list(POLICIES):
        with suppress(Malformed, NotFound):
            data = private.read(listed.path, limit).data
            if policy_path(digest(data)) == listed.path:
                kept[digest(data)] = parse(data)
    if name in kept:
        return kept[name]
    if len(kept) > 1:
        raise Refused(
            f"{len(kept)} policies of a kind are kept in {private.url}: {', '.join(sorted(kept))}",
            hint=f"say with {option} which one was the log's last",
        )
    return next(iter(kept.values()), None)


def had_witnesses(public: Store) -> bool:
    """Whether the public part looks as if the log's policy needed witnesses. Anyone may have written what says so."""
    with suppress(NotFound):
        public.read(PENDING)
        return True
    with suppress(NotFound, LogError):
        return parse_policy(public.read(POLICY, MAX_POLICY_SIZE).data).needs_witnesses
    return False


def leading_batches(
    parts: Parts, tree: OwnTree, published: TreeHead, wanted: TreeHead
) -> tuple[list[tuple[Batch, str]], int]:
    """Return the staged batches that lead to a tree, each with its digest, and how many are beyond that tree."""
    fitting: list[tuple[Batch, str]] = []
    beyond = 0
    for listed in parts.private.list(STAGING):
        size = staged_size(listed.path)
        beyond += size is not None and size > wanted.size
        if size == wanted.size:
            fitting += _fitting(parts.private, tree, listed.path, published, wanted)
    return fitting, beyond


def stage_anew(private: Store, base: int, entries: Iterator[bytes]) -> tuple[Batch, str]:
    """Stage the entries that follow a tree of size `base` as one batch; return it with its digest.

    It lasts on return. Which submissions they were is lost. Raises Refused if they are more than one batch
    can have been.
    """
    new = list(islice(entries, MAX_BATCH + 1))
    if len(new) > MAX_BATCH:
        raise Refused(
            f"size {base} is published, and more than {MAX_BATCH} entries were signed since, which is no one batch",
            hint=explained("the-checkpoint-is-gone", "put back the newest checkpoint first"),
        )
    batch = Batch(base, len(new), encode_entries(new))
    name = digest(batch.data)
    stage(private, {staged_path(batch.size, name): batch.data})
    return batch, name


def _fitting(
    private: Store, tree: OwnTree, path: str, published: TreeHead, wanted: TreeHead
) -> Iterator[tuple[Batch, str]]:
    with suppress(LogError, Refused, NotFound):
        data = private.read(path).data
        batch = parse_batch(data)
        is_next = batch.base == published.size
        if batch.base > published.size or (wanted != published and not is_next):
            return
        base = published if is_next else tree.tree_at(batch.base, published)
        led_to = plan(tree.right_edge(base), batch.entries()).tree if batch.count else base
        if led_to == wanted and path.endswith(digest(data)):
            yield batch, digest(data)
