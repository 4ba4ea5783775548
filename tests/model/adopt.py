"""Begin a new anchor, in the second place, on a log whose anchor is elsewhere, lost, or to be moved.

The same command finishes what a run left that died.
"""

from __future__ import annotations

from .commit import Ends, Step, fits, land, with_anchor
from .mistakes import Mistake
from .state import Anchor, Run, Setup, State, prefix


def adopt(s: State, r: Run, _: Setup) -> Ends:
    """Read the checkpoint."""
    yield s, r._replace(at="adopt head", checkpoint=s.checkpoint)


def adopt_head(s: State, r: Run, setup: Setup) -> Ends:
    """Read the head. A tree that is committed and not published stays so: the next run publishes it."""
    r = r._replace(head=s.head)
    if s.head.anchor == 1:
        yield s, r._replace(at="end")
    elif not fits(r, setup):
        yield s, r.refuse("checkpoint and head do not go together") if s.harmed else r.again()
    elif setup.mistake is Mistake.ADOPT_PUBLISHED_ONLY and s.head.tree != r.checkpoint:
        yield s, r.refuse("it is not published")
    else:
        yield s, r._replace(at="adopt seal")


def adopt_seal(s: State, r: Run, setup: Setup) -> Ends:
    """Seal the old anchor where it is, unless it holds a tree that the published one does not contain."""
    old = s.anchors[0]
    if old is None or setup.mistake is Mistake.UNSEALED:
        yield s, r._replace(at="adopt create")
    elif setup.mistake is Mistake.ADOPT_AT_CHECKPOINT:
        yield with_anchor(s, 0, old._replace(sealed=True)), r._replace(at="adopt create")
    elif not prefix(old.tree, r.head.tree):
        yield s, r.again() if s.head != r.head else r.refuse("the old anchor holds a tree that the head does not have")
    else:
        yield with_anchor(s, 0, old._replace(sealed=True)), r._replace(at="adopt create", ahead=old.tree)


def adopt_create(s: State, r: Run, _: Setup) -> Ends:
    """Create the new anchor at the largest tree that is known to be signed; one left unfinished is moved there."""
    tree = max(r.checkpoint or (), r.ahead, key=len)
    yield (
        with_anchor(s, 1, Anchor(1, tree, s.anchors[0].frozen if s.anchors[0] else False)),
        r._replace(at="adopt swap"),
    )


def adopt_swap(s: State, r: Run, setup: Setup) -> Ends:
    """Swap the head that was read for one that names the new anchor."""
    if s.head == r.head:
        yield land(s, r.head._replace(anchor=1), setup), r._replace(at="end")
    else:
        yield s, r.again()


STEPS: dict[str, Step] = {
    "adopt": adopt,
    "adopt head": adopt_head,
    "adopt seal": adopt_seal,
    "adopt create": adopt_create,
    "adopt swap": adopt_swap,
}
