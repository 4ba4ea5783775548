"""The commit, one function for each step of the table in the design; a run may pause or die between any two.

A step takes the state and the run whose turn it is, and yields every way it can end: (state, run) after one operation
on storage. The first is the one without trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .mistakes import Mistake
from .state import GONE, Ack, Anchor, Batch, Head, Mine, Run, Setup, State, Tile, Tree, prefix, size

Ends = Iterator[tuple[State, Run]]
GONE_HEAD = "there is no head"
Step = Callable[[State, Run, Setup], Ends]


def load(s: State, r: Run, setup: Setup) -> Ends:
    """1 load: read the checkpoint. An `add` that started again, and whose entries are published by now, answers."""
    if r.mine and size(s.checkpoint) >= len(r.mine.tree):
        yield from answer(s, r._replace(checkpoint=s.checkpoint), setup)
    else:
        yield s, r._replace(at="load head", checkpoint=s.checkpoint, lined=s.lines)
    if setup.together:
        yield s, r._replace(at="load together", unread=("checkpoint", "head", "anchor"))


def load_together(s: State, r: Run, setup: Setup) -> Ends:
    """1 load, in a bucket: checkpoint, head and anchor are read side by side, so in any order.

    If they are of one tree, and the anchor is the head's, the log was so at one moment: when that tree had been
    published, and no other was committed yet. If not, they are read once more, one after the other.
    """
    for what in r.unread:
        left = tuple(each for each in r.unread if each != what)
        if what == "checkpoint":
            read = r._replace(unread=left, checkpoint=s.checkpoint, lined=s.lines, signers=s.signers)
        elif what == "head":
            read = r._replace(unread=left, head=s.head)
        else:
            read = r._replace(unread=left, anchor=the_anchor(s, r, setup))
        yield s, read if left else _loaded(read, setup)


def _loaded(r: Run, setup: Setup) -> Run:
    anchor, checkpoint = r.anchor, r.checkpoint
    is_one = anchor is not None and anchor.tree == r.head.tree == checkpoint and anchor.identity == r.head.anchor
    if r.head == GONE or anchor is None or not is_one or anchor.sealed or anchor.frozen != r.head.frozen:
        return r.again()._replace(at="load one by one")
    return r._replace(at="load pending" if setup.visits else "recover")


def load_one_by_one(s: State, r: Run, setup: Setup) -> Ends:
    """They were not of one tree: read the checkpoint, and then what follows, one after the other."""
    yield next(load(s, r, setup._replace(together=False)))


def load_head(s: State, r: Run, setup: Setup) -> Ends:
    """Read the head."""
    r = r._replace(head=s.head)
    if r.head == GONE:
        yield s, r.refuse(GONE_HEAD)
    elif setup.mistake is Mistake.GUARD_READS_ONCE and not fits(r, setup):
        yield s, r.refuse("the checkpoint was put back or removed")
    else:
        yield s, r._replace(at="load anchor" if fits(r, setup) else "guard")


def guard(s: State, r: Run, setup: Setup) -> Ends:
    """Read the checkpoint once more: a commit needs its base published, so now it is at least there."""
    r = r._replace(checkpoint=s.checkpoint, lined=s.lines)
    if fits(r, setup):
        yield s, r._replace(at="load anchor")
    elif size(r.checkpoint) > r.head.size:
        yield s, r._replace(at="guard head")
    else:
        yield s, r.refuse("the checkpoint was put back or removed")


def guard_head(s: State, r: Run, _: Setup) -> Ends:
    """The checkpoint is larger than the head was: read the head once more."""
    yield s, r.again() if s.head.size >= size(r.checkpoint) else r.refuse("the head was put back")


def load_anchor(s: State, r: Run, setup: Setup) -> Ends:
    """Read the anchor: it is the one that the head names, and holds the published tree or the committed one.

    It was moved before the checkpoint that was read was published, so it cannot be smaller: such a one is a copy, or
    was put back.
    """
    anchor = the_anchor(s, r, setup)
    if setup.mistake in (Mistake.NO_ANCHOR, Mistake.CHECKPOINT_AS_ANCHOR):
        yield s, r._replace(at="recover")
    elif anchor is None or anchor.sealed:
        yield s, r.refuse("the anchor is missing or sealed")
    elif anchor.identity != r.head.anchor and setup.mistake is not Mistake.ANY_ANCHOR:
        yield s, r.refuse("it is not the log's anchor")
    elif anchor.frozen and not r.head.frozen:
        yield s, r._replace(at="guard frozen")
    elif len(anchor.tree) > r.head.size:
        yield s, r._replace(at="someone ahead", ahead=anchor.tree)
    elif len(anchor.tree) < size(r.checkpoint) and setup.mistake is not Mistake.ANY_ANCHOR:
        yield s, r.refuse("the anchor is behind what is published")
    elif anchor.tree == r.head.tree or prefix(anchor.tree, r.checkpoint or ()):
        first = "read decided" if setup.holds and setup.mistake is Mistake.DECIDED_FIRST else "recover"
        first = "load pending" if setup.visits else first
        yield s, r._replace(at=first, anchor=anchor)
    else:
        yield s, r.refuse("another tree of this size was signed")


def guard_frozen(s: State, r: Run, _: Setup) -> Ends:
    """The anchor is frozen, and the head was not: read the head once more."""
    yield s, r.again() if s.head.frozen else r.refuse("the head was put back, the log was frozen")


def the_anchor(s: State, r: Run, setup: Setup) -> Anchor | None:
    """The anchor where the run looks for it."""
    anchor = s.anchors[r.place]
    if anchor is None and setup.mistake is Mistake.NEW_ANCHOR:
        return Anchor(r.head.anchor, r.checkpoint or ())
    return anchor


def with_anchor(s: State, place: int, anchor: Anchor) -> State:
    """The state after an anchor was written."""
    return s._replace(anchors=(*s.anchors[:place], anchor, *s.anchors[place + 1 :]))


def fits(r: Run, setup: Setup) -> bool:
    """Whether checkpoint and head go together: at the head's base or size; absent only before the first publication."""
    if r.checkpoint is None:
        return r.head.size == 0 and setup.mistake is not Mistake.ABSENT_IS_REMOVED
    return len(r.checkpoint) in (r.head.base, r.head.size) and prefix(r.checkpoint, r.head.tree)


def recover(s: State, r: Run, setup: Setup) -> Ends:
    """2 recover: read the head's staged batch. Unpublished: it is written again from it; published: it is tidied."""
    published = r.checkpoint == r.head.tree
    then = at_rest(r, setup) if published else before_plan(r, setup)
    if (published and setup.mistake is Mistake.LIST_BEFORE_TIDY) or (r.head.size and setup.mistake is Mistake.STACK):
        yield s, then
    elif r.head.batch == Batch():
        yield s, then if published else r._replace(at="sign")
    elif r.head.staged in s.staged:
        if not published and r.head.batch == Batch(r.entries) and not r.mine:
            r = r._replace(mine=Mine(r.head.base, r.head.tree, sure=False))
        yield s, r._replace(at="tidy" if published else "write")
    elif setup.mistake is Mistake.TRUST_TILES and any(t.part != "bundles" and t.tree == r.head.tree for t in s.tiles):
        yield s, then if published else r._replace(at="sign")
    else:
        yield s, r._replace(at="recover again")


def recover_again(s: State, r: Run, setup: Setup) -> Ends:
    """The staged batch is gone: either the tree is published by now, or the batch is lost."""
    if s.checkpoint == r.head.tree:
        yield s, at_rest(r._replace(checkpoint=s.checkpoint, lined=s.lines), setup)
    elif size(s.checkpoint) > r.head.size:
        yield s, r.again()
    else:
        yield s, r.refuse("the committed batch is lost")


def at_rest(r: Run, setup: Setup) -> Run:
    """All is published and tidy. What is published below the quorum goes on to the witness once more."""
    if setup.fail_open and not r.lined and setup.mistake is not Mistake.REFRESH_NEVER:
        return r._replace(at="cosign")
    return before_plan(r, setup)


def before_plan(r: Run, setup: Setup) -> Run:
    """No staged batch is left: a `sequence` run reads `decided/` next, and only then lists the inbox."""
    looks = setup.holds and not (r.entries or r.job or r.mine)
    return r._replace(at="read decided" if looks and setup.mistake is not Mistake.DECIDED_FIRST else "plan")


def plan(s: State, r: Run, setup: Setup) -> Ends:
    """3 plan: what to add on top of the head that was read: one's own entries, or the inbox."""
    if r.mine:
        yield from answer(s, r, setup)
        return
    if r.head.frozen:
        yield s, r._replace(at="freeze anchor")
        return
    if r.job == "freeze":
        yield s, r._replace(at="commit", plan=Head(r.head.tree, r.head.size, anchor=r.head.anchor, frozen=True))
        return
    if r.entries:
        there = frozenset(r.head.tree) if r.listed is None else r.listed
        if setup.mistake is Mistake.ONCE_KEPT:
            r = r._replace(listed=there)
        batch = Batch(missing(r.entries, there, setup))
        if batch == Batch():  # all of it is there: the run has nothing to commit
            yield from answer(s, r._replace(mine=Mine(0, r.head.tree, sure=False)), setup)
            return
    else:
        waiting = s.inbox if setup.mistake is not Mistake.LIST_FIRST or r.listed is None else r.listed
        if setup.mistake is not Mistake.TAKE_DECIDED:
            waiting -= r.known
        refused = waiting & {"0"} if r.strict else frozenset[str]()
        if refused and setup.mistake is Mistake.REFUSE_ON_SIGHT:
            yield s._replace(inbox=s.inbox - refused, rejected=s.rejected | refused), r.again()
            return
        accepted = tuple(sorted(waiting - refused))
        batch = Batch(accepted, accepted, tuple(refused))
    if batch == Batch():
        yield s, r.again()
    else:
        new = Head(r.head.tree + batch.entries, r.head.size, batch, r.name, r.head.anchor)
        yield s, r._replace(at="stage", plan=new)


def missing(entries: Tree, there: frozenset[str], setup: Setup) -> Tree:
    """Return the entries that are to be logged: with `once` those that are not there, each once."""
    if not setup.once:
        return entries
    each = entries if setup.mistake is Mistake.ONCE_APART else tuple(dict.fromkeys(entries))
    return tuple(entry for entry in each if entry not in there)


def stage(s: State, r: Run, _: Setup) -> Ends:
    """4 stage: create the staged batch."""
    yield s._replace(staged=s.staged | {r.plan.staged}), r._replace(at="commit")


def commit(s: State, r: Run, setup: Setup) -> Ends:
    """5 commit: swap the head that was read for the planned one."""
    new = r.plan
    if setup.mistake is Mistake.SIGN_FIRST:
        s = s._replace(signed=s.signed | {new.tree})
    unsure = r._replace(at="read back", doubt=True) if r.entries else r.again()
    if s.head == r.head:
        landed = shown(land(s, new, setup), new, setup)
        yield landed, r.again() if r.job else committed(r)
        if setup.unknown:
            yield landed, unsure
    elif setup.mistake is Mistake.CONFLICT_BY_ROOT and s.head.tree == new.tree:
        yield s, committed(r)._replace(head=s.head)
    elif r.doubt and setup.mistake is not Mistake.CONFLICT_IS_LOSS:
        yield s, unsure  # the first swap may have happened after all
    else:
        yield s, r.again()._replace(listed=r.listed if setup.mistake is Mistake.ONCE_KEPT else None)
    if setup.unknown:
        yield s, unsure
    if setup.late and s.head == r.head:
        yield s._replace(late=s.late | {(r.head, new)}), unsure


def read_back(s: State, r: Run, setup: Setup) -> Ends:
    """After a lost reply, an `add` reads the head to learn whether the commit was its own."""
    new = r.plan
    if s.head == r.head and setup.mistake is not Mistake.PLAN_ANEW:
        yield s, r._replace(at="commit")  # the same swap once more: it may still be on its way
    elif s.head == new or (setup.mistake is Mistake.OURS_BY_ROOT and s.head.tree == new.tree):
        yield s, committed(r)._replace(head=s.head)
    elif s.head.base >= new.size and prefix(new.tree, s.head.tree) and setup.mistake is not Mistake.OURS_IF_HEAD:
        yield s, r._replace(mine=Mine(new.base, new.tree, sure=False)).again()
    else:
        yield s, r.again()


def committed(r: Run) -> Run:
    """The run after its own commit."""
    new = r.plan
    mine = Mine(new.base, new.tree, sure=True) if r.entries else None
    return r._replace(at="write", doubt=False, head=new, mine=mine)


def shown(s: State, new: Head, setup: Setup) -> State:
    """The state after a commit of a run that shows `pending` too early."""
    return s._replace(pending=new.tree) if setup.mistake is Mistake.PENDING_EARLY else s


def land(s: State, new: Head, setup: Setup) -> State:
    """A swap of the head happens; those on their way, which expect another head, never will."""
    return s._replace(
        head=new, past=s.past | {s.head} if setup.harm and setup.harm.restores else s.past, late=frozenset()
    )


def write(s: State, r: Run, setup: Setup) -> Ends:
    """6 write: create tiles and bundles; one that is there with another content stops the run."""
    parts = ("tiles", "bundles") if setup.parts else ("all",)
    missing = [t for t in (Tile(r.head.size, part, r.head.tree) for part in parts) if t not in s.tiles]
    for tile in missing:
        if any(t.size == tile.size and t.part == tile.part for t in s.tiles):
            yield s, r.refuse("a tile is there with another content")
        else:
            yield s._replace(tiles=s.tiles | {tile}), r if len(missing) > 1 else written(r)
    if not missing or setup.mistake is Mistake.PUBLISH_FIRST:
        yield s, written(r)


def written(r: Run) -> Run:
    """The run after step 6. An anchor that is to move is not read again: it is swapped if it is what was loaded.

    One that was closed when the run looked at it last does not move.
    """
    is_open = r.anchor is not None and not (r.anchor.sealed or r.anchor.frozen)
    moves = is_open and r.anchor.tree != r.head.tree and prefix(r.anchor.tree, r.head.tree)  # type: ignore[union-attr]
    return r._replace(at="move anchor" if moves else "sign")


def sign(s: State, r: Run, setup: Setup) -> Ends:
    """7 sign: read the anchor: only what extends it is signed."""
    anchor = the_anchor(s, r, setup)
    tree = anchor.tree if anchor else ()
    if setup.mistake is Mistake.NO_ANCHOR:
        yield s, r._replace(at="signature")
    elif setup.mistake is Mistake.CHECKPOINT_AS_ANCHOR:
        apart = not prefix(s.checkpoint, r.head.tree) and not prefix(r.head.tree, s.checkpoint or ())
        yield s, r.refuse("the checkpoint is another tree") if apart else r._replace(at="signature")
    elif anchor is None or anchor.sealed or (anchor.frozen and tree != r.head.tree):
        yield s, r.again()  # loading refuses it
    elif anchor.identity != r.head.anchor and setup.mistake is not Mistake.ANY_ANCHOR:
        yield s, r.again()
    elif tree == r.head.tree:
        yield s, r._replace(at="signature", anchor=anchor)
    elif prefix(tree, r.head.tree):
        yield s, r._replace(at="move anchor", anchor=s.anchors[r.place])
    elif prefix(r.head.tree, tree) or (len(tree) > r.head.size and setup.mistake is Mistake.BY_SIZE):
        yield s, r._replace(at="someone ahead", ahead=tree)
    else:
        yield s, r.refuse("the tree does not extend what was signed")


def move_anchor(s: State, r: Run, setup: Setup) -> Ends:
    """Swap the anchor; after a conflict or a lost reply it is read again."""
    if s.anchors[r.place] != r.anchor and setup.mistake is not Mistake.ANCHOR_BLINDLY:
        yield s, r._replace(at="sign", anchor=None)
        return
    anchor = (r.anchor or Anchor(r.head.anchor))._replace(tree=r.head.tree)
    moved = with_anchor(s, r.place, anchor)
    yield moved, r._replace(at="signature", anchor=anchor)
    if setup.unknown:
        yield moved, r._replace(at="sign", anchor=None)


def someone_ahead(s: State, r: Run, setup: Setup) -> Ends:
    """The anchor or the witness is ahead: read the head again. Another run was faster, or the head was put back."""
    if s.head.size >= len(r.ahead) or setup.mistake is Mistake.ANCHOR_AHEAD_IS_OTHERS:
        yield s, r._replace(mine=None).again() if setup.mistake is Mistake.FORGET else r.again()
    else:
        yield s, r.refuse("the head was put back, more was signed")


def signature(s: State, r: Run, setup: Setup) -> Ends:
    """Sign the head's tree."""
    then = "pending" if setup.visits else "cosign" if setup.witness else "publish"
    yield s._replace(signed=s.signed | {r.head.tree}), r._replace(at=then)


def publish(s: State, r: Run, setup: Setup) -> Ends:
    """9 publish: swap the checkpoint that was read; after a conflict or a lost reply it is read again."""
    tree = r.head.tree
    there = r._replace(checkpoint=s.checkpoint, lined=s.lines)
    if there == r or setup.mistake is Mistake.PUBLISH_BLINDLY:
        published = s._replace(checkpoint=tree, lines=r.lines)
        yield published, r._replace(at="tidy", checkpoint=tree, lined=r.lines, own=True)
        if setup.unknown:
            yield published, r
    elif size(s.checkpoint) > len(tree):
        yield s, there._replace(at="tidy")
    elif size(s.checkpoint) == len(tree) and (s.lines or not r.lines) and setup.mistake is not Mistake.OVER_THEIRS:
        yield s, there._replace(at="tidy")  # it has all that ours has
    else:
        yield s, there  # smaller; or of this size without the line, which is added to it


def freeze_anchor(s: State, r: Run, setup: Setup) -> Ends:
    """Whoever finds a frozen head freezes the anchor; a `freeze` answers after both."""
    anchor = s.anchors[r.place]
    if setup.mistake is not Mistake.FREEZE_HEAD_ONLY:
        if anchor is None or anchor.sealed or anchor.tree != r.head.tree:
            yield s, r.again()
            return
        s = with_anchor(s, r.place, anchor._replace(frozen=True))
    if r.job == "freeze":
        yield s._replace(closed=r.head.tree), r._replace(at="end")
    else:
        yield s, r.again()


def answer(s: State, r: Run, setup: Setup) -> Ends:
    """An `add` acknowledges its batch if the published tree extends the one that has it, and goes on with the next.

    For that it loads the log; or, if it has just published that tree itself, it goes on from what it has left.
    """
    assert r.mine is not None
    if not prefix(r.mine.tree, r.checkpoint or ()) and setup.mistake is not Mistake.BY_SIZE:
        yield s, r.refuse("the published tree does not have what was committed")
        return
    acked = s._replace(acked=s.acked | {Ack(r.name, r.entries, len(r.rest), r.mine)})
    yield acked, Run(r.name, r.rest[0], r.rest[1:]) if r.rest else Run(r.name, r.entries, at="end")
    left = r.own and r.checkpoint == r.head.tree and (r.lines or not setup.fail_open)
    if r.rest and left and r.anchor is not None:
        known = {"head": r.head, "checkpoint": r.checkpoint, "lined": r.lined, "signers": r.signers, "anchor": r.anchor}
        yield acked, Run(r.name, r.rest[0], r.rest[1:], at="plan", **known)


STEPS: dict[str, Step] = {
    "load": load,
    "load together": load_together,
    "load one by one": load_one_by_one,
    "load head": load_head,
    "guard": guard,
    "guard head": guard_head,
    "load anchor": load_anchor,
    "guard frozen": guard_frozen,
    "recover": recover,
    "recover again": recover_again,
    "plan": plan,
    "stage": stage,
    "commit": commit,
    "read back": read_back,
    "write": write,
    "sign": sign,
    "move anchor": move_anchor,
    "someone ahead": someone_ahead,
    "signature": signature,
    "publish": publish,
    "freeze anchor": freeze_anchor,
}
