"""Power cuts while a log is published with witnesses. No cut takes away what a witness has cosigned: it is elsewhere.

What a witness may have seen has to be on disk by then: the tiles of a tree that `pending` shows, the head that commits
to it, and the anchor that covers it. Otherwise the log would go on with another tree, which the witness never cosigns.
"""

from __future__ import annotations

from tests.support.check_log import check_pending as check_pending_of
from tests.support.check_log import fold, published, read_or_none
from tests.support.witnesses import InProcess
from tests.support.world import World, some_entries
from tiles.records.paths import PENDING
from tiles.write.cosign import Witnessing

OPENLY = some_entries("openly", 10)


def open_or_refresh(world: World, action: str) -> None:
    """Publish entries whether witnesses cosign or not; or ask for the lines that are missing, which last then."""
    how = Witnessing(fail_open=True, ways=InProcess(world.witnesses))
    writer = world.sequencer(how=how)
    if action == "refresh":
        world.refreshed = writer.refresh().signed.data
    else:
        world.acknowledged.append((writer.append(OPENLY).first_index, OPENLY))


def visited(world: World) -> None:
    """Let the witnesses that come by themselves see `pending`, at the moment at which it can be read."""
    pending = read_or_none(world.stores["public"], PENDING)
    for url, each in world.witnesses.items():
        if pending is not None and not url.startswith("http"):
            check_pending(world)
            each.visit(pending)


def check_pending(world: World) -> None:
    """`pending` is not ahead of its tiles, and a checkpoint that was refreshed has kept its lines."""
    public = world.stores["public"]
    check_pending_of(public, world.verifier)
    if world.refreshed:
        data, _ = published(public, world.verifier) or (b"", ())
        size = int(data.splitlines()[1])
        refreshed = int(world.refreshed.splitlines()[1])
        assert size > refreshed or data == world.refreshed, "lines that were published are gone"


def check_cosigned(world: World, committed: tuple[bytes, ...]) -> None:
    """Each tree that a witness has cosigned is a beginning of the committed one."""
    for url, each in world.witnesses.items():
        for seen in each.seen.values():
            size = seen.tree.size
            assert size <= len(committed), f"{url} has cosigned size {size}, and {len(committed)} entries are committed"
            root = fold(committed[:size]).root(size)
            assert root == seen.tree.root, f"{url} has cosigned another tree of size {size}"
