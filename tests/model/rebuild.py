"""Rebuild a head that is gone, or that was put back and can never be signed: `repair --head`.

The anchor decides as ever what is signed. It gets another identity first, so that nobody who has loaded the log before
can sign with it. If it is ahead of the checkpoint, its own tree is published, if all its tiles are there.
"""

from __future__ import annotations

from .commit import Ends, Step, land, with_anchor
from .mistakes import Mistake
from .state import GONE, Anchor, Batch, Head, Run, Setup, State, Tile, prefix, size

REBUILT = -2  # a nonce that no other head has
FENCED = 100  # added to the identity of an anchor


def rebuild(s: State, r: Run, _: Setup) -> Ends:
    """Read the head, before all else: while it stays what it was, nobody commits."""
    yield s, r._replace(at="rebuild checkpoint", head=s.head)


def rebuild_checkpoint(s: State, r: Run, _: Setup) -> Ends:
    """Read the checkpoint."""
    yield s, r._replace(at="rebuild anchor", checkpoint=s.checkpoint)


def rebuild_anchor(s: State, r: Run, setup: Setup) -> Ends:
    """Read the anchor, and look whether the next run can go on with what is there."""
    anchor = s.anchors[r.place]
    if anchor is None or anchor.sealed or r.checkpoint is None:
        yield s, r.refuse("checkpoint or anchor is missing")
    elif r.head != GONE and not _is_of(anchor, r.head.anchor):
        yield s, r.refuse("it is not the log's anchor")
    elif r.head != GONE and _is_sound(s, r, anchor) and not in_the_way(s, setup):
        yield s, r._replace(at="end")
    elif not anchor.tree and r.head == GONE and setup.mistake is not Mistake.REBUILD_ANY_ANCHOR:
        yield s, r.refuse("an anchor that has signed nothing may be any log's")
    elif not prefix(r.checkpoint, anchor.tree):
        yield s, r.refuse("the anchor is behind what is published")
    elif setup.mistake is Mistake.REBUILD_UNFENCED:
        yield s, _planned(s, r._replace(anchor=anchor), setup)
    else:
        yield s, r._replace(at="rebuild recheck", anchor=anchor)


def rebuild_recheck(s: State, r: Run, _: Setup) -> Ends:
    """Read head and checkpoint once more: if they are others by now, what was found says nothing of them."""
    is_same = s.head == r.head and s.checkpoint == r.checkpoint
    yield s, r._replace(at="rebuild fence") if is_same else r.again()


def _is_of(anchor: Anchor, identity: int) -> bool:
    """Whether this is the anchor of that identity, or what rebuilding has made of it."""
    return anchor.identity >= identity and (anchor.identity - identity) % FENCED == 0


def _is_sound(s: State, r: Run, anchor: Anchor) -> bool:
    """Whether the next run can go on with the head: what it commits to is signed, or extends what is."""
    head = r.head
    if head.anchor != anchor.identity or size(r.checkpoint) not in (head.base, head.size):
        return False
    if anchor.frozen and not head.frozen:
        return False
    if r.checkpoint != head.tree and head.batch != Batch() and head.staged not in s.staged:
        return False
    return head.tree == anchor.tree or (head.base == len(anchor.tree) and prefix(anchor.tree, head.tree))


def in_the_way(s: State, setup: Setup) -> frozenset[Tile]:
    """The tiles that stop whoever goes on from the head: beyond it, or in the place of those that it commits to."""
    head, mistake = s.head, setup.mistake
    beyond = frozenset(tile for tile in s.tiles if tile.size > head.size)
    if size(s.checkpoint) >= head.size or mistake is Mistake.REBUILD_BEYOND_ONLY:
        return beyond
    return beyond | {tile for tile in s.tiles if tile.size == head.size and tile.tree != head.tree}


def rebuild_fence(s: State, r: Run, setup: Setup) -> Ends:
    """Give the anchor another identity, by compare-and-swap: no run that has loaded the log can sign any more."""
    assert r.anchor is not None
    if s.anchors[r.place] != r.anchor:
        yield s, r.again()
        return
    fenced = r.anchor._replace(identity=r.anchor.identity + FENCED)
    yield with_anchor(s, r.place, fenced), _planned(s, r._replace(anchor=fenced), setup)


def _planned(s: State, r: Run, setup: Setup) -> Run:
    """The run with the head to write: by the one staged batch that leads to this tree, otherwise without a batch.

    A sound head stays what it is, but for the anchor that it names.
    """
    anchor = r.anchor
    assert anchor is not None
    if r.head != GONE and _is_sound(s, r, anchor._replace(identity=r.head.anchor)):
        return r._replace(at="rebuild head", plan=r.head._replace(nonce=REBUILT, anchor=anchor.identity))
    tree = r.checkpoint or () if setup.mistake is Mistake.REBUILD_AT_CHECKPOINT else anchor.tree
    is_ahead = tree != r.checkpoint
    fitting = [
        staged.batch
        for staged in s.staged
        if staged.size == len(tree)
        and tree[len(tree) - len(staged.batch.entries) :] == staged.batch.entries
        and (not is_ahead or size(r.checkpoint) == len(tree) - len(staged.batch.entries))
    ]
    batch = fitting[0] if len(fitting) == 1 else Batch()
    new = Head(tree, len(tree) - len(batch.entries), batch, REBUILT, anchor.identity, anchor.frozen)
    parts = ("tiles", "bundles") if setup.parts else ("all",)
    if not is_ahead or batch != Batch():
        return r._replace(at="rebuild head", plan=new)
    if all(Tile(len(tree), part, tree) in s.tiles for part in parts):
        return r._replace(at="rebuild publish", plan=new)
    return r.refuse("more was signed than is published, and its tiles are gone")


def rebuild_publish(s: State, r: Run, _: Setup) -> Ends:
    """Sign the anchor's own tree once more, and publish it."""
    signed = s._replace(signed=s.signed | {r.plan.tree})
    if s.checkpoint == r.checkpoint:
        yield signed._replace(checkpoint=r.plan.tree), r._replace(at="rebuild head")
    else:
        yield signed, r.again()


def rebuild_head(s: State, r: Run, setup: Setup) -> Ends:
    """Create the head, or swap the one that was read; if somebody else was first, look again."""
    if s.head == r.head:
        yield land(s, r.plan, setup), r._replace(at="rebuild aside")
    else:
        yield s, r.again()


def rebuild_aside(s: State, r: Run, setup: Setup) -> Ends:
    """Set aside what is in the way of the head; the anchor was fenced, so nobody can sign a tree that needs it."""
    if s.head == GONE:
        yield s, r.again()
        return
    yield s._replace(tiles=s.tiles - in_the_way(s, setup)), r._replace(at="end")


STEPS: dict[str, Step] = {
    "rebuild": rebuild,
    "rebuild checkpoint": rebuild_checkpoint,
    "rebuild anchor": rebuild_anchor,
    "rebuild recheck": rebuild_recheck,
    "rebuild fence": rebuild_fence,
    "rebuild head": rebuild_head,
    "rebuild publish": rebuild_publish,
    "rebuild aside": rebuild_aside,
}
