"""Rebuild a head that is gone, or that was put back and can never be signed: `repair --head`.

The anchor decides as ever what is signed. It gets another identity first, so that nobody who has loaded the log before
can sign with it. If it is ahead of the checkpoint, its own tree is published, if all its tiles are there.

The anchor may be an older copy. So `pending` is read and the witness is asked as well, and the largest of these trees
counts. Where a witness is needed, its batch is staged again, and the next run publishes it.
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
    """Read the anchor."""
    r = r._replace(anchor=s.anchors[r.place])
    if r.anchor is None or r.anchor.sealed or r.checkpoint is None:
        yield s, r.refuse("checkpoint or anchor is missing")
    elif setup.visits and setup.mistake is not Mistake.REBUILD_WITHOUT_PENDING:
        yield s, r._replace(at="rebuild pending", ahead=r.anchor.tree)
    else:
        yield s, _looked(s, r._replace(ahead=r.anchor.tree), setup)


def rebuild_pending(s: State, r: Run, setup: Setup) -> Ends:
    """Read `pending`: what it shows was signed, also where the anchor is an older copy."""
    yield s, _looked(s, r._replace(ahead=max(r.ahead, s.pending or (), key=len)), setup)


def _looked(s: State, r: Run, setup: Setup) -> Run:
    """The run after it looked whether the next one can go on with what is there."""
    anchor = r.anchor
    assert anchor is not None
    if r.head != GONE and not _is_of(anchor, r.head.anchor):
        return r.refuse("it is not the log's anchor")
    if r.head != GONE and _is_sound(s, r, anchor) and not in_the_way(s, setup):
        return r._replace(at="end")
    if not anchor.tree and r.head == GONE and setup.mistake is not Mistake.REBUILD_ANY_ANCHOR:
        return r.refuse("an anchor that has signed nothing may be any log's")
    if not prefix(r.checkpoint, anchor.tree):
        return r.refuse("the anchor is behind what is published")
    if not prefix(anchor.tree, r.ahead):
        return r.refuse("another tree was signed")
    if setup.mistake is Mistake.REBUILD_UNFENCED:
        return _planned(s, r, setup)
    return r._replace(at="rebuild recheck")


def rebuild_recheck(s: State, r: Run, setup: Setup) -> Ends:
    """Read head and checkpoint once more: if they are others by now, what was found says nothing of them."""
    if s.head != r.head or s.checkpoint != r.checkpoint:
        yield s, r.again()
    elif setup.witness and setup.mistake is not Mistake.REBUILD_ASKS_NOBODY:
        yield s, r._replace(at="rebuild ask")
    else:
        yield s, r._replace(at="rebuild plan")


def rebuild_ask(s: State, r: Run, _: Setup) -> Ends:
    """Ask the witness what it has cosigned: it may be a tree that was never published."""
    if prefix(r.ahead, s.witness or ()):
        yield s, r._replace(at="rebuild plan", ahead=s.witness or ())
    elif prefix(s.witness, r.ahead):
        yield s, r._replace(at="rebuild plan")
    else:
        yield s, r.refuse("another tree was cosigned")


def _is_of(anchor: Anchor, identity: int) -> bool:
    """Whether this is the anchor of that identity, or what rebuilding has made of it."""
    return anchor.identity >= identity and (anchor.identity - identity) % FENCED == 0


def _is_sound(s: State, r: Run, anchor: Anchor) -> bool:
    """Whether the next run can go on with the head: what it commits to is signed, or extends what is."""
    head = r.head
    if head.anchor != anchor.identity or (anchor.frozen and not head.frozen):
        return False
    if head.tree == r.checkpoint:
        return head.tree == anchor.tree == r.ahead
    is_beyond = any(tree not in (r.checkpoint, head.tree) for tree in (anchor.tree, r.ahead))
    if size(r.checkpoint) != head.base or is_beyond:
        return False
    return head.batch == Batch() or head.staged in s.staged


def in_the_way(s: State, setup: Setup) -> frozenset[Tile]:
    """The tiles that stop whoever goes on from the head: beyond it, or in the place of those that it commits to."""
    head, mistake = s.head, setup.mistake
    beyond = frozenset(tile for tile in s.tiles if tile.size > head.size)
    if size(s.checkpoint) >= head.size or mistake is Mistake.REBUILD_BEYOND_ONLY:
        return beyond
    return beyond | {tile for tile in s.tiles if tile.size == head.size and tile.tree != head.tree}


def rebuild_plan(s: State, r: Run, setup: Setup) -> Ends:
    """Look for what leads to the largest tree that was signed; if its batch is gone, stage one of its entries."""
    r = _planned(s, r, setup)
    is_new = r.at == "rebuild fence" and r.plan.batch != Batch() and r.plan.staged not in s.staged
    yield s._replace(staged=s.staged | {r.plan.staged}) if is_new else s, r


def rebuild_fence(s: State, r: Run, setup: Setup) -> Ends:
    """Give the anchor another identity, by compare-and-swap: no run that has loaded the log can sign any more."""
    assert r.anchor is not None
    if s.anchors[r.place] != r.anchor:
        yield s, r.again()
        return
    publishes = r.plan.batch == Batch() and r.plan.tree != r.checkpoint and r.plan.base == r.plan.size
    fenced = r.anchor._replace(identity=r.plan.anchor)
    yield with_anchor(s, r.place, fenced), r._replace(at="rebuild publish" if publishes else "rebuild head")


def _planned(s: State, r: Run, setup: Setup) -> Run:
    """The run with the head to write: by the one staged batch that leads to this tree, otherwise without a batch.

    A sound head stays what it is, but for the anchor that it names. Where a witness is needed, there is always a batch.
    """
    anchor, mistake = r.anchor, setup.mistake
    assert anchor is not None
    identity = anchor.identity if mistake is Mistake.REBUILD_UNFENCED else anchor.identity + FENCED
    at = "rebuild head" if mistake is Mistake.REBUILD_UNFENCED else "rebuild fence"
    if r.head != GONE and _is_sound(s, r, anchor._replace(identity=r.head.anchor)):
        return r._replace(at=at, plan=r.head._replace(nonce=REBUILT, anchor=identity))
    tree = r.checkpoint or () if mistake is Mistake.REBUILD_AT_CHECKPOINT else r.ahead
    is_ahead = tree != r.checkpoint
    fitting = [
        staged.batch
        for staged in s.staged
        if staged.size == len(tree)
        and tree[len(tree) - len(staged.batch.entries) :] == staged.batch.entries
        and (not is_ahead or size(r.checkpoint) == len(tree) - len(staged.batch.entries))
    ]
    batch = fitting[0] if len(fitting) == 1 else Batch()
    base = len(tree) - len(batch.entries)
    if is_ahead and batch == Batch():
        parts = ("tiles", "bundles") if setup.parts else ("all",)
        if not all(Tile(len(tree), part, tree) in s.tiles for part in parts):
            return r.refuse("more was signed than is published, and its tiles are gone")
        if setup.witness and mistake is not Mistake.REBUILD_PUBLISHES:
            base = size(r.checkpoint)
            batch = Batch() if mistake is Mistake.REBUILD_BATCHLESS else Batch(tree[base:])
        elif mistake is Mistake.REBUILD_UNFENCED:
            at = "rebuild publish"
    return r._replace(at=at, plan=Head(tree, base, batch, REBUILT, identity, anchor.frozen))


def rebuild_publish(s: State, r: Run, _: Setup) -> Ends:
    """Sign the anchor's own tree once more, and publish it."""
    signed = s._replace(signed=s.signed | {r.plan.tree})
    if s.checkpoint == r.checkpoint:
        yield signed._replace(checkpoint=r.plan.tree, lines=False), r._replace(at="rebuild head")
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
    "rebuild pending": rebuild_pending,
    "rebuild recheck": rebuild_recheck,
    "rebuild ask": rebuild_ask,
    "rebuild plan": rebuild_plan,
    "rebuild fence": rebuild_fence,
    "rebuild head": rebuild_head,
    "rebuild publish": rebuild_publish,
    "rebuild aside": rebuild_aside,
}
